# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the next step is not this run's: what lives is watched, and what is open at the gate comes first."""

from __future__ import annotations

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
    SUSPENDED,
    Side,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._settling.sides import (
    ASKED,
    ASKED_OPEN,
    COMMITTED,
    DUE,
    FAILED,
    FIRST,
    HELD,
    LATER,
    OPEN,
    RAN,
    SILENT_DESTINATION,
    SILENT_SOURCE,
    STREAMED,
    at_destination,
    at_source,
    require,
)

CASES: dict[str, tuple[Side, Side, str]] = {
    # It stands still at the source.
    "suspended, gate tasks not undone": (at_source(SUSPENDED, OPEN), at_destination(ABSENT), "undo"),
    "suspended, receiver waits, gate tasks not undone": (
        at_source(SUSPENDED, OPEN),
        at_destination(PAUSED, alive=True, barred=True),
        "undo",
    ),
    "suspended, commit barred, xl here at work": (
        at_source(SUSPENDED, xl_alive=True),
        at_destination(PAUSED, alive=True, barred=True),
        "wait",
    ),
    "suspended, receiver has the permission": (
        at_source(SUSPENDED, ASKED),
        at_destination(PAUSED, COMMITTED, alive=True),
        "wait",
    ),
    # A process lives.
    "under way": (at_source(RUNNING, STREAMED, alive=True), at_destination(PAUSED, FIRST, alive=True), "watch"),
    "one is about to end": (
        at_source(RUNNING, STREAMED, alive=True, ending=True),
        at_destination(ABSENT, FIRST),
        "wait",
    ),
    "commit asked, and it has arrived": (
        at_source(SUSPENDED, ASKED, alive=True, waits=True),
        at_destination(PAUSED, COMMITTED, alive=True),
        "watch",
    ),
    "tasks to be undone, both alive": (
        at_source(SUSPENDED, OPEN, alive=True, waits=True),
        at_destination(PAUSED, alive=True),
        "undo",
    ),
    # Storage that was handed over must not be taken back while the commit may be under way.
    "commit asked after the tasks, and given back": (
        at_source(SUSPENDED, replace(ASKED_OPEN, undo_wanted=True), alive=True, waits=True),
        at_destination(ABSENT, FAILED),
        "undo",
    ),
    "runs here, tasks not undone": (at_source(RUNNING, OPEN), at_destination(ABSENT), "undo"),
    "receiver gone, gate tasks not undone": (at_source(SUSPENDED, OPEN, alive=True), at_destination(ABSENT), "undo"),
    "sender waits, xl there at work": (
        at_source(SUSPENDED, ASKED, alive=True),
        at_destination(PAUSED, COMMITTED, xl_alive=True),
        "wait",
    ),
    # The sender waits for the report, and somebody has let the source's copy go on, or has started one.
    "xl here at work": (at_source(SUSPENDED, xl_alive=True), at_destination(ABSENT), "wait"),
    "being torn down": (at_source(SUSPENDED), at_destination(DYING), "wait"),
    # A later session of the domain has no end: what is there may be that one's.
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
    # The source has lost it.
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
    "source restarted, the copy is not complete yet": (
        at_source(ABSENT, HELD, boot_id=LATER),
        at_destination(PAUSED, replace(FIRST, transferred=True), alive=True),
        "wait",
    ),
    # A host does not answer.
    "destination silent, gate tasks not undone": (at_source(SUSPENDED, OPEN), SILENT_DESTINATION, "undo"),
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
    "source silent, to us only": (SILENT_SOURCE, at_destination(PAUSED, FIRST, alive=True, linked=True), "watch"),
}


@pytest.mark.parametrize(("source", "destination", "decided"), CASES.values(), ids=CASES)
def test_decision(source: Side, destination: Side, decided: str) -> None:
    """What is decided, with a reason; a person who has to choose is told what is known and between what."""
    require(source, destination, decided)


def test_what_a_person_has_said_of_the_source_stays_in_the_commands_for_the_gate() -> None:
    """Else the next run asks again what was answered."""
    lost = at_source(ABSENT, replace(DUE, backed_out=True), boot_id=LATER, vouched_ran=False)
    made = decide(lost, at_destination(PAUSED))
    assert made.next == to.TASKS
    assert all("-e settle_ran=no" in choice for choice in made.choices)
