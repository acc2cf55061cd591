# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The destination's half: what it does in the ordinary course, and after each failure at each point."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.destination import advance
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.destination_state import DestinationState
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import Journal, WriteXl
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Event, Owner, Phase
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.deciding.course import (
    BAR,
    BROKEN,
    CANCELLED,
    COMMIT,
    COMPLETE,
    CONNECTED,
    EXITED,
    EXITED_0,
    EXPIRED,
    FAILED,
    HAND_OVER,
    HEADER,
    INCOMING,
    NAME,
    PEER_FAILED,
    READY,
    RUNS,
    STREAMING,
    XL_STAYS,
    play,
    seen,
)

FIRST = DestinationState(NAME)
MAKES = DestinationState(NAME, makes=True)
# What the receiver knows when xl has ended: it looks at the copy itself afterwards.
DROPPED = words.Reported(words.Report(6, give_back=True))
SILENT = words.Reported(words.Report(6))
COPYING: tuple[Event, ...] = (CONNECTED, HEADER, STREAMING)
SENT = (*COPYING, COMPLETE)
GATE = (*SENT, READY)
COMMITTED = (*GATE, COMMIT)

COURSES: dict[str, tuple[tuple[Event, ...], list[str]]] = {
    "admitted": ((CONNECTED,), ["note admitted"]),
    "header": ((CONNECTED, HEADER), ["note domain_authorised"]),
    "whole stream": (SENT, ["note transferred"]),
    "ready": (GATE, ["note ready", "send ready"]),
    "commit": (COMMITTED, ["record commit", "tell xl: permission"]),
    "runs": ((*COMMITTED, RUNS), ["record running", "report 0, kept, not gone"]),
    "xl ends": ((*COMMITTED, RUNS, EXITED_0), ["record xl_exited", "close xl", "look"]),
    "moved": ((*COMMITTED, RUNS, EXITED_0, seen("running")), ["record ended", "end: moved"]),
    "ended at once": ((*COMMITTED, RUNS, EXITED_0, seen("absent")), ["record ended", "end: moved"]),
    # Before ready: xl drops what it has when its input ends.
    "nobody comes": ((FAILED,), ["record abort", "send failed", "close xl"]),
    "another domain": ((CONNECTED, FAILED), ["record abort", "send failed", "close xl"]),
    "fails while receiving": ((*COPYING, FAILED), ["record abort", "send failed", "close xl"]),
    "peer fails while receiving": ((*COPYING, PEER_FAILED), ["record abort", "close xl"]),
    "link expires while receiving": ((*COPYING, EXPIRED), ["record abort", "close xl"]),
    "link expires when the stream is here": ((*COPYING, COMPLETE, EXPIRED), []),
    "fails twice": ((*COPYING, FAILED, CANCELLED), []),
    "xl ends while receiving": ((*COPYING, EXITED), ["record xl_exited", "close xl", "send failed", "look"]),
    "stayed": ((*COPYING, FAILED, EXITED, seen("absent")), ["record ended", "end: stayed"]),
    "copy left while receiving": (
        (*COPYING, EXITED, seen("paused", INCOMING)),
        ["record destroy_copy", "destroy", "look"],
    ),
    "copy destroyed": (
        (*COPYING, EXITED, seen("paused", INCOMING), seen("absent")),
        ["record ended", "end: stayed"],
    ),
    "copy cannot be destroyed": (
        (*COPYING, EXITED, seen("paused", INCOMING), seen("paused", INCOMING)),
        ["record ended", "report None, kept, not gone", "end: unsettled"],
    ),
    "fails after xl ended": ((*COPYING, EXITED, FAILED), []),
    "ready too early": ((*COPYING, READY), ["record abort", "send failed", "close xl"]),
    "ready after a failure": ((*SENT, FAILED, READY), []),
    # At the gate: the report, when it is known, is the answer.
    "cancelled at the gate": ((*GATE, CANCELLED), ["record abort", "close xl"]),
    "peer cancels at the gate": ((*GATE, PEER_FAILED), ["record abort", "close xl"]),
    # A complete copy may be the last one: a link that is down says nothing about the source.
    "link expires at the gate": ((*GATE, EXPIRED), []),
    "handed over": ((*GATE, EXPIRED, HAND_OVER), ["record handed_over", "kill xl"]),
    "commit after that": ((*GATE, HAND_OVER, COMMIT), []),
    "left as it is": ((*GATE, HAND_OVER, EXITED), ["record ended", "end: unsettled"]),
    "handed over too late": ((*GATE, COMMIT, HAND_OVER), []),
    "handed over too early": ((*COPYING, HAND_OVER), []),
    # Barred: what settles has seen that the source's process is gone, and resumes the source's copy first.
    "barred": ((*GATE, BAR), ["note barred"]),
    "barred twice": ((*GATE, BAR, BAR), []),
    "barred while receiving": ((*COPYING, BAR), ["note barred"]),
    "ready after that": ((*SENT, BAR, READY), ["note ready", "send ready"]),
    "commit when barred": ((*GATE, BAR, COMMIT), ["report 255, given back, gone"]),
    "link expires when barred": ((*GATE, BAR, EXPIRED), []),
    "cancelled when barred": ((*GATE, BAR, CANCELLED), ["record abort", "close xl"]),
    "handed over when barred": ((*GATE, BAR, HAND_OVER), ["record handed_over", "kill xl"]),
    "barred too late": ((*COMMITTED, BAR), []),
    "barred after a failure": ((*GATE, CANCELLED, BAR), []),
    "xl gives it back": ((*GATE, CANCELLED, DROPPED), ["record not_started"]),
    "given back": (
        (*GATE, CANCELLED, DROPPED, EXITED_0, seen("absent")),
        ["record ended", "report 6, given back, gone", "end: stayed"],
    ),
    "xl has no words for it": (
        (*GATE, CANCELLED, SILENT, EXITED, seen("absent")),
        ["record ended", "report 6, given back, gone", "end: stayed"],
    ),
    "xl says nothing": (
        (*GATE, CANCELLED, EXITED, seen("absent")),
        ["record ended", "report 255, given back, gone", "end: stayed"],
    ),
    "xl killed at the gate": ((*GATE, EXITED), ["record xl_exited", "close xl", "look"]),
    # It may be the last one, and can never run without somebody who settles: the source need not wait for its end.
    "complete copy left": (
        (*GATE, EXITED, seen("paused", INCOMING)),
        ["record ended", "report 255, given back, gone", "end: unsettled"],
    ),
    "commit after a cancel": ((*GATE, CANCELLED, COMMIT), []),
    "commit for an xl that is gone": ((*GATE, EXITED, COMMIT), []),
    "commit before ready": ((*SENT, COMMIT), []),
    "started by hand": (
        (*GATE, EXITED, seen("running", INCOMING)),
        ["record ended", "report 0, kept, not gone", "end: unsettled"],
    ),
    "started by hand, and xl says so": (
        (*GATE, RUNS, EXITED_0, seen("running")),
        ["record ended", "report 0, kept, not gone", "end: unsettled"],
    ),
    # After the commit.
    "commit again": ((*COMMITTED, COMMIT), []),
    "cancelled after the commit": ((*COMMITTED, CANCELLED), []),
    "failed after the commit": ((*COMMITTED, FAILED), []),
    "peer failed after the commit": ((*COMMITTED, PEER_FAILED), []),
    "link expires after the commit": ((*COMMITTED, EXPIRED), []),
    "not started": ((*COMMITTED, DROPPED), ["record not_started"]),
    "not started, gone": (
        (*COMMITTED, DROPPED, EXITED_0, seen("absent")),
        ["record ended", "report 6, given back, gone", "end: stayed"],
    ),
    "not started, gone, without the last words": (
        (*COMMITTED, SILENT, EXITED, seen("absent")),
        ["record ended", "report 6, given back, gone", "end: stayed"],
    ),
    "not started, copy left": (
        (*COMMITTED, SILENT, EXITED, seen("paused")),
        ["record ended", "report 6, kept, not gone", "end: unsettled"],
    ),
    "not started, and nobody can look": (
        (*COMMITTED, DROPPED, EXITED_0, seen("unknown")),
        ["record ended", "report 6, kept, not gone", "end: unsettled"],
    ),
    "not a word, and no copy": (
        (*COMMITTED, EXITED, seen("absent")),
        ["record ended", "report None, kept, gone", "end: unsettled"],
    ),
    "not a word, and a paused copy": (
        (*COMMITTED, EXITED, seen("paused", INCOMING)),
        ["record ended", "report None, kept, not gone", "end: unsettled"],
    ),
    "not a word, and it runs": (
        (*COMMITTED, EXITED, seen("running")),
        ["record ended", "record running", "report 0, kept, not gone", "end: moved"],
    ),
    "not a word, and it has ended": (
        (*COMMITTED, EXITED, seen("shut_down")),
        ["record ended", "report None, kept, not gone", "end: unsettled"],
    ),
    "said it failed, and runs": (
        (*COMMITTED, SILENT, EXITED, seen("running")),
        ["record ended", "report 6, kept, not gone", "end: unsettled"],
    ),
    "after the end": ((*COMMITTED, RUNS, EXITED_0, seen("running"), FAILED), []),
}


# The domain is made here from its file, and is nowhere meanwhile.
MADE: dict[str, tuple[tuple[Event, ...], list[str]]] = {
    "refused: the source waits for a look": ((CONNECTED, FAILED), ["record abort", "close xl"]),
    "not made: looked at first": ((*SENT, EXITED), ["record xl_exited", "close xl", "look"]),
    "not made, and nothing is here": (
        (*SENT, EXITED, seen("absent")),
        ["record ended", "send failed", "end: stayed"],
    ),
    "not made, and somebody has started it": (
        (*SENT, EXITED, seen("running")),
        ["record ended", "report 0, kept, not gone", "end: unsettled"],
    ),
    # An xl create is not ended half way: whoever settles waits for it.
    "it is given up, and is still being made": ((*SENT, PEER_FAILED, XL_STAYS), ["note xl_left", "look"]),
    "in the making, and nothing is here yet": (
        (*SENT, PEER_FAILED, XL_STAYS, seen("absent")),
        ["record ended", "report None, kept, not gone", "end: unsettled"],
    ),
    "half made": (
        (*SENT, FAILED, XL_STAYS, seen("paused", INCOMING)),
        ["record ended", "report None, kept, not gone", "end: unsettled"],
    ),
    "in the making, and somebody has started it": (
        (*SENT, FAILED, XL_STAYS, seen("running")),
        ["record ended", "report 0, kept, not gone", "end: unsettled"],
    ),
    "made after the commit it is waited for": ((*COMMITTED, XL_STAYS), []),
    "made while nothing has failed": ((*SENT, XL_STAYS), []),
    "the source has given up": ((*SENT, PEER_FAILED, EXITED, seen("absent")), ["record ended", "end: stayed"]),
    "ready, and nothing is here": (
        (*GATE, CANCELLED, EXITED, seen("absent")),
        ["record ended", "report 255, given back, gone", "end: stayed"],
    ),
}


@pytest.mark.parametrize(("events", "expected"), MADE.values(), ids=MADE.keys())
def test_what_the_last_event_does_where_the_domain_is_made(events: tuple[Event, ...], expected: list[str]) -> None:
    """The source starts it again when it hears of a failure: not while somebody has it running here."""
    assert play(advance, MAKES, *events)[1] == expected


@pytest.mark.parametrize(("events", "does"), COURSES.values(), ids=COURSES)
def test_course(events: tuple[Event, ...], does: list[str]) -> None:
    """What the last event makes the destination do."""
    assert play(advance, FIRST, *events)[1] == does


@pytest.mark.parametrize(
    ("events", "phase", "owner"),
    [
        ((), Phase.STARTING, Owner.SOURCE),
        (COPYING, Phase.STREAMING, Owner.SOURCE),
        (GATE, Phase.GATE, Owner.SOURCE),
        (COMMITTED, Phase.COMMITTED, Owner.UNSETTLED),
        ((*COMMITTED, RUNS), Phase.FINISHING, Owner.DESTINATION),
        ((*COMMITTED, DROPPED, EXITED_0), Phase.COMMITTED, Owner.UNSETTLED),
        ((*COMMITTED, DROPPED, EXITED_0, seen("absent")), Phase.ENDED, Owner.SOURCE),
        ((*COMMITTED, EXITED, seen("running")), Phase.ENDED, Owner.DESTINATION),
        ((*COMMITTED, EXITED, seen("absent")), Phase.ENDED, Owner.UNSETTLED),
        ((*GATE, EXITED, seen("running")), Phase.ENDED, Owner.UNSETTLED),
        ((*GATE, CANCELLED, EXITED, seen("absent")), Phase.ENDED, Owner.SOURCE),
    ],
)
def test_phase_and_owner(events: tuple[Event, ...], phase: Phase, owner: Owner) -> None:
    """From the commit on only what xl says, and what is seen, tells whose the domain is."""
    state = play(advance, FIRST, *events)[0]
    assert (state.phase, state.owner) == (phase, owner)


@pytest.mark.parametrize("order", list(itertools.permutations((CANCELLED, EXPIRED, FAILED, PEER_FAILED, COMMIT))))
def test_nothing_undoes_a_commit(order: tuple[Event, ...]) -> None:
    """After the commit no deadline, cancel or failure does anything, in whatever order."""
    state = play(advance, FIRST, *COMMITTED)[0]
    for event in order:
        assert advance(state, event) == (state, ())


def test_commit_is_on_record_before_the_permission_is_given() -> None:
    """The record comes first, and is one that is waited for."""
    actions = advance(play(advance, FIRST, *GATE)[0], COMMIT)[1]
    record = actions[0]
    assert isinstance(record, Journal) and record.durable and record.step == "commit"
    assert isinstance(actions[1], WriteXl) and len(actions) == 2


@pytest.mark.parametrize("name", [name for name in COURSES if "commit" not in name])
def test_nothing_is_destroyed_after_a_commit(name: str) -> None:
    """No course that holds a commit ever destroys the copy."""
    events = COURSES[name][0]
    for length in range(1, len(events) + 1):
        state, does = play(advance, FIRST, *events[:length])
        assert not (state.committed and "destroy" in does)


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ((*COPYING, CANCELLED), "cancelled"),
        ((*GATE, EXITED, seen("running")), "runs_without_permission"),
        ((*COMMITTED, SILENT, EXITED, seen("paused")), "destination_copy_left"),
    ],
)
def test_own_failures_say_what_to_do(events: tuple[Event, ...], code: str) -> None:
    """Each failure that this half finds itself has a remedy."""
    failure = play(advance, FIRST, *events)[0].failure
    assert failure is not None and failure.code == code and failure.remedy


def test_first_cause_is_told() -> None:
    """What went wrong first is the error; xl's end that followed from it is none."""
    state = play(advance, FIRST, *COPYING, FAILED, words.XlExited(1, words.Failure("xl", "ended")), seen("absent"))[0]
    assert state.failure == BROKEN
    assert play(advance, FIRST, *COMMITTED, RUNS, EXITED_0, seen("running"))[0].failure is None
