# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source's half of a session as a pure state machine (private to the collection).

Who may run the domain is decided here and in :mod:`destination`, nowhere else. The rules:

* the commit request is on this host's disk before it leaves; from then on nothing but the destination's report
  answers ``xl``, whatever time passes;
* ``xl`` is told "it runs there" only on a report with status 0, and "it failed there" only when the destination's
  copy is known to be gone, or when the commit request never left and never will;
* an ``xl`` that was told that the domain goes on here, and does not end, is ended by force when nothing has moved for
  long enough, also after the commit request where the destination has given the domain back;
* before the commit request every failure ends with the domain running here, and a guest that stands still waits for
  both ``xl`` only so long; after it time decides nothing;
* a guest is asked to shut down for the move only when that is on this host's disk: from then on nothing but the record
  says that it is to be started again;
* what makes a domain, to start it again, is not ended half way for being late: settling waits for it;
* a guest is paused for the move only when that is on record: nothing else tells this pause from anybody's;
* a guest that is not there and is not known to have shut down is somebody else's: it is not started again;
* what the caller's tasks at the gate have begun must be undone before the domain runs here again, whether it was never
  asked for or has been given back, because they may have taken the storage away from this host.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_outcome import observed, xl_stays
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures, messages, words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import (
    Action,
    Actions,
    CloseXl,
    Journal,
    KillXl,
    Observe,
    Send,
    StartXl,
    StopSaving,
    WriteXl,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure, Owner, Phase, Report
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import READY, failure_answer, success_answer

# What a report of failure carries when the destination never got the permission: libxl's generic error, ERROR_FAIL.
REFUSED_STATUS = 3

# Failures that only say that the outcome is not known.
_UNCLEAR = ("unsettled", failures.RUNS_UNASKED.code)


def advance(state: SourceState, event: words.Event) -> tuple[SourceState, Actions]:
    """Return the state after ``event`` and what must be done, in order."""
    if state.phase is Phase.ENDED:
        return state, ()
    handler = _HANDLERS.get(type(event))
    return handler(state, event) if handler is not None else (state, ())


def _connected(state: SourceState, event: words.Connected) -> tuple[SourceState, Actions]:
    if state.phase is not Phase.STARTING or state.failure is not None:
        return state, ()
    return replace(state, phase=Phase.ADMITTED, xl_runs=True), (Journal("admitted", durable=False), StartXl())


def _header(state: SourceState, event: words.HeaderAccepted) -> tuple[SourceState, Actions]:
    return _forward(state, Phase.CONFIGURATION), ()


def _reached(state: SourceState, event: words.Reached) -> tuple[SourceState, Actions]:
    return _forward(state, event.phase), ()


def _stream_ended(state: SourceState, event: words.StreamEnded) -> tuple[SourceState, Actions]:
    return _forward(state, Phase.TRANSFERRED), (Journal("transferred", durable=False),)


def _copy_made(state: SourceState, event: words.CopyMade) -> tuple[SourceState, Actions]:
    # Only who stops the guest for the whole transfer waits for it; xl migrate would take it for "ready". It waits
    # whatever the phase is: another's request to the guest, to shut down, looks like ours.
    waits = state.pauses or state.shuts_down
    if not waits or state.failure is not None or state.copy_told:
        return state, ()
    known, tell = replace(state, copy_told=True), WriteXl(messages.COPY_MADE_TEXT)
    if not state.shuts_down:
        # A power loss takes the pause away too.
        return known, (Journal("suspending", durable=False, binding=True), tell)
    return _forward(known, Phase.SUSPENDING), (Journal("shutting_down", binding=True), tell)


def _ready(state: SourceState, event: words.Ready) -> tuple[SourceState, Actions]:
    if state.failure is not None or state.ready_given:
        return state, ()
    if state.phase is not Phase.TRANSFERRED:
        return _fail(state, failures.ready_too_early("the destination"))
    return replace(state, phase=Phase.GATE, ready_given=True), (WriteXl(READY), Journal("ready", durable=False))


def _permission(state: SourceState, event: words.Permission) -> tuple[SourceState, Actions]:
    held = replace(state, permission_held=True)
    record = Journal("permission_held", {"gate": state.gate})
    if state.failure is not None or not state.ready_given or state.commit_left:
        return held, (record,)
    if event.evidence is not None:
        return _fail(held, event.evidence)
    return (held, (record,)) if state.gate_held else _ask(held)


def _ask(state: SourceState) -> tuple[SourceState, Actions]:
    asked = replace(state, phase=Phase.COMMITTED, owner=Owner.UNSETTLED, commit_left=True, failure=None)
    return asked, (Journal("commit_requested", binding=True), Send(messages.COMMIT))


def _tasks_started(state: SourceState, event: words.GateTasksStarted) -> tuple[SourceState, Actions]:
    half_undone = state.undo_started and not state.tasks_undone
    if not state.at_the_gate or state.failure is not None or half_undone:
        return state, ()
    started = replace(state, tasks_started=True, undo_started=False, tasks_undone=False)
    return started, (Journal("gate_tasks_started", binding=True),)


def _permit(state: SourceState, event: words.Permit) -> tuple[SourceState, Actions]:
    # What waits for the tasks to be undone has not answered xl, and has told the destination nothing.
    waits = state.failure is None or state.must_undo
    undoing = state.undo_started or state.tasks_undone
    if not state.at_the_gate or not waits or undoing or state.report is not None:
        return state, ()
    return _ask(state) if event.evidence is None else _fail(replace(state, failure=None), event.evidence)


def _undo_started(state: SourceState, event: words.GateUndoStarted) -> tuple[SourceState, Actions]:
    if not state.must_undo or state.undo_started:
        return state, ()
    return replace(state, undo_started=True), (Journal("gate_undo_started", binding=True),)


def _undone(state: SourceState, event: words.GateUndone) -> tuple[SourceState, Actions]:
    if not state.must_undo:
        return state, ()
    # Without the record it waits on: that it had been waiting is what shows that its guest stood still.
    undone, record = replace(state, tasks_undone=True), Journal("gate_undone", binding=True)
    if state.failure is None:
        return undone, (record,)
    again = replace(undone, failure=None, owner=Owner.SOURCE, report=None)
    after, actions = _reported(again, words.Reported(state.report)) if state.report else _fail(again, state.failure)
    return after, (record, *actions)


def _reported(state: SourceState, event: words.Reported) -> tuple[SourceState, Actions]:
    report = event.report
    before = state.report
    if before is not None and (before.returned or state.answered or state.owner is not Owner.UNSETTLED):
        return state, ()
    if state.failure is not None and state.failure.code in _UNCLEAR:
        # Whoever settles has looked at both hosts and knows more now.
        state = replace(state, failure=None)
    known = replace(state, report=report)
    if known.must_undo and not report.runs:
        return _wait_for_undo(known, state.failure or failures.not_started(report))
    if report.runs and state.commit_left:
        return _settle(
            replace(known, owner=Owner.DESTINATION, phase=Phase.FINISHING), "reported_running", success_answer()
        )
    if report.returned and state.ready_given:
        failure = state.failure or failures.not_started(report)
        status = report.status or REFUSED_STATUS
        return _settle(
            replace(known, owner=Owner.SOURCE, phase=Phase.FINISHING, failure=failure),
            "reported_returned",
            failure_answer(status),
        )
    if not state.commit_left and not (report.runs and (state.ready_given or state.down_asked)):
        # It never had the permission and never will: what has become of its copy decides nothing here.
        if state.ready_given and not state.answered:
            return _refuse(replace(state, failure=state.failure or failures.not_started(report)))
        return _fail(state, failures.RUNS_UNASKED if report.runs else failures.not_started(report))
    if report.runs:
        # What stands for xl starts a guest again that was shut down, where the migration is given up.
        stops = (KillXl(making=True),) if state.down_asked and state.xl_runs and state.failure is None else ()
        alarm = replace(known, owner=Owner.UNSETTLED, failure=failures.RUNS_UNASKED)
        return alarm, (Journal("unsettled"), *stops)
    return replace(known, owner=Owner.UNSETTLED, failure=failures.unclear(report)), (Journal("unsettled"),)


def _settle(state: SourceState, step: str, answer: bytes) -> tuple[SourceState, Actions]:
    journal = Journal(step, {"status": state.report.status if state.report else None})
    if state.xl_runs:
        return replace(state, answered=True), (journal, WriteXl(answer))
    return state, (journal, Observe())


def _failed(state: SourceState, event: words.Failed) -> tuple[SourceState, Actions]:
    return _fail(state, event.failure, tell=not event.by_peer)


def _link_expired(state: SourceState, event: words.LinkExpired) -> tuple[SourceState, Actions]:
    if state.must_undo:
        return _fail(state, event.failure)
    if state.ready_given and not state.commit_left and not state.answered and state.report is None:
        # The commit request never left and, once "refused" is on the disk, never will: the destination cannot run it.
        return _refuse(replace(state, failure=state.failure or event.failure, peer_untold=True))
    return _fail(state, event.failure)


def _stalled(state: SourceState, event: words.Stalled) -> tuple[SourceState, Actions]:
    if state.gives_up_in_vain:
        return replace(state, xl_killed=True), (Journal("xl_killed", durable=False), KillXl())
    # Where the controller has the word, it has a limit of its own.
    return (state, ()) if state.at_the_gate else _fail(state, event.failure)


def _cancel(state: SourceState, event: words.CancelAsked) -> tuple[SourceState, Actions]:
    return _fail(state, failures.CANCELLED)


def _fail(state: SourceState, failure: Failure, tell: bool = True) -> tuple[SourceState, Actions]:
    if state.commit_left or state.failure is not None:
        return state, ()
    if state.must_undo:
        return _wait_for_undo(state, failure)
    failing = replace(state, failure=failure, peer_untold=tell and not _flows(state))
    actions: list[Action] = [Journal("abort", {"code": failure.code, "msg": failure.msg})]
    if tell and _flows(state):
        actions.append(Send(messages.failed(failure, "sender")))
    if not state.xl_runs:
        actions.append(Observe())
    elif state.ready_given:
        return _refuse(failing, actions)
    else:
        if _flows(state):
            actions.append(StopSaving())
        # Where the helper must not be disturbed any more, xl comes to wait for "ready" and finds the end of its input
        # instead: it then resumes the domain.
        actions.append(CloseXl())
    return failing, tuple(actions)


def _flows(state: SourceState) -> bool:
    """Whether the guest still runs. From then on the destination's copy may be complete, and is given up only when the
    source's has proven good: the destination is told at the end.
    """
    return state.phase.order <= Phase.STREAMING.order


def _wait_for_undo(state: SourceState, failure: Failure) -> tuple[SourceState, Actions]:
    waiting = replace(state, failure=failure, owner=Owner.UNSETTLED)
    return waiting, (Journal("waits_for_undo", {"code": failure.code, "msg": failure.msg}),)


def _refuse(state: SourceState, before: t.Sequence[Action] = ()) -> tuple[SourceState, Actions]:
    report = Report(REFUSED_STATUS)
    refused = replace(state, report=report, owner=Owner.SOURCE, phase=Phase.FINISHING, answered=True)
    return refused, (*before, Journal("refused"), WriteXl(failure_answer(REFUSED_STATUS)))


def _xl_exited(state: SourceState, event: words.XlExited) -> tuple[SourceState, Actions]:
    gone = replace(state, xl_runs=False, failure=failures.killed(state.failure) if state.xl_killed else state.failure)
    if state.commit_left and state.report is None:
        return gone, (Journal("xl_exited", {"code": event.code}),)
    if state.must_undo and state.failure is not None:
        gone = replace(gone, peer_untold=True)
    if state.failure is not None or state.report is not None:
        return gone, (Journal("xl_exited", {"code": event.code}), Observe())
    # What the tasks at the gate have begun must be undone first: that is for whoever settles.
    owner = Owner.UNSETTLED if state.must_undo else state.owner
    failing = replace(gone, failure=event.failure, owner=owner, peer_untold=not _flows(state))
    abort = Journal("abort", {"code": event.failure.code, "msg": event.failure.msg})
    tell = (Send(messages.failed(event.failure, "sender")),) if _flows(state) else ()
    return failing, (abort, *tell, Observe())


def _forward(state: SourceState, phase: Phase) -> SourceState:
    return replace(state, phase=phase) if phase.order > state.phase.order else state


_HANDLERS: dict[type, t.Callable[[SourceState, t.Any], tuple[SourceState, Actions]]] = {
    words.Connected: _connected,
    words.HeaderAccepted: _header,
    words.Reached: _reached,
    words.StreamEnded: _stream_ended,
    words.CopyMade: _copy_made,
    words.Ready: _ready,
    words.Permission: _permission,
    words.GateTasksStarted: _tasks_started,
    words.Permit: _permit,
    words.GateUndoStarted: _undo_started,
    words.GateUndone: _undone,
    words.Reported: _reported,
    words.Failed: _failed,
    words.LinkExpired: _link_expired,
    words.Stalled: _stalled,
    words.CancelAsked: _cancel,
    words.XlExited: _xl_exited,
    words.XlStays: xl_stays,
    words.Observed: observed,
}
