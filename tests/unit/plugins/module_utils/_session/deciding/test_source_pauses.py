# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source of the method ``suspend``: its guest stands still by a pause, which somebody has to take away again."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source import advance
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import Journal
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Event
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.deciding.course import (
    AWAY,
    COMPLETE,
    CONNECTED,
    COPY_MADE,
    EXITED,
    FAILED,
    HEADER,
    NAME,
    PERMISSION,
    READY,
    SUSPENDING,
    TASKS_STARTED,
    UNDONE,
    play,
    seen,
)

FIRST = SourceState(NAME, gate_held=True, pauses=True)
BEGUN: tuple[Event, ...] = (CONNECTED, HEADER)
GATE = (*BEGUN, COPY_MADE, SUSPENDING, COMPLETE, READY)
STARTED = (*GATE, PERMISSION, TASKS_STARTED)
KILLED = (*GATE, PERMISSION, EXITED)
STAYED = ["record ended", "send failed", "end: stayed"]
UNSETTLED = ["record ended", "end: unsettled"]
ASKED = ["note suspending", "tell xl: its domain is made"]

COURSES: dict[str, tuple[tuple[Event, ...], list[str]]] = {
    "the destination has its domain": ((*BEGUN, COPY_MADE), ASKED),
    "too late": ((*BEGUN, FAILED, COPY_MADE), []),
    # Somebody else's request to shut the guest down has come first, and looks like ours.
    "after another's request": ((*BEGUN, SUSPENDING, COPY_MADE), ASKED),
    "and says so again": ((*BEGUN, COPY_MADE, SUSPENDING, COPY_MADE), []),
    "xl is killed": (KILLED, ["record abort", "look"]),
    "paused under its other name": ((*KILLED, seen("paused", AWAY)), ["record rename_back", "rename back", "look"]),
    "paused under its own": ((*KILLED, seen("paused")), ["record go_on", "go on", "look"]),
    "and it runs": ((*KILLED, seen("paused"), seen("running")), STAYED),
    "and it stays paused": ((*KILLED, seen("paused"), seen("paused")), UNSETTLED),
    "suspended as well": ((*KILLED, seen("suspended")), UNSETTLED),
    # Somebody has paused it, for whatever reason.
    "paused before that": ((*BEGUN, EXITED, seen("paused")), ["record ended", "end: stayed"]),
    "it was never paused": ((*BEGUN, COPY_MADE, EXITED, seen("running")), ["record ended", "end: stayed"]),
    # The storage may be elsewhere: nothing goes on before the tasks are undone, by whoever settles.
    "xl is killed after the tasks": ((*STARTED, EXITED, seen("paused", AWAY)), UNSETTLED),
    "undone before that": (
        (*STARTED, UNDONE, EXITED, seen("paused", AWAY)),
        ["record rename_back", "rename back", "look"],
    ),
}


@pytest.mark.parametrize(("events", "expected"), COURSES.values(), ids=COURSES.keys())
def test_what_the_last_event_does(events: tuple[Event, ...], expected: list[str]) -> None:
    """Each course ends with what is listed."""
    assert play(advance, FIRST, *events)[1] == expected


def test_it_may_stand_still_before_its_suspend_is_seen() -> None:
    """So what is waited for is bounded as if it did, from the record on."""
    assert not play(advance, FIRST, *BEGUN)[0].stands_still
    assert play(advance, FIRST, *BEGUN, COPY_MADE)[0].stands_still


def test_without_the_record_nobody_pauses_it() -> None:
    """It is binding: where it cannot be written the decision is taken back."""
    (record, *dummy) = advance(play(advance, FIRST, *BEGUN)[0], COPY_MADE)[1]
    assert isinstance(record, Journal) and record.binding


def test_xl_migrate_is_told_nothing_of_that() -> None:
    """It would take it for the word that comes next."""
    assert play(advance, SourceState(NAME), CONNECTED, HEADER, COPY_MADE)[1] == []
