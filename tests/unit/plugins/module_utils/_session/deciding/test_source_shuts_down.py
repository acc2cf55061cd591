# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source of the method ``cold``: its guest is shut down, and started again where the move fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source import advance
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import Journal
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Event
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import read_history
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.deciding.course import (
    COMPLETE,
    CONNECTED,
    COPY_MADE,
    EXITED,
    EXITED_0,
    EXPIRED,
    FAILED,
    HEADER,
    NAME,
    PERMISSION,
    READY,
    RETURNED,
    RUNS,
    STALLED,
    TASKS_STARTED,
    XL_STAYS,
    play,
    seen,
)

FIRST = SourceState(NAME, shuts_down=True)
HELD = replace(FIRST, gate_held=True)
ASKED: tuple[Event, ...] = (CONNECTED, HEADER, COPY_MADE)
GATE = (*ASKED, COMPLETE, READY)
KILLED = (*ASKED, EXITED)
LATE = (*ASKED, COMPLETE, FAILED, STALLED)
AGAIN = ["record go_on", "go on", "look"]
STAYED = ["record ended", "send failed", "end: stayed"]
THERE = ["record unsettled", "kill xl"]
UNSETTLED = ["record ended", "end: unsettled"]

COURSES: dict[str, tuple[SourceState, tuple[Event, ...], list[str]]] = {
    "asked when that is on record": (FIRST, ASKED, ["record shutting_down", "tell xl: its domain is made"]),
    "once": (FIRST, (*ASKED, COPY_MADE), []),
    "not after a failure": (FIRST, (CONNECTED, HEADER, FAILED, COPY_MADE), []),
    "the destination is not told before it runs here": (FIRST, (*ASKED, FAILED), ["record abort", "close xl"]),
    "not there: started again": (FIRST, (*KILLED, seen("absent")), AGAIN),
    "taken by somebody: left to them": (FIRST, (*KILLED, seen("taken")), UNSETTLED),
    "what is left of it: the same": (FIRST, (*KILLED, seen("shut_down")), AGAIN),
    "and it runs": (FIRST, (*KILLED, seen("absent"), seen("running")), STAYED),
    "and it does not": (FIRST, (*KILLED, seen("absent"), seen("absent")), UNSETTLED),
    "it had not shut down": (FIRST, (*KILLED, seen("running")), STAYED),
    "not there though it was never asked": (FIRST, (CONNECTED, HEADER, EXITED, seen("absent")), UNSETTLED),
    "xl is gone after the request for the commit": (FIRST, (*GATE, PERMISSION, EXITED), ["record xl_exited"]),
    "it runs there": (FIRST, (*GATE, PERMISSION, RUNS, EXITED_0, seen("absent")), ["record ended", "end: moved"]),
    "it was given back": (FIRST, (*GATE, PERMISSION, RETURNED, EXITED, seen("absent")), AGAIN),
    "somebody has started it there: not started here": (FIRST, (*ASKED, COMPLETE, RUNS), THERE),
    "it was not asked yet: it runs on": (
        FIRST,
        (CONNECTED, HEADER, RUNS),
        ["record abort", "send failed", "stop saving", "close xl"],
    ),
    "the same at the gate": (FIRST, (*GATE, RUNS), THERE),
    "and whoever settles gets it": (FIRST, (*ASKED, COMPLETE, RUNS, EXITED, seen("absent")), UNSETTLED),
    "it is started here already": (FIRST, (*ASKED, FAILED, RUNS), ["record unsettled"]),
    "the tasks at the gate are not undone": (
        HELD,
        (*GATE, PERMISSION, TASKS_STARTED, EXITED, seen("absent")),
        UNSETTLED,
    ),
    "what starts it again takes too long": (FIRST, LATE, ["note xl_killed", "kill xl"]),
    "and makes it: left to whoever settles": (FIRST, (*LATE, XL_STAYS), ["note xl_left", *UNSETTLED]),
    "made while nothing has failed": (FIRST, (*ASKED, COMPLETE, XL_STAYS), []),
    "half made: it does not count as one that stays": (FIRST, (*KILLED, seen("half_made")), UNSETTLED),
    "the link is gone at the gate": (HELD, (*GATE, PERMISSION, EXPIRED, EXITED, seen("absent")), AGAIN),
}


@pytest.mark.parametrize(("first", "events", "expected"), COURSES.values(), ids=COURSES.keys())
def test_what_the_last_event_does(first: SourceState, events: tuple[Event, ...], expected: list[str]) -> None:
    """Each course ends with what is listed."""
    assert play(advance, first, *events)[1] == expected


def test_without_the_record_nobody_is_asked() -> None:
    """It is binding: where it does not come to the disk the decision is taken back."""
    state = play(advance, FIRST, CONNECTED, HEADER)[0]
    (record, *dummy) = advance(state, COPY_MADE)[1]
    assert isinstance(record, Journal) and record.binding and record.durable


@pytest.mark.parametrize(
    ("steps", "restartable"),
    [
        ((), False),
        (("shutting_down",), True),
        (("shutting_down", "commit_requested"), True),
        (("shutting_down", "resume"), True),
        (("shutting_down", "commit_requested", "destroy"), False),
        (("shutting_down", "commit_requested", "reported_running"), False),
        # Whoever was to watch for it afterwards was killed.
        (("shutting_down", "ended by source"), True),
        (("shutting_down", "settled by destination"), False),
        (("shutting_down", "ended by unsettled"), True),
        (("shutting_down", "ended by source", "late_shutdown by down"), True),
        (("shutting_down", "ended by source", "late_shutdown by blind"), True),
        (("shutting_down", "ended by source", "late_shutdown by dismissed"), True),
        (("shutting_down", "ended by source", "late_shutdown by quiet"), False),
        (("shutting_down", "ended by source", "late_shutdown by started"), False),
        (("shutting_down", "ended by source", "settled by source"), False),
        (("shutting_down", "ended by source", "late_shutdown by down", "settled by source"), False),
    ],
)
def test_how_long_a_domain_that_is_not_there_can_be_started_again(steps: tuple[str, ...], restartable: bool) -> None:
    """Until it is on record that it runs somewhere, or is given up."""
    words = [step.partition(" by ") for step in steps]
    records = [{"step": step, "details": {"owner": word, "end": word}} for step, dummy, word in words]
    assert read_history(records).restartable is restartable


@pytest.mark.parametrize(
    ("steps", "seen_down"),
    [
        (("shutting_down",), False),
        (("shutting_down", "transferred"), True),
        (("shutting_down", "transferred", "ended by unsettled"), True),
        (("shutting_down", "transferred", "ended by source"), False),
        (("shutting_down", "transferred", "ended by source", "late_shutdown by blind"), False),
        (("shutting_down", "ended by source", "late_shutdown by down"), True),
    ],
)
def test_one_that_was_started_again_is_seen_down_only_anew(steps: tuple[str, ...], seen_down: bool) -> None:
    """Whoever has destroyed or moved it since it ran again did not have it shut down."""
    words = [step.partition(" by ") for step in steps]
    records = [{"step": step, "details": {"owner": word, "end": word}} for step, dummy, word in words]
    assert read_history(records).seen_down is seen_down
