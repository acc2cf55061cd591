# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source's half: what it does in the ordinary course, and after each failure at each point."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source import advance
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState, migrated_away
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import Journal, Send
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import EndState, Event, Owner, Phase
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.deciding.course import (
    AWAY,
    BROKEN,
    CANCELLED,
    COMPLETE,
    CONNECTED,
    EXITED,
    EXITED_0,
    EXPIRED,
    FAILED,
    FINAL_ROUND,
    HEADER,
    NAME,
    PEER_FAILED,
    PERMISSION,
    READY,
    RETURNED,
    RUNS,
    STALLED,
    STREAMING,
    SUSPENDING,
    UNCLEAR,
    play,
    seen,
)

FIRST = SourceState(NAME)
AGAINST = words.Permission(words.Failure("gate_name", "the source's copy is called something else"))
COPYING: tuple[Event, ...] = (CONNECTED, HEADER, STREAMING)
SENT = (*COPYING, SUSPENDING, FINAL_ROUND, COMPLETE)
GATE = (*SENT, READY)
ASKED = (*GATE, PERMISSION)

# Events so far, and what the last one makes the machine do.
COURSES: dict[str, tuple[tuple[Event, ...], list[str]]] = {
    "admitted": ((CONNECTED,), ["note admitted", "start xl"]),
    "header": ((CONNECTED, HEADER), []),
    "stream complete": (SENT, ["note transferred"]),
    "ready": (GATE, ["tell xl: ready", "note ready"]),
    "permission": (ASKED, ["record commit_requested", "send commit"]),
    "runs there": ((*ASKED, RUNS), ["record reported_running", "tell xl: it runs there"]),
    "xl ends": ((*ASKED, RUNS, EXITED_0), ["record xl_exited", "look"]),
    "moved": ((*ASKED, RUNS, EXITED_0, seen("absent")), ["record ended", "end: moved"]),
    # Before xl runs.
    "no link": ((FAILED,), ["record abort", "send failed", "look"]),
    "no link, stayed": ((FAILED, seen("running")), ["record ended", "end: stayed"]),
    "connected too late": ((FAILED, CONNECTED), []),
    # While memory flows: the helper is stopped, and the guest never paused.
    "fails while copying": ((*COPYING, FAILED), ["record abort", "send failed", "stop saving", "close xl"]),
    "peer fails while copying": ((*COPYING, PEER_FAILED), ["record abort", "stop saving", "close xl"]),
    "cancelled while copying": ((*COPYING, CANCELLED), ["record abort", "send failed", "stop saving", "close xl"]),
    "link expires while copying": ((*COPYING, EXPIRED), ["record abort", "send failed", "stop saving", "close xl"]),
    "xl ends while copying": ((*COPYING, EXITED), ["record abort", "send failed", "look"]),
    "stayed": ((*COPYING, EXITED, seen("running")), ["record ended", "end: stayed"]),
    "fails twice": ((*COPYING, FAILED, CANCELLED), []),
    # Once the guest is asked to suspend the helper is left alone; xl finds no ready and resumes it.
    "fails while suspending": ((*COPYING, SUSPENDING, FAILED), ["record abort", "close xl"]),
    "fails in the final round": ((*COPYING, SUSPENDING, FINAL_ROUND, EXPIRED), ["record abort", "close xl"]),
    "fails in the final round, resumed": (
        (*COPYING, SUSPENDING, FINAL_ROUND, EXPIRED, EXITED, seen("running")),
        ["record ended", "send failed", "end: stayed"],
    ),
    "fails before ready": ((*SENT, PEER_FAILED), ["record abort", "close xl"]),
    "ready after a failure": ((*SENT, FAILED, READY), []),
    "ready too early": ((*COPYING, READY), ["record abort", "send failed", "stop saving", "close xl"]),
    # Nothing moves though the link is up: a guest that stands still does not wait for ever.
    "stalls while copying": ((*COPYING, STALLED), ["record abort", "send failed", "stop saving", "close xl"]),
    "stalls while suspending": ((*COPYING, SUSPENDING, STALLED), ["record abort", "close xl"]),
    "stalls before ready": ((*SENT, STALLED), ["record abort", "close xl"]),
    "stalls before ready, resumed": (
        (*SENT, STALLED, EXITED, seen("running")),
        ["record ended", "send failed", "end: stayed"],
    ),
    "stalls before the permission": ((*GATE, STALLED), ["record abort", "record refused", "tell xl: it failed there"]),
    "permission after that": ((*GATE, STALLED, PERMISSION), ["record permission_held"]),
    # Nor for an xl that does not give up: without it whoever settles can resume the guest.
    "xl does not end": ((*SENT, FAILED, STALLED), ["note xl_killed", "kill xl"]),
    "xl does not end while copying": ((*COPYING, FAILED, STALLED), ["note xl_killed", "kill xl"]),
    "xl does not end after a refusal": ((*GATE, STALLED, STALLED), ["note xl_killed", "kill xl"]),
    "xl cannot be killed": ((*GATE, STALLED, STALLED, STALLED), []),
    "xl killed, not resumed": (
        (*GATE, STALLED, STALLED, EXITED, seen("suspended", AWAY)),
        ["record ended", "end: unsettled"],
    ),
    # At the gate: the commit request never left, so xl is answered at once. The destination's complete copy is given up
    # only when this one has proven good.
    "cancelled at the gate": ((*GATE, CANCELLED), ["record abort", "record refused", "tell xl: it failed there"]),
    "returned": ((*GATE, CANCELLED, RETURNED), []),
    "permission after a cancel": ((*GATE, CANCELLED, PERMISSION), ["record permission_held"]),
    "copy left at the gate": ((*GATE, CANCELLED, UNCLEAR), []),
    "link expires at the gate": ((*GATE, EXPIRED), ["record refused", "tell xl: it failed there"]),
    "link expires after a cancel": ((*GATE, CANCELLED, EXPIRED), []),
    "permission after a refusal": ((*GATE, EXPIRED, PERMISSION), ["record permission_held"]),
    "report after a refusal": ((*GATE, EXPIRED, RETURNED), []),
    "expires again": ((*GATE, EXPIRED, EXPIRED), []),
    "peer fails at the gate": ((*GATE, PEER_FAILED), ["record abort", "record refused", "tell xl: it failed there"]),
    "evidence speaks against it": ((*GATE, AGAINST), ["record abort", "record refused", "tell xl: it failed there"]),
    "cancelled at the gate, resumed": (
        (*GATE, CANCELLED, EXITED, seen("running")),
        ["record ended", "send failed", "end: stayed"],
    ),
    "cancelled at the gate, not resumed": (
        (*GATE, CANCELLED, EXITED, seen("suspended", AWAY)),
        ["record ended", "end: unsettled"],
    ),
    "peer fails at the gate, resumed": (
        (*GATE, PEER_FAILED, EXITED, seen("running")),
        ["record ended", "end: stayed"],
    ),
    "xl ends at the gate": ((*GATE, EXITED), ["record abort", "look"]),
    "xl ends at the gate, resumed": (
        (*GATE, EXITED, seen("running")),
        ["record ended", "send failed", "end: stayed"],
    ),
    "destination gives up at the gate": ((*GATE, RETURNED), ["record reported_returned", "tell xl: it failed there"]),
    "resumed by xl": (
        (*GATE, EXPIRED, EXITED, seen("running")),
        ["record ended", "send failed", "end: stayed"],
    ),
    "resumed under the wrong name": (
        (*GATE, EXPIRED, EXITED, seen("running", AWAY)),
        ["record rename_back", "rename back", "look"],
    ),
    "not to be renamed": (
        (*GATE, EXPIRED, EXITED, seen("running", AWAY), seen("running", AWAY)),
        ["record ended", "send failed", "end: stayed"],
    ),
    "not resumed": ((*GATE, EXPIRED, EXITED, seen("suspended", AWAY)), ["record ended", "end: unsettled"]),
    "xl killed at the gate": ((*GATE, EXITED, seen("suspended", AWAY)), ["record ended", "end: unsettled"]),
    "it runs there without permission": ((*GATE, RUNS), ["record unsettled"]),
    "and the link expires": ((*GATE, RUNS, EXPIRED), []),
    "and xl resumes it here": ((*GATE, RUNS, EXITED, seen("running")), ["record ended", "end: unsettled"]),
    # After the commit request.
    "cancelled after the request": ((*ASKED, CANCELLED), []),
    "failed after the request": ((*ASKED, FAILED), []),
    "peer failed after the request": ((*ASKED, PEER_FAILED), []),
    "link expires after the request": ((*ASKED, EXPIRED), []),
    "stalls after the request": ((*ASKED, STALLED), []),
    # It was told that the domain goes on here, and nothing can run it there any more.
    "stalls when it was given back": ((*ASKED, RETURNED, STALLED), ["note xl_killed", "kill xl"]),
    "given back, and killed": ((*ASKED, RETURNED, STALLED, EXITED), ["record xl_exited", "look"]),
    "stalls when it runs there": ((*ASKED, RUNS, STALLED), []),
    "stalls when it runs there unasked": ((*GATE, RUNS, STALLED), []),
    "xl ends after the request": ((*ASKED, EXITED), ["record xl_exited"]),
    "given back": ((*ASKED, RETURNED), ["record reported_returned", "tell xl: it failed there"]),
    "copy not seen gone": ((*ASKED, UNCLEAR), ["record unsettled"]),
    "and nothing more": ((*ASKED, UNCLEAR, EXPIRED), []),
    "xl was gone, runs there": ((*ASKED, EXITED, RUNS), ["record reported_running", "look"]),
    "its copy is left": (
        (*ASKED, EXITED, RUNS, seen("suspended", AWAY)),
        ["record destroy_source", "destroy", "look"],
    ),
    "its copy is gone": (
        (*ASKED, EXITED, RUNS, seen("suspended", AWAY), seen("absent")),
        ["record ended", "end: moved"],
    ),
    "its copy stays": (
        (*ASKED, EXITED, RUNS, seen("suspended", AWAY), seen("suspended", AWAY)),
        ["record ended", "end: unsettled"],
    ),
    "a copy of another name": ((*ASKED, EXITED, RUNS, seen("suspended")), ["record ended", "end: unsettled"]),
    "both run": ((*ASKED, RUNS, EXITED_0, seen("running", AWAY)), ["record ended", "end: unsettled"]),
    "xl was gone, given back": ((*ASKED, EXITED, RETURNED), ["record reported_returned", "look"]),
    "nobody to resume it": (
        (*ASKED, EXITED, RETURNED, seen("suspended", AWAY)),
        ["record ended", "end: unsettled"],
    ),
    # What settling found out later counts where the destination's own word was unclear.
    "and it has been seen gone": (
        (*ASKED, UNCLEAR, RETURNED),
        ["record reported_returned", "tell xl: it failed there"],
    ),
    "and it has been seen running": ((*ASKED, UNCLEAR, RUNS), ["record reported_running", "tell xl: it runs there"]),
    "settled twice": ((*ASKED, UNCLEAR, RUNS, RETURNED), []),
    "after the end": ((*ASKED, RUNS, EXITED_0, seen("absent"), FAILED), []),
}


@pytest.mark.parametrize(("events", "does"), COURSES.values(), ids=COURSES)
def test_course(events: tuple[Event, ...], does: list[str]) -> None:
    """What the last event makes the source do."""
    assert play(advance, FIRST, *events)[1] == does


@pytest.mark.parametrize(
    ("events", "phase", "owner"),
    [
        ((), Phase.STARTING, Owner.SOURCE),
        ((CONNECTED,), Phase.ADMITTED, Owner.SOURCE),
        (COPYING, Phase.STREAMING, Owner.SOURCE),
        (SENT, Phase.TRANSFERRED, Owner.SOURCE),
        (GATE, Phase.GATE, Owner.SOURCE),
        (ASKED, Phase.COMMITTED, Owner.UNSETTLED),
        ((*ASKED, EXPIRED, CANCELLED), Phase.COMMITTED, Owner.UNSETTLED),
        ((*ASKED, RUNS), Phase.FINISHING, Owner.DESTINATION),
        ((*ASKED, RETURNED), Phase.FINISHING, Owner.SOURCE),
        ((*ASKED, UNCLEAR), Phase.COMMITTED, Owner.UNSETTLED),
        ((*GATE, EXPIRED), Phase.FINISHING, Owner.SOURCE),
        ((*GATE, RUNS), Phase.GATE, Owner.UNSETTLED),
    ],
)
def test_phase_and_owner(events: tuple[Event, ...], phase: Phase, owner: Owner) -> None:
    """The destination owns the domain on its own word only, and between request and report nobody does."""
    state = play(advance, FIRST, *events)[0]
    assert (state.phase, state.owner) == (phase, owner)


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ((*ASKED, RETURNED), "destination_start_failed"),
        ((*GATE, CANCELLED, RETURNED), "cancelled"),
        ((*GATE, EXPIRED), BROKEN.code),
        ((*GATE, AGAINST, RETURNED), "gate_name"),
        ((*ASKED, UNCLEAR), "unsettled"),
        ((*ASKED, RUNS), None),
        ((*ASKED, RUNS, EXITED_0, seen("suspended", AWAY), seen("suspended", AWAY)), "source_copy_left"),
        ((*ASKED, RUNS, EXITED_0, seen("running", AWAY)), "running_twice"),
        ((*GATE, EXPIRED, EXITED, seen("suspended", AWAY)), "source_not_running"),
        ((*GATE, RUNS), "runs_without_permission"),
        ((*COPYING, PEER_FAILED, EXITED, seen("running")), BROKEN.code),
        ((*COPYING, READY), "protocol"),
    ],
)
def test_the_first_cause_is_told(events: tuple[Event, ...], code: str | None) -> None:
    """What went wrong first is the error, unless something worse is left for a human; each says what to do."""
    failure = play(advance, FIRST, *events)[0].failure
    assert (failure.code if failure is not None else None) == code
    assert failure is None or failure is BROKEN or code == "gate_name" or failure.remedy


def test_a_guest_that_crashes_while_it_is_copied_is_told_in_words() -> None:
    """A program's name for a state is no message."""
    failure = play(advance, FIRST, *COPYING, PEER_FAILED, EXITED, seen("shut_down"))[0].failure
    assert failure is not None and failure.code == "source_not_running"
    assert failure.msg.endswith("the source's copy has shut down, or crashed")


def test_permission_that_was_given() -> None:
    """It counts as given once the destination has said what became of it, after a commit request."""
    assert not play(advance, FIRST, *ASKED)[0].permission_given
    assert play(advance, FIRST, *ASKED, RUNS)[0].permission_given
    assert not play(advance, FIRST, *GATE, EXPIRED)[0].permission_given


@pytest.mark.parametrize("order", list(itertools.permutations((CANCELLED, EXPIRED, STALLED, FAILED))))
def test_nothing_undoes_a_request(order: tuple[Event, ...]) -> None:
    """After the commit request no deadline, cancel or failure does anything, in whatever order and however often."""
    state = play(advance, FIRST, *ASKED)[0]
    for event in (*order, *order):
        assert advance(state, event) == (state, ())


def test_request_is_on_record_before_it_leaves() -> None:
    """The record comes first, and is one that is waited for."""
    actions = advance(play(advance, FIRST, *GATE)[0], PERMISSION)[1]
    record = actions[0]
    assert isinstance(record, Journal) and record.durable and record.step == "commit_requested"
    assert isinstance(actions[1], Send) and len(actions) == 2


def test_answers_are_on_record_before_they_are_given() -> None:
    """So that whoever settles later knows what xl was told."""
    for events in ((*ASKED, RUNS), (*ASKED, RETURNED), (*GATE, EXPIRED)):
        actions = play(advance, FIRST, *events)[1]
        assert actions[0].startswith("record ") and actions[-1].startswith("tell xl: ")


def test_names_of_sent_copies() -> None:
    """As tools/xl/xl_migrate.c names them."""
    assert migrated_away("guest") == "guest--migratedaway"
    assert play(advance, FIRST, *ASKED, RUNS, EXITED_0, seen("absent"))[0].end_state is EndState.MOVED
