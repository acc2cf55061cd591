# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate that the controller holds: who may open it, and what must be undone before the source may go on."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source import advance
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.gate import gate
from ansible_collections.dom0.xen.plugins.module_utils._session.process import control
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Event, Owner, Phase
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.deciding.course import (
    AWAY,
    BROKEN,
    CANCELLED,
    COMPLETE,
    CONNECTED,
    EXITED,
    EXPIRED,
    FAILED,
    FINAL_ROUND,
    HEADER,
    NAME,
    PERMISSION,
    PERMIT,
    READY,
    RETURNED,
    STALLED,
    STREAMING,
    SUSPENDING,
    TASKS_STARTED,
    UNCLEAR,
    UNDO_STARTED,
    UNDONE,
    play,
    seen,
)

FIRST = SourceState(NAME, gate_held=True)
GATE: tuple[Event, ...] = (CONNECTED, HEADER, STREAMING, SUSPENDING, FINAL_ROUND, COMPLETE, READY)
HELD = (*GATE, PERMISSION)
STARTED = (*HELD, TASKS_STARTED)
WAITS = (*STARTED, FAILED)
AGAINST = words.Permit(BROKEN)

COURSES: dict[str, tuple[tuple[Event, ...], list[str]]] = {
    "held": (HELD, ["record permission_held"]),
    "permitted": ((*HELD, PERMIT), ["record commit_requested", "send commit"]),
    "permitted twice": ((*HELD, PERMIT, PERMIT), []),
    "permitted too early": ((*GATE, PERMIT), []),
    "evidence speaks against it": ((*HELD, AGAINST), ["record abort", "record refused", "tell xl: it failed there"]),
    "refused": ((*HELD, FAILED), ["record abort", "record refused", "tell xl: it failed there"]),
    "permitted after a refusal": ((*HELD, FAILED, PERMIT), []),
    "link expires": ((*HELD, EXPIRED), ["record refused", "tell xl: it failed there"]),
    # It is the controller that is waited for, which has a limit of its own.
    "stalls while it is held": ((*HELD, STALLED), []),
    "stalls after the tasks": ((*STARTED, STALLED), []),
    "stalls while they are undone": ((*WAITS, UNDO_STARTED, STALLED), []),
    "stalls before that": ((*GATE, STALLED), ["record abort", "record refused", "tell xl: it failed there"]),
    "stalls when they are undone": ((*WAITS, UNDONE, STALLED), ["note xl_killed", "kill xl"]),
    "stalls when it was given back after the commit": (
        (*STARTED, PERMIT, RETURNED, UNDONE, STALLED),
        ["note xl_killed", "kill xl"],
    ),
    "tasks started": (STARTED, ["record gate_tasks_started"]),
    # The answer was lost, and the controller asks again.
    "tasks started twice": ((*STARTED, TASKS_STARTED), ["record gate_tasks_started"]),
    "tasks started too early": ((*GATE, TASKS_STARTED), []),
    "tasks started after a refusal": ((*HELD, FAILED, TASKS_STARTED), []),
    "permitted after the tasks": ((*STARTED, PERMIT), ["record commit_requested", "send commit"]),
    # From here on the source must not run the domain before they are undone, whatever happens.
    "refused after the tasks": (WAITS, ["record waits_for_undo"]),
    "cancelled after the tasks": ((*STARTED, CANCELLED), ["record waits_for_undo"]),
    "link expires after the tasks": ((*STARTED, EXPIRED), ["record waits_for_undo"]),
    "given back after the tasks": ((*STARTED, RETURNED), ["record waits_for_undo"]),
    "again": ((*WAITS, EXPIRED), []),
    "undone": (
        (*WAITS, UNDONE),
        ["record gate_undone", "record abort", "record refused", "tell xl: it failed there"],
    ),
    "undoing": ((*WAITS, UNDO_STARTED), ["record gate_undo_started"]),
    "undoing twice": ((*WAITS, UNDO_STARTED, UNDO_STARTED), []),
    "undoing what was not begun": ((*HELD, UNDO_STARTED), []),
    "undoing before it is refused": ((*STARTED, UNDO_STARTED), ["record gate_undo_started"]),
    "undoing behind the permission": ((*STARTED, PERMIT, UNDO_STARTED), []),
    "permitted while it is undone": ((*WAITS, UNDO_STARTED, PERMIT), []),
    "started again while it is undone": ((*STARTED, UNDO_STARTED, TASKS_STARTED), []),
    "undone after that": (
        (*WAITS, UNDO_STARTED, UNDONE),
        ["record gate_undone", "record abort", "record refused", "tell xl: it failed there"],
    ),
    "undone twice": ((*WAITS, UNDONE, UNDONE), []),
    "undone, and given back": (
        (*STARTED, RETURNED, UNDONE),
        ["record gate_undone", "record reported_returned", "tell xl: it failed there"],
    ),
    "undone, and the link is gone": ((*WAITS, UNDONE, EXPIRED), []),
    "undone, then permitted": ((*STARTED, UNDONE, PERMIT), []),
    "undone, and started again": (
        (*STARTED, UNDONE, TASKS_STARTED, PERMIT),
        ["record commit_requested", "send commit"],
    ),
    # After the commit only the destination's word gives the domain back, and then the tasks count again.
    "given back after the commit": ((*STARTED, PERMIT, RETURNED), ["record waits_for_undo"]),
    "the link expires after the commit": ((*STARTED, PERMIT, EXPIRED), []),
    "an unclear word after that": ((*STARTED, PERMIT, RETURNED, UNCLEAR), []),
    "undone after the commit": (
        (*STARTED, PERMIT, RETURNED, UNDONE),
        ["record gate_undone", "record reported_returned", "tell xl: it failed there"],
    ),
    "undone before it is known": ((*STARTED, PERMIT, UNDONE), []),
    "nothing to undo": ((*HELD, UNDONE), []),
    # The controller may come late: the guest stands still either way, and nothing has been done that cannot be gone on.
    "permitted after all": ((*WAITS, PERMIT), ["record commit_requested", "send commit"]),
    "permitted after it was given back": ((*STARTED, RETURNED, PERMIT), []),
    "xl is killed": ((*STARTED, EXITED), ["record abort", "look"]),
    "xl is killed while it waits": ((*WAITS, EXITED), ["record xl_exited", "look"]),
    "and nobody resumes it": ((*WAITS, EXITED, seen("suspended", AWAY)), ["record ended", "end: unsettled"]),
}


@pytest.mark.parametrize(("events", "does"), COURSES.values(), ids=COURSES)
def test_course(events: tuple[Event, ...], does: list[str]) -> None:
    """What the last event makes the source do."""
    assert play(advance, FIRST, *events)[1] == does


@pytest.mark.parametrize(
    ("events", "phase", "owner"),
    [
        (HELD, Phase.GATE, Owner.SOURCE),
        (STARTED, Phase.GATE, Owner.SOURCE),
        (WAITS, Phase.GATE, Owner.UNSETTLED),
        ((*WAITS, UNDONE), Phase.FINISHING, Owner.SOURCE),
        ((*WAITS, PERMIT), Phase.COMMITTED, Owner.UNSETTLED),
        ((*WAITS, UNDONE, RETURNED), Phase.FINISHING, Owner.SOURCE),
    ],
)
def test_phase_and_owner(events: tuple[Event, ...], phase: Phase, owner: Owner) -> None:
    """While tasks wait to be undone nobody owns the domain for certain."""
    state = play(advance, FIRST, *events)[0]
    assert (state.phase, state.owner) == (phase, owner)


def test_the_cause_survives_the_undoing() -> None:
    """What made the gate fail is what is told at the end."""
    failure = play(advance, FIRST, *WAITS, UNDONE, RETURNED)[0].failure
    assert failure is BROKEN


def test_the_engine_does_not_wait() -> None:
    """Without a gate held by the controller its words mean nothing, and the permission is used at once."""
    state, does = play(advance, SourceState(NAME), *HELD)
    assert does == ["record commit_requested", "send commit"]
    assert play(advance, state, TASKS_STARTED)[1] == []


@pytest.mark.parametrize(
    ("events", "command"),
    [
        (HELD, control.GATE_START),
        (STARTED, control.PERMIT),
        (HELD, control.REFUSE),
        (WAITS, control.UNDO_START),
        ((*WAITS, UNDO_STARTED), control.UNDONE),
    ],
)
def test_a_word_that_is_said_again_is_taken_again(events: tuple[Event, ...], command: str) -> None:
    """Whoever has not got the answer says it once more, and must not be told that the word came too late."""
    state = play(advance, FIRST, *events)[0]
    for dummy in range(2):
        said = gate.event({"command": command}, state, True, lambda: None)
        assert said is not None
        state = play(advance, state, said)[0]
        assert gate.obeyed(command, state)


@pytest.mark.parametrize("events", [GATE[:3], GATE, (*STARTED, PERMIT), (*HELD, FAILED)])
def test_the_disks_are_not_looked_at_for_a_word_that_comes_at_the_wrong_time(events: tuple[Event, ...]) -> None:
    """They are seen at rest once and for all: seen so while the guest writes, what is on its way at the gate would not
    be waited for, and could be written over what the guest writes at the destination.
    """
    looks: list[str] = []

    def look() -> None:
        looks.append("look")

    request = {"command": control.PERMIT}
    state = play(advance, FIRST, *events)[0]
    assert gate.event(request, state, True, look) == words.Permit()
    assert looks == []
    assert gate.event(request, play(advance, FIRST, *STARTED)[0], True, look) == words.Permit()
    assert looks == ["look"]


def test_who_cancels_while_the_guest_stands_still_is_not_told_that_it_runs() -> None:
    """It runs again when what the tasks at the gate have done is undone, and not before."""
    state = play(advance, FIRST, *STARTED, CANCELLED)[0]
    assert state.must_undo and state.owner is Owner.UNSETTLED
    assert state.failure is not None and "run dom0.xen.settle for it" in state.failure.remedy
