# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state in which an interrupted session may be found, and what is decided about it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    ABSENT,
    DYING,
    LATER_LEFT,
    LATER_LIVES,
    PAUSED,
    RUNNING,
    SHUT_DOWN,
    SUSPENDED,
    History,
    Side,
    read_history,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._settling.sides import (
    ASKED,
    ASKED_OPEN,
    AWAY,
    BOOT,
    COMMITTED,
    DUE,
    FAILED,
    FIRST,
    HELD,
    LATER,
    LEFT,
    NAME,
    OPEN,
    RAN,
    READY,
    REFUSED,
    SAID_DESTROYING,
    SAID_STARTED,
    SILENT_DESTINATION,
    SILENT_SOURCE,
    STREAMED,
    TO_BE_LEFT,
    at_destination,
    at_source,
    short,
)

# It was shut down for the move (cold).
DOWN = replace(STREAMED, restartable=True, seen_down=True)
CASES: dict[str, tuple[Side, Side, str]] = {
    # The source runs it.
    "runs here, nothing there": (at_source(RUNNING, STREAMED), at_destination(ABSENT, FIRST), "done: source, stayed"),
    "runs here, receiver waits": (
        at_source(RUNNING, STREAMED),
        at_destination(PAUSED, FIRST, alive=True),
        "cancel at destination",
    ),
    "runs here, half a copy there": (
        at_source(RUNNING, STREAMED),
        at_destination(PAUSED, FIRST),
        "destroy at destination",
    ),
    "runs here, whole copy there": (at_source(RUNNING, REFUSED), at_destination(PAUSED), "destroy at destination"),
    "runs here, committed there": (at_source(RUNNING, ASKED), at_destination(PAUSED, COMMITTED), "human: both_have_it"),
    "runs here after it was given back": (
        at_source(RUNNING, ASKED),
        at_destination(PAUSED, FAILED),
        "destroy at destination",
    ),
    "runs here, has ended there": (at_source(RUNNING, ASKED), at_destination(SHUT_DOWN, RAN), "human: both_have_it"),
    "runs twice": (at_source(RUNNING), at_destination(RUNNING), "human: running_twice"),
    "runs twice on one host": (at_source(ABSENT), at_destination(RUNNING, others=1), "human: running_twice"),
    "runs here under the other name": (
        at_source(RUNNING, REFUSED, name=AWAY),
        at_destination(ABSENT, FAILED),
        "rename_back at source",
    ),
    # Whatever is on record: somebody has started it there by hand.
    "runs here, half a copy there that has run": (
        at_source(RUNNING, STREAMED),
        at_destination(PAUSED, FIRST, ran=True),
        "human: both_have_it",
    ),
    "runs here, receiver waits, its copy has run": (
        at_source(RUNNING, STREAMED),
        at_destination(PAUSED, alive=True, ran=True),
        "human: both_have_it",
    ),
    "runs here, somebody saves it there": (
        at_source(RUNNING, STREAMED),
        at_destination(SUSPENDED),
        "human: both_have_it",
    ),
    "ran twice, and both were paused": (
        at_source(PAUSED, HELD),
        at_destination(PAUSED, ran=True),
        "human: both_have_it",
    ),
    "paused here": (at_source(PAUSED, STREAMED), at_destination(ABSENT, FIRST), "done: source, stayed"),
    # It stands still at the source.
    "suspended, nothing there": (at_source(SUSPENDED, STREAMED), at_destination(ABSENT, FIRST), "resume at source"),
    "suspended, half a copy there": (at_source(SUSPENDED, STREAMED), at_destination(PAUSED, FIRST), "resume at source"),
    "suspended, whole copy there": (at_source(SUSPENDED), at_destination(PAUSED), "resume at source"),
    "suspended, asked, never committed": (at_source(SUSPENDED, ASKED), at_destination(ABSENT), "resume at source"),
    "suspended, asked, never committed, whole copy there": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED),
        "resume at source",
    ),
    "suspended, asked, journal there lost": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, History(), known=False),
        "human: ran_perhaps",
    ),
    "suspended, gate tasks not undone": (at_source(SUSPENDED, OPEN), at_destination(ABSENT), "undo"),
    "suspended, receiver waits, gate tasks not undone": (
        at_source(SUSPENDED, OPEN),
        at_destination(PAUSED, alive=True, barred=True),
        "undo",
    ),
    "suspended, receiver waits": (at_source(SUSPENDED), at_destination(PAUSED, alive=True), "bar at destination"),
    "suspended, commit barred": (
        at_source(SUSPENDED),
        at_destination(PAUSED, alive=True, barred=True),
        "resume at source",
    ),
    "suspended, commit barred, xl here at work": (
        at_source(SUSPENDED, xl_alive=True),
        at_destination(PAUSED, alive=True, barred=True),
        "wait",
    ),
    "resumed, commit barred": (
        at_source(RUNNING),
        at_destination(PAUSED, alive=True, barred=True),
        "cancel at destination",
    ),
    "suspended, receiver has the permission": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, COMMITTED, alive=True),
        "wait",
    ),
    "suspended, committed, not started": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, COMMITTED),
        "roll_forward at destination",
    ),
    "suspended, runs there": (at_source(SUSPENDED, ASKED), at_destination(RUNNING, COMMITTED), "destroy at source"),
    "suspended, runs there unasked": (at_source(SUSPENDED), at_destination(RUNNING), "human: ran_unasked"),
    "suspended, somebody saves it there unasked": (
        at_source(SUSPENDED),
        at_destination(SUSPENDED),
        "human: ran_unasked",
    ),
    "suspended, asked, never committed, ran there and was paused": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, ran=True),
        "human: ran_unasked",
    ),
    "suspended, commit barred, ran there and was paused": (
        at_source(SUSPENDED),
        at_destination(PAUSED, alive=True, barred=True, ran=True),
        "human: ran_unasked",
    ),
    "suspended, ran there and is gone": (at_source(SUSPENDED, ASKED), at_destination(ABSENT, RAN), "destroy at source"),
    "suspended, ran there and the host restarted": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, RAN, boot_id=LATER),
        "destroy at source",
    ),
    "suspended, given back and gone": (at_source(SUSPENDED, ASKED), at_destination(ABSENT, FAILED), "resume at source"),
    "suspended, given back and left": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, FAILED),
        "destroy at destination",
    ),
    "suspended, given back, yet it ran": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, FAILED, ran=True),
        "human: ran_perhaps",
    ),
    "suspended, committed, gone without a word": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, COMMITTED),
        "human: ran_perhaps",
    ),
    "suspended, committed, xl said that it started": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, SAID_STARTED),
        "destroy at source",
    ),
    "suspended, committed, xl said that it destroys": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, SAID_DESTROYING),
        "resume at source",
    ),
    "a person says that it ran": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, COMMITTED, vouched_ran=True),
        "destroy at source",
    ),
    "a person says that it did not": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, COMMITTED, vouched_ran=False),
        "resume at source",
    ),
    "suspended, has crashed there": (
        at_source(SUSPENDED, ASKED),
        at_destination(SHUT_DOWN, COMMITTED),
        "human: ran_perhaps",
    ),
    # A process lives.
    "under way": (at_source(RUNNING, STREAMED, alive=True), at_destination(PAUSED, FIRST, alive=True), "watch"),
    "one is about to end": (
        at_source(RUNNING, STREAMED, alive=True, ending=True),
        at_destination(ABSENT, FIRST),
        "wait",
    ),
    "commit asked, and the link stays away": (
        at_source(SUSPENDED, ASKED, alive=True, waits=True),
        at_destination(PAUSED, alive=True),
        "bar at destination",
    ),
    "commit asked, and it has arrived": (
        at_source(SUSPENDED, ASKED, alive=True, waits=True),
        at_destination(PAUSED, COMMITTED, alive=True),
        "watch",
    ),
    "commit asked, and barred": (
        at_source(SUSPENDED, ASKED, alive=True, waits=True),
        at_destination(PAUSED, alive=True, barred=True, waits=True),
        "outcome 3 at source",
    ),
    "barred, and the link is back": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(PAUSED, alive=True, barred=True, waits=True),
        "outcome 3 at source",
    ),
    "barred, and started by hand": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(RUNNING, alive=True, barred=True, waits=True),
        "human: ran_unasked",
    ),
    "barred, and never asked": (
        at_source(SUSPENDED, alive=True),
        at_destination(PAUSED, alive=True, barred=True, waits=True),
        "cancel at source",
    ),
    "tasks to be undone, both alive": (
        at_source(SUSPENDED, OPEN, alive=True, waits=True),
        at_destination(PAUSED, alive=True),
        "undo",
    ),
    # Storage that was handed over must not be taken back while the commit may be under way.
    "commit asked after the tasks, and the link stays away": (
        at_source(SUSPENDED, ASKED_OPEN, alive=True, waits=True),
        at_destination(PAUSED, alive=True),
        "bar at destination",
    ),
    "commit asked after the tasks, and given back": (
        at_source(SUSPENDED, replace(ASKED_OPEN, undo_wanted=True), alive=True, waits=True),
        at_destination(ABSENT, FAILED),
        "undo",
    ),
    "commit asked after the tasks, given back, sender to be told": (
        at_source(SUSPENDED, ASKED_OPEN, alive=True, waits=True),
        at_destination(ABSENT, FAILED),
        "outcome 3 at source",
    ),
    "runs here, tasks not undone": (at_source(RUNNING, OPEN), at_destination(ABSENT), "undo"),
    "receiver gone, started by hand": (at_source(SUSPENDED, alive=True), at_destination(RUNNING), "human: ran_unasked"),
    "receiver gone, somebody saves it there": (
        at_source(SUSPENDED, alive=True),
        at_destination(SUSPENDED),
        "human: ran_unasked",
    ),
    "sender waits after it ran there unasked": (
        at_source(SUSPENDED, alive=True, waits=True),
        at_destination(ABSENT),
        "outcome 3 at source",
    ),
    "commit barred, started by hand": (
        at_source(SUSPENDED),
        at_destination(RUNNING, alive=True, barred=True),
        "human: ran_unasked",
    ),
    "receiver gone while memory flows": (
        at_source(RUNNING, STREAMED, alive=True),
        at_destination(PAUSED, FIRST),
        "cancel at source",
    ),
    "receiver gone, gate tasks not undone": (at_source(SUSPENDED, OPEN, alive=True), at_destination(ABSENT), "undo"),
    "sender waits, runs there": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(RUNNING, COMMITTED),
        "outcome 0 at source",
    ),
    "sender waits, never committed": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(ABSENT),
        "outcome 3 at source",
    ),
    "sender waits, never committed, whole copy there": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(PAUSED),
        "outcome 3 at source",
    ),
    "sender waits, xl there at work": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(PAUSED, COMMITTED, xl_alive=True),
        "wait",
    ),
    # The sender waits for the report, and somebody has let the source's copy go on, or has started one.
    "sender waits, committed, runs here": (
        at_source(RUNNING, ASKED, alive=True),
        at_destination(PAUSED, COMMITTED),
        "human: both_have_it",
    ),
    "sender waits, committed, paused here by somebody": (
        at_source(PAUSED, ASKED, alive=True),
        at_destination(PAUSED, COMMITTED),
        "human: both_have_it",
    ),
    "sender waits, committed, has gone on here and shut down": (
        at_source(SHUT_DOWN, ASKED, alive=True),
        at_destination(PAUSED, COMMITTED),
        "human: both_have_it",
    ),
    "sender waits, runs there, and was paused here because it ran twice": (
        at_source(PAUSED, ASKED, alive=True),
        at_destination(RUNNING, RAN),
        "human: both_have_it",
    ),
    "sender waits, ran there and is gone, runs here": (
        at_source(RUNNING, ASKED, alive=True),
        at_destination(ABSENT, RAN),
        "human: both_have_it",
    ),
    "sender waits, gone there without a word, runs here": (
        at_source(RUNNING, ASKED, alive=True),
        at_destination(ABSENT, COMMITTED),
        "human: both_have_it",
    ),
    "sender waits, runs here, and a person says that it counts": (
        at_source(RUNNING, ASKED, alive=True, vouched_ran=False),
        at_destination(ABSENT, RAN, vouched_ran=False),
        "outcome 3 at source",
    ),
    "sender waits, runs here, counts, and a copy is left there": (
        at_source(RUNNING, ASKED, alive=True, vouched_ran=False),
        at_destination(PAUSED, COMMITTED, vouched_ran=False),
        "human: both_have_it",
    ),
    "sender waits, runs here, destination off for good": (
        at_source(RUNNING, ASKED, alive=True),
        replace(SILENT_DESTINATION, gone=True),
        "human: both_have_it",
    ),
    "sender waits, never committed, runs here": (
        at_source(RUNNING, ASKED, alive=True),
        at_destination(PAUSED),
        "outcome 3 at source",
    ),
    "sender waits, not started there, runs here": (
        at_source(RUNNING, ASKED, alive=True),
        at_destination(PAUSED, FAILED),
        "destroy at destination",
    ),
    "sender waits, runs there unasked, and was destroyed here": (
        at_source(ABSENT, ASKED, alive=True),
        at_destination(RUNNING),
        "outcome 0 at source",
    ),
    "sender waits, destination silent, runs here": (
        at_source(RUNNING, ASKED, alive=True),
        SILENT_DESTINATION,
        "human: destination_silent",
    ),
    "xl here at work": (at_source(SUSPENDED, xl_alive=True), at_destination(ABSENT), "wait"),
    "being torn down": (at_source(SUSPENDED), at_destination(DYING), "wait"),
    # A later session of the domain has no end: what is there may be that one's.
    "each host takes another session for the later one": (
        at_source(SUSPENDED, later=LATER_LEFT, session="a", after=("b",)),
        at_destination(ABSENT, session="a", before=("b", "c")),
        "human: order_unknown",
    ),
    "each host takes another session for the later one, the other way round": (
        at_source(SUSPENDED, session="a", before=("b",)),
        at_destination(ABSENT, later=LATER_LEFT, session="a", after=("b",)),
        "human: order_unknown",
    ),
    "each host takes another session for the later one, which lives": (
        at_source(SUSPENDED, later=LATER_LIVES, session="a", after=("b",)),
        at_destination(ABSENT, session="a", before=("b",)),
        "watch",
    ),
    "a later session left, and both hosts say so": (
        at_source(SUSPENDED, later=LATER_LEFT, session="a", after=("b",), before=("c",)),
        at_destination(ABSENT, later=LATER_LEFT, session="a", after=("b",), before=("c",)),
        "wait",
    ),
    "suspended, a later session left": (at_source(SUSPENDED, later=LATER_LEFT), at_destination(ABSENT), "wait"),
    "suspended, a later session under way": (at_source(SUSPENDED, later=LATER_LIVES), at_destination(ABSENT), "watch"),
    "gone here, committed, a later session left there": (
        at_source(ABSENT, ASKED),
        at_destination(PAUSED, COMMITTED, later=LATER_LEFT),
        "wait",
    ),
    "suspended, a later session left, destination silent": (
        at_source(SUSPENDED, later=LATER_LEFT),
        SILENT_DESTINATION,
        "wait",
    ),
    "runs twice, a later session left": (
        at_source(RUNNING, later=LATER_LEFT),
        at_destination(RUNNING),
        "human: running_twice",
    ),
    # One that has ended has had the domain since.
    "gone here, whole copy there, a later session has ended": (
        at_source(ABSENT, HELD, superseded=True),
        at_destination(PAUSED),
        "human: resumed_perhaps",
    ),
    "gone here, committed, not started, a later session has ended": (
        at_source(ABSENT, ASKED),
        at_destination(PAUSED, COMMITTED, superseded=True),
        "human: resumed_perhaps",
    ),
    "gone here, committed, not started, a later session has ended, as a person says with it running": (
        at_source(ABSENT, ASKED, vouched_ran=True),
        at_destination(PAUSED, COMMITTED, superseded=True),
        "destroy at destination",
    ),
    # The source has lost it.
    "gone here, runs there": (at_source(ABSENT, ASKED), at_destination(RUNNING, RAN), "done: destination, moved"),
    "gone here, somebody saves it there": (
        at_source(ABSENT, ASKED),
        at_destination(SUSPENDED, RAN),
        "done: destination, moved",
    ),
    "gone here, ran there unasked and was paused": (
        at_source(ABSENT, STREAMED),
        at_destination(PAUSED, FIRST, ran=True),
        "done: destination, moved",
    ),
    "gone here, not started there, yet it ran": (
        at_source(ABSENT, HELD),
        at_destination(PAUSED, FAILED, ran=True),
        "done: destination, moved",
    ),
    "shut down here, ran there and was paused": (
        at_source(SHUT_DOWN, STREAMED),
        at_destination(PAUSED, ran=True),
        "human: both_have_it",
    ),
    "gone here, committed, not started": (
        at_source(ABSENT, ASKED),
        at_destination(PAUSED, COMMITTED),
        "roll_forward at destination",
    ),
    "source restarted at the gate": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED),
        "roll_forward at destination",
    ),
    "source restarted at the gate, receiver waits": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED, alive=True),
        "hand_over at destination",
    ),
    "source restarted before the tasks at the gate had ended": (
        at_source(ABSENT, DUE, boot_id=LATER),
        at_destination(PAUSED),
        "tasks",
    ),
    "source restarted before the tasks at the gate had ended, receiver waits": (
        at_source(ABSENT, DUE, boot_id=LATER),
        at_destination(PAUSED, alive=True),
        "tasks",
    ),
    "a person says that it had gone on, tasks at the gate": (
        at_source(ABSENT, DUE, boot_id=LATER, vouched_ran=True),
        at_destination(PAUSED),
        "destroy at destination",
    ),
    "source restarted, the copy is not complete yet": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED, replace(FIRST, transferred=True), alive=True),
        "wait",
    ),
    "source restarted after it was given back": (
        at_source(ABSENT, REFUSED, boot_id=LATER),
        at_destination(PAUSED),
        "human: resumed_perhaps",
    ),
    "source restarted before the permission": (
        at_source(ABSENT, STREAMED, boot_id=LATER),
        at_destination(PAUSED),
        "human: resumed_perhaps",
    ),
    "a person says that it had gone on": (
        at_source(ABSENT, STREAMED, boot_id=LATER, vouched_ran=True),
        at_destination(PAUSED),
        "destroy at destination",
    ),
    "source restarted while memory flowed": (
        at_source(ABSENT, STREAMED, boot_id=LATER),
        at_destination(PAUSED, FIRST),
        "destroy at destination",
    ),
    "source restarted, not started there": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED, FAILED),
        "roll_forward at destination",
    ),
    "source restarted after it was given back, not started there": (
        at_source(ABSENT, REFUSED, boot_id=LATER),
        at_destination(PAUSED, FAILED),
        "human: resumed_perhaps",
    ),
    "resumed by settling, destination silent": (
        at_source(RUNNING, replace(ASKED, resumed=True)),
        SILENT_DESTINATION,
        "done: source, stayed",
    ),
    "gone everywhere": (
        at_source(ABSENT, STREAMED, boot_id=LATER),
        at_destination(ABSENT, FIRST),
        "done: source, down",
    ),
    "ended there": (at_source(ABSENT, ASKED), at_destination(SHUT_DOWN, RAN), "done: destination, down"),
    "shut down here by itself": (
        at_source(SHUT_DOWN, STREAMED),
        at_destination(PAUSED, FIRST),
        "destroy at destination",
    ),
    # The copy at the destination was to be left paused.
    "to be left paused, reported, source suspended": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, LEFT, name=NAME),
        "destroy at source",
    ),
    "to be left paused, reported, source done": (
        at_source(ABSENT, ASKED),
        at_destination(PAUSED, LEFT, name=NAME),
        "done: destination, moved",
    ),
    "to be left paused, reported, source restarted": (
        at_source(ABSENT, ASKED, boot_id=LATER),
        at_destination(PAUSED, LEFT, name=NAME),
        "done: destination, moved",
    ),
    "to be left paused, reported, and it was started by hand": (
        at_source(ABSENT, ASKED),
        at_destination(RUNNING, LEFT),
        "done: destination, moved",
    ),
    "to be left paused, reported, sender waits": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(PAUSED, LEFT, name=NAME),
        "outcome 0 at source",
    ),
    "to be left paused, reported, and gone": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, LEFT),
        "human: ran_perhaps",
    ),
    "to be left paused, reported, and gone with the power": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(ABSENT, LEFT, boot_id=LATER),
        "human: ran_perhaps",
    ),
    "to be left paused, said that it started, and gone": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, replace(TO_BE_LEFT, said_started=True)),
        "human: ran_perhaps",
    ),
    "to be left paused, given back": (
        at_source(SUSPENDED, ASKED),
        at_destination(ABSENT, replace(TO_BE_LEFT, said_destroying=True)),
        "resume at source",
    ),
    "to be left paused, not started, and left": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, replace(TO_BE_LEFT, status=6)),
        "destroy at destination",
    ),
    "to be left paused, reported, has ended there": (
        at_source(SUSPENDED, ASKED),
        at_destination(SHUT_DOWN, LEFT),
        "destroy at source",
    ),
    "to be left paused, not reported": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, TO_BE_LEFT, name=NAME),
        "roll_forward at destination",
    ),
    "to be left paused, not reported, source gone": (
        at_source(ABSENT, ASKED),
        at_destination(PAUSED, TO_BE_LEFT, name=NAME),
        "roll_forward at destination",
    ),
    "to be left paused, on record before it had its name": (
        at_source(ABSENT, ASKED),
        at_destination(PAUSED, LEFT),
        "roll_forward at destination",
    ),
    "to be left paused, reported, source runs": (
        at_source(RUNNING, ASKED),
        at_destination(PAUSED, LEFT, name=NAME),
        "human: both_have_it",
    ),
    "to be left paused, reported, source has shut down": (
        at_source(SHUT_DOWN, ASKED),
        at_destination(PAUSED, LEFT, name=NAME),
        "human: both_have_it",
    ),
    "committed, source has shut down": (
        at_source(SHUT_DOWN, ASKED),
        at_destination(PAUSED, COMMITTED),
        "human: both_have_it",
    ),
    "to be left paused, reported, source silent": (
        SILENT_SOURCE,
        at_destination(PAUSED, LEFT, name=NAME),
        "human: source_silent",
    ),
    "to be left paused, not reported, source silent": (
        SILENT_SOURCE,
        at_destination(PAUSED, TO_BE_LEFT),
        "roll_forward at destination",
    ),
    "to be left paused, reported, source off for good": (
        replace(SILENT_SOURCE, gone=True),
        at_destination(PAUSED, LEFT, name=NAME),
        "done: destination, moved",
    ),
    "to be left paused, never committed": (
        at_source(SUSPENDED),
        at_destination(PAUSED, replace(READY, leave_paused=True)),
        "resume at source",
    ),
    "to be left paused, never committed, source restarted at the gate": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED, replace(READY, leave_paused=True)),
        "roll_forward at destination",
    ),
    # What was shut down for the move was being started again.
    "half made at the source": (at_source(PAUSED, DOWN, domid=9), at_destination(ABSENT), "human: half_made"),
    "half made at the source, which was restarted": (
        at_source(PAUSED, DOWN, boot_id=LATER),
        at_destination(ABSENT),
        "human: half_made",
    ),
    "being made at the source": (
        at_source(PAUSED, DOWN, domid=9, xl_alive=True),
        at_destination(ABSENT),
        "wait",
    ),
    "made at the source, and then paused by somebody": (
        at_source(PAUSED, DOWN, domid=9, ran=True),
        at_destination(ABSENT),
        "done: source, stayed",
    ),
    "paused before it was to shut down": (at_source(PAUSED, DOWN), at_destination(ABSENT), "done: source, stayed"),
    "half made at the source, started by hand there": (
        at_source(PAUSED, DOWN, domid=9),
        at_destination(RUNNING),
        "human: both_have_it",
    ),
    # A host does not answer.
    "destination silent, never asked": (at_source(SUSPENDED), SILENT_DESTINATION, "resume at source"),
    "destination silent, sender waits": (at_source(SUSPENDED, alive=True), SILENT_DESTINATION, "cancel at source"),
    "destination silent, asked": (
        at_source(SUSPENDED, ASKED, alive=True),
        SILENT_DESTINATION,
        "human: destination_silent",
    ),
    "destination silent, gate tasks not undone": (at_source(SUSPENDED, OPEN), SILENT_DESTINATION, "undo"),
    "destination silent, runs here": (at_source(RUNNING, STREAMED), SILENT_DESTINATION, "done: source, stayed"),
    "destination silent, asked, runs here": (
        at_source(RUNNING, ASKED),
        SILENT_DESTINATION,
        "human: destination_silent",
    ),
    "destination silent, xl here at work": (at_source(RUNNING, STREAMED, xl_alive=True), SILENT_DESTINATION, "wait"),
    "destination silent, to us only": (
        at_source(RUNNING, STREAMED, alive=True, linked=True),
        SILENT_DESTINATION,
        "watch",
    ),
    "destination silent, to us only, sender waits": (
        at_source(SUSPENDED, OPEN, alive=True, linked=True, waits=True),
        SILENT_DESTINATION,
        "undo",
    ),
    "destination silent, lost here": (
        at_source(ABSENT, HELD, boot_id=LATER),
        SILENT_DESTINATION,
        "human: destination_silent",
    ),
    "destination off for good, asked": (
        at_source(SUSPENDED, ASKED),
        replace(SILENT_DESTINATION, gone=True),
        "human: ran_perhaps",
    ),
    "destination off for good, it had not run": (
        at_source(SUSPENDED, ASKED),
        replace(SILENT_DESTINATION, gone=True, vouched_ran=False),
        "resume at source",
    ),
    "destination off for good, it had run": (
        at_source(SUSPENDED, ASKED),
        replace(SILENT_DESTINATION, gone=True, vouched_ran=True),
        "destroy at source",
    ),
    "destination off for good, never asked": (
        at_source(SUSPENDED),
        replace(SILENT_DESTINATION, gone=True),
        "resume at source",
    ),
    "destination off for good, runs here": (
        at_source(RUNNING, STREAMED),
        replace(SILENT_DESTINATION, gone=True),
        "done: source, stayed",
    ),
    "source silent, committed": (SILENT_SOURCE, at_destination(PAUSED, COMMITTED), "roll_forward at destination"),
    "source silent, never committed": (SILENT_SOURCE, at_destination(PAUSED), "human: source_silent"),
    "source silent, receiver waits": (SILENT_SOURCE, at_destination(PAUSED, alive=True), "human: source_silent"),
    "source silent, runs there": (SILENT_SOURCE, at_destination(RUNNING, RAN), "human: source_silent"),
    "source off for good, runs there": (
        replace(SILENT_SOURCE, gone=True),
        at_destination(RUNNING, RAN),
        "done: destination, moved",
    ),
    "source off for good, never committed": (
        replace(SILENT_SOURCE, gone=True),
        at_destination(PAUSED, alive=True),
        "human: resumed_perhaps",
    ),
    "source off for good, it had not gone on": (
        replace(SILENT_SOURCE, gone=True, vouched_ran=False),
        at_destination(PAUSED),
        "roll_forward at destination",
    ),
    "source off for good, xl there at work": (
        replace(SILENT_SOURCE, gone=True, vouched_ran=False),
        at_destination(PAUSED, xl_alive=True),
        "wait",
    ),
    "source off for good, being torn down there": (
        replace(SILENT_SOURCE, gone=True),
        at_destination(DYING, RAN),
        "wait",
    ),
    "destination off for good, xl here at work": (
        at_source(SUSPENDED, xl_alive=True),
        replace(SILENT_DESTINATION, gone=True),
        "wait",
    ),
    "given back, and then the source lost its power": (
        at_source(ABSENT, replace(ASKED, refused=True, backed_out=True), boot_id=LATER),
        at_destination(ABSENT, FAILED),
        "done: source, down",
    ),
    "not started there, and the source lost its power before it knew": (
        at_source(ABSENT, ASKED, boot_id=LATER),
        at_destination(ABSENT, FAILED),
        "done: source, down",
    ),
    "source silent, to us only": (SILENT_SOURCE, at_destination(PAUSED, FIRST, alive=True, linked=True), "watch"),
    "one silent, one off for good": (replace(SILENT_SOURCE, gone=True), SILENT_DESTINATION, "human: both_silent"),
    "one off for good, one silent": (SILENT_SOURCE, replace(SILENT_DESTINATION, gone=True), "human: both_silent"),
    "both silent": (SILENT_SOURCE, SILENT_DESTINATION, "human: both_silent"),
}


@pytest.mark.parametrize(("source", "destination", "decided"), CASES.values(), ids=CASES)
def test_decision(source: Side, destination: Side, decided: str) -> None:
    """What is decided, with a reason; a person who has to choose is told what is known and between what."""
    made = decide(source, destination)
    assert short(made) == decided
    assert made.reason and len(made.known) == 2
    assert bool(made.choices) == (made.next in (to.HUMAN, to.TASKS, to.UNDO))


def test_a_host_that_says_why_is_not_called_off_for_good() -> None:
    """The command that does so is for hosts that are away; this one says what is to be mended."""
    made = decide(replace(SILENT_SOURCE, trouble="sudo: a password is required"), at_destination(PAUSED, FIRST))
    assert "could not be looked at: sudo: a password is required" in "".join(made.known)
    assert made.choices and not any("settle_gone" in choice for choice in made.choices)


BUSY = "another session is moving the domain"


@pytest.mark.parametrize(
    ("source", "destination", "reason"),
    [
        (
            replace(SILENT_SOURCE, trouble=BUSY),
            replace(SILENT_DESTINATION, trouble=BUSY),
            "xen1 could not be looked at, and xen2 could not be looked at.",
        ),
        (
            replace(SILENT_SOURCE, trouble=BUSY),
            SILENT_DESTINATION,
            "xen1 could not be looked at, and xen2 does not answer.",
        ),
        (replace(SILENT_SOURCE, trouble=BUSY), at_destination(PAUSED, FIRST), "xen1 could not be looked at."),
        (
            at_source(SUSPENDED, ASKED),
            replace(SILENT_DESTINATION, trouble=BUSY),
            "xen2 could not be looked at, and it may have the copy that counts.",
        ),
        (SILENT_SOURCE, SILENT_DESTINATION, "Neither xen1 nor xen2 answers."),
        (SILENT_SOURCE, at_destination(PAUSED, FIRST), "xen1 does not answer."),
    ],
    ids=["both busy", "one busy", "source busy", "destination busy", "both silent", "source silent"],
)
def test_a_host_that_has_answered_is_not_called_silent(source: Side, destination: Side, reason: str) -> None:
    """It has said why it could not be looked at, and there is nothing to be brought back."""
    made = decide(source, destination)
    assert made.reason == reason
    said = BUSY in "".join(made.known)
    assert said == any("could not be looked at" in each for each in (made.reason,))
    assert all(("is mended" in choice or "has ended" in choice) == said for choice in made.choices)


def test_what_a_person_has_said_stays_in_the_commands() -> None:
    """Typed as they are shown, they must not lead back to the same question."""
    made = decide(at_source(SUSPENDED, ASKED), replace(SILENT_DESTINATION, gone=True))
    assert made.end_state == to.RAN_PERHAPS
    assert all("-e settle_gone=xen2 -e settle_ran=" in choice for choice in made.choices)


@pytest.mark.parametrize(
    ("steps", "due"),
    [
        ((), True),
        (("gate_tasks_started",), True),
        (("gate_tasks_started", "commit_requested"), False),
        (("commit_requested",), False),
        (("gate_tasks_started", "gate_undone"), True),
        (("gate_tasks_started", "commit_requested", "gate_undo_started"), True),
        (("gate_tasks_started", "commit_requested", "gate_undone"), True),
        (("gate_tasks_started", "commit_requested", "gate_undone", "gate_tasks_done"), False),
        (("gate_tasks_done", "gate_undone"), True),
    ],
)
def test_tasks_are_due_until_they_are_known_to_have_come_to_their_end(steps: tuple[str, ...], due: bool) -> None:
    """The permission is asked for after them; what undoes them makes them due again."""
    records: list[dict[str, t.Any]] = [{"step": step} for step in steps]
    held: dict[str, t.Any] = {"step": "permission_held", "details": {"gate": "controller"}}
    assert read_history([held, *records]).tasks_due is due
    by_engine = read_history([{**held, "details": {"gate": "engine"}}, *records])
    assert by_engine.tasks_due is (due and "gate_tasks_started" in steps)


@pytest.mark.parametrize("step", ["ended", "settled"])
def test_a_journal_that_gives_it_to_the_source_says_that_it_goes_on(step: str) -> None:
    """A person may have resumed it by hand since: that leaves no record."""
    held: dict[str, t.Any] = {"step": "permission_held", "details": {"gate": "controller"}}
    said = [{"step": step, "details": {"owner": owner}} for owner in ("source", "unsettled")]
    assert read_history([held, said[0]]).backed_out and not read_history([held, said[1]]).backed_out


def test_what_a_person_has_said_of_the_source_stays_in_the_commands_for_the_gate() -> None:
    """Else the next run asks again what was answered."""
    lost = at_source(ABSENT, replace(DUE, backed_out=True), boot_id=LATER, vouched_ran=False)
    made = decide(lost, at_destination(PAUSED))
    assert made.next == to.TASKS
    assert all("-e settle_ran=no" in choice for choice in made.choices)


def test_every_human_case_names_what_is_not_known() -> None:
    """A person cannot choose without."""
    for source, destination, decided in CASES.values():
        made = decide(source, destination)
        if decided.startswith("human"):
            assert made.unknown
            assert "{" not in "".join((made.reason, made.unknown, *made.choices))
            assert "None" not in "".join(made.choices)


def test_history_of_a_journal() -> None:
    """The records of a session, in the words that the decision needs."""
    records: list[dict[str, t.Any]] = [
        {"step": "opened", "details": {"boot_id": BOOT}},
        {"step": "xl_started", "details": {"pid": 1, "domid": 7}},
        {"step": "transferred"},
        {"step": "ready"},
        {"step": "permission_held", "details": {"gate": "controller"}},
        {"step": "gate_tasks_started"},
    ]
    assert read_history(records) == History(
        boot_id=BOOT,
        domid=7,
        seen_down=True,
        transferred=True,
        ready=True,
        held=True,
        tasks_open=True,
        tasks_due=True,
    )
    undone = read_history([*records, {"step": "gate_undone"}])
    # The sender goes on after its own record; whoever settles has yet to resume the domain.
    assert not undone.tasks_open and undone.backed_out
    assert not read_history([*records, {"step": "gate_undone", "details": {"by": "0123"}}]).backed_out
    assert read_history([*records, {"step": "gate_undone"}, {"step": "refused"}]).backed_out
    assert read_history([*records, {"step": "gate_undone"}, {"step": "gate_tasks_started"}]).tasks_open
    given_back: list[dict[str, t.Any]] = [
        {"step": "commit"},
        {"step": "not_started", "details": {"status": 6, "give_back": True}},
    ]
    assert read_history(given_back).status == 6
    assert read_history([{"step": "commit"}, {"step": "running", "details": {"status": 0}}]).running
    assert read_history([{"step": "opened", "details": {"boot_id": BOOT, "leave_paused": True}}]).leave_paused
    said = ["migration target: Domain started successsfully."]
    assert read_history([], said).said_started
