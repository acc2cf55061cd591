# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The destination's half of a session as a pure state machine (private to the collection).

Who may run the domain is decided here and in :mod:`source`, nowhere else. The rules:

* the permission reaches ``xl`` only after the commit is on this host's disk, and only when the source's ``xl`` wrote
  it;
* after the commit there is only going forward: nothing but ``xl``'s own report says how it went;
* before the commit ``xl`` is made to give its copy up by closing what it reads, while its answers are still read,
  because it destroys its copy only if it can write them (tools/xl/xl_migrate.c migrate_receive);
* a copy whose whole stream is here is not given up because the link is down or ``xl`` died: the source may have lost
  its power, and then this is the last copy. Whoever settles bars the commit, which is then not taken any more, resumes
  the source's copy, and cancels this side; or takes the copy over;
* an ``xl create`` (method ``cold``) is not ended half way: where it does not end by itself, settling waits for it;
* a domain that is made here from its file (method ``cold``) is not there at the source meanwhile, and somebody may
  start it here by hand: so the source, which starts it again, is told of a failure only after a look.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.destination_state import DestinationState
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures, messages
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import (
    Action,
    Actions,
    CloseXl,
    DestroyCopy,
    End,
    Journal,
    KillXl,
    Observe,
    Send,
    WriteXl,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import (
    BarAsked,
    CancelAsked,
    CommitAsked,
    Connected,
    CopyState,
    EndState,
    Event,
    Failed,
    Failure,
    HandOverAsked,
    HeaderAccepted,
    LinkExpired,
    Observed,
    Owner,
    Phase,
    Reached,
    Ready,
    Report,
    Reported,
    StreamEnded,
    XlExited,
    XlStays,
)
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import PERMISSION

# What the source is told of a copy that never had the permission, and never will.
NEVER_RUNS = Report(255, give_back=True, copy_gone=True)


def advance(state: DestinationState, event: Event) -> tuple[DestinationState, Actions]:
    """Return the state after ``event`` and what must be done, in order."""
    if state.phase is Phase.ENDED:
        return state, ()
    handler = _HANDLERS.get(type(event))
    return handler(state, event) if handler is not None else (state, ())


def _connected(state: DestinationState, event: Connected) -> tuple[DestinationState, Actions]:
    return _forward(state, Phase.ADMITTED), (Journal("admitted", durable=False),)


def _header(state: DestinationState, event: HeaderAccepted) -> tuple[DestinationState, Actions]:
    return _forward(state, Phase.CONFIGURATION), (Journal("domain_authorised", durable=False),)


def _reached(state: DestinationState, event: Reached) -> tuple[DestinationState, Actions]:
    return _forward(state, event.phase), ()


def _stream_ended(state: DestinationState, event: StreamEnded) -> tuple[DestinationState, Actions]:
    return _forward(state, Phase.TRANSFERRED), (Journal("transferred", durable=False),)


def _ready(state: DestinationState, event: Ready) -> tuple[DestinationState, Actions]:
    if state.failure is not None or state.ready:
        return state, ()
    if state.phase is not Phase.TRANSFERRED:
        return _fail(state, failures.ready_too_early("xl"))
    # Who settles goes by this record: without it a complete copy would pass for half of one.
    record = Journal("ready", durable=False, binding=True)
    return replace(state, phase=Phase.GATE, ready=True), (record, Send(messages.READY))


def _commit(state: DestinationState, event: CommitAsked) -> tuple[DestinationState, Actions]:
    if state.committed:
        return state, ()
    if state.failure is not None or not state.ready or not state.xl_runs:
        # xl has been told to give up, or has; its report, sent when it is known, is the answer.
        return state, ()
    if state.barred:
        # The copy stays for whoever has barred it, and can never run: the source need not wait for that.
        return state, (Send(messages.report(NEVER_RUNS)),)
    committed = replace(state, phase=Phase.COMMITTED, owner=Owner.UNSETTLED, committed=True)
    return committed, (Journal("commit", binding=True), WriteXl(PERMISSION))


def _reported(state: DestinationState, event: Reported) -> tuple[DestinationState, Actions]:
    if event.report.runs and state.committed:
        running = replace(state, report=event.report, owner=Owner.DESTINATION, phase=Phase.FINISHING)
        return running, (Journal("running", {"status": 0}), Send(messages.report(event.report)))
    return replace(state, report=event.report), (
        Journal("not_started", {"status": event.report.status, "give_back": event.report.give_back}),
    )


def _failed(state: DestinationState, event: Failed) -> tuple[DestinationState, Actions]:
    if event.by_peer and not state.committed:
        # A sender that has failed has not asked for the commit, and never will.
        state = replace(state, peer_failed=True)
    return _fail(state, event.failure, tell=not event.by_peer)


def _link_expired(state: DestinationState, event: LinkExpired) -> tuple[DestinationState, Actions]:
    whole = state.phase.order >= Phase.TRANSFERRED.order
    return (state, ()) if whole else _fail(state, event.failure, tell=False)


def _hand_over(state: DestinationState, event: HandOverAsked) -> tuple[DestinationState, Actions]:
    if not state.ready or state.committed or state.failure is not None or not state.xl_runs:
        return state, ()
    over = replace(state, handed_over=True, owner=Owner.UNSETTLED, failure=failures.HANDED_OVER)
    return over, (Journal("handed_over"), KillXl())


def _bar(state: DestinationState, event: BarAsked) -> tuple[DestinationState, Actions]:
    if state.barred or state.committed or state.failure is not None or not state.xl_runs:
        return state, ()
    return replace(state, barred=True), (Journal("barred", durable=False),)


def _cancel(state: DestinationState, event: CancelAsked) -> tuple[DestinationState, Actions]:
    return _fail(state, failures.CANCELLED_THERE)


def _fail(state: DestinationState, failure: Failure, tell: bool = True) -> tuple[DestinationState, Actions]:
    if state.committed or state.failure is not None:
        return state, ()
    actions: list[Action] = [Journal("abort", {"code": failure.code, "msg": failure.msg})]
    if tell and not (state.ready or state.makes):
        actions.append(Send(messages.failed(failure, "receiver")))
    actions.append(CloseXl() if state.xl_runs else Observe())
    return replace(state, failure=failure), tuple(actions)


def _xl_exited(state: DestinationState, event: XlExited) -> tuple[DestinationState, Actions]:
    gone = replace(state, xl_runs=False)
    if state.handed_over:
        return _end(gone, EndState.UNSETTLED)
    # An xl that was killed leaves its helper, which holds on to the copy's memory until its input ends.
    actions: list[Action] = [Journal("xl_exited", {"code": event.code}), CloseXl()]
    if state.failure is None and state.report is None:
        # What has become of the source is not known, and this complete copy may be the last one.
        gone = replace(gone, failure=event.failure, kept=state.ready and not state.committed)
        if not (state.ready or state.makes):
            actions.append(Send(messages.failed(event.failure, "receiver")))
    return gone, (*actions, Observe())


def _xl_stays(state: DestinationState, event: XlStays) -> tuple[DestinationState, Actions]:
    if state.committed or state.failure is None or not state.xl_runs:
        return state, ()
    return replace(state, left=True), (Journal("xl_left", durable=False), Observe())


def _observed(state: DestinationState, event: Observed) -> tuple[DestinationState, Actions]:
    copy = event.copy
    if state.left and copy.state is not CopyState.RUNNING:
        # Whatever is there is in the making. It never has the permission.
        outcome = Report(None)
        stays = replace(state, failure=failures.xl_stays(state.failure), report=outcome, owner=Owner.UNSETTLED)
        return _end(stays, EndState.UNSETTLED, Send(messages.report(outcome)))
    if state.report is not None and state.report.runs and state.committed:
        return _end(state, EndState.MOVED)
    if copy.state is CopyState.ABSENT:
        return _gone(state)
    if copy.state is CopyState.RUNNING and not (state.committed and state.report is not None):
        return _runs_unreported(state)
    if state.kept:
        kept = replace(state, owner=Owner.UNSETTLED, report=NEVER_RUNS)
        return _end(kept, EndState.UNSETTLED, Send(messages.report(NEVER_RUNS)))
    if not state.committed and not state.destroyed:
        return replace(state, destroyed=True), (
            Journal("destroy_copy", {"domid": copy.domid}),
            DestroyCopy(),
            Observe(),
        )
    failure = Failure(
        "destination_copy_left",
        f"a copy is left at the destination (domid {copy.domid}, {copy.name}, {copy.state.value})",
        remedy="Look at both hosts by UUID; at most one copy may run.",
    )
    outcome = Report(state.report.status if state.report else None, give_back=False, copy_gone=False)
    left = replace(state, failure=state.failure or failure, report=outcome, owner=Owner.UNSETTLED)
    return _end(left, EndState.UNSETTLED, Send(messages.report(outcome)))


def _runs_unreported(state: DestinationState) -> tuple[DestinationState, Actions]:
    """The copy is seen running though ``xl`` ended without a word: it counts if it had the permission."""
    outcome = Report(0)
    seen = replace(state, report=outcome)
    if state.committed:
        seen = replace(seen, owner=Owner.DESTINATION, failure=None)
        return _end(seen, EndState.MOVED, Journal("running", {"status": None}), Send(messages.report(outcome)))
    failure = Failure(
        "runs_without_permission",
        "the copy at the destination runs, and it never had the permission",
        remedy="Somebody started it by hand. Look at both hosts; the domain must run on exactly one of them.",
    )
    seen = replace(seen, owner=Owner.UNSETTLED, failure=failure)
    return _end(seen, EndState.UNSETTLED, Send(messages.report(outcome)))


def _gone(state: DestinationState) -> tuple[DestinationState, Actions]:
    if state.committed and (state.report is None or not state.report.status):
        # xl ended after the permission without a word: the domain may have run here and ended.
        outcome = Report(state.report.status if state.report else None, False, True)
        lost = replace(state, owner=Owner.UNSETTLED, report=outcome)
        return _end(lost, EndState.UNSETTLED, Send(messages.report(outcome)))
    if state.report is not None:
        # Without the permission nothing can have run; with it, xl said that it could not start its copy, and the copy
        # is gone. Whether xl found the words to give the domain back changes nothing.
        outcome = replace(state.report, copy_gone=True, give_back=True)
        back = replace(state, owner=Owner.SOURCE, report=outcome)
        return _end(back, EndState.STAYED, Send(messages.report(outcome)))
    if state.ready:
        return _end(replace(state, report=NEVER_RUNS), EndState.STAYED, Send(messages.report(NEVER_RUNS)))
    if state.makes and state.failure is not None and not state.peer_failed:
        return _end(state, EndState.STAYED, Send(messages.failed(state.failure, "receiver")))
    return _end(state, EndState.STAYED)


def _end(state: DestinationState, end_state: EndState, *before: Action) -> tuple[DestinationState, Actions]:
    ended = replace(state, phase=Phase.ENDED, end_state=end_state)
    record = Journal("ended", {"end_state": end_state.value, "owner": state.owner.value})
    return ended, (record, *before, End(end_state))


def _forward(state: DestinationState, phase: Phase) -> DestinationState:
    return replace(state, phase=phase) if phase.order > state.phase.order else state


_HANDLERS: dict[type, t.Callable[[DestinationState, t.Any], tuple[DestinationState, Actions]]] = {
    Connected: _connected,
    HeaderAccepted: _header,
    Reached: _reached,
    StreamEnded: _stream_ended,
    Ready: _ready,
    CommitAsked: _commit,
    Reported: _reported,
    Failed: _failed,
    LinkExpired: _link_expired,
    HandOverAsked: _hand_over,
    BarAsked: _bar,
    CancelAsked: _cancel,
    XlExited: _xl_exited,
    XlStays: _xl_stays,
    Observed: _observed,
}
