# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source's half of a session as a pure state machine (private to the collection).

Who may run the domain is decided here and in :mod:`destination`, nowhere else. The rules:

* the commit request is on this host's disk before it leaves; from then on nothing but the destination's report
  answers ``xl``, whatever time passes;
* ``xl`` is told "it runs there" only on a report with status 0, and "it failed there" only when the destination's
  copy is known to be gone, or when the commit request never left and never will;
* before the commit request every failure ends with the domain running here.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.dom0.xen.plugins.module_utils._records import MIGRATED_AWAY
from ansible_collections.dom0.xen.plugins.module_utils._session import messages, words
from ansible_collections.dom0.xen.plugins.module_utils._session.words import (
    Actions,
    CopyState,
    EndState,
    Failure,
    Journal,
    Observe,
    Owner,
    Phase,
    Report,
    Send,
)
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import (
    READY,
    failure_answer,
    status_meaning,
    success_answer,
)

# What a report of failure carries when the destination never got the permission: libxl's generic error, ERROR_FAIL.
REFUSED_STATUS = 3

CANCELLED = Failure(
    "cancelled", "the migration was cancelled", remedy="Nothing needs to be done; the domain runs on the source."
)


@dataclass(frozen=True)
class SourceState:
    """Everything the source's half decides by."""

    name: str
    phase: Phase = Phase.STARTING
    owner: Owner = Owner.SOURCE
    xl_runs: bool = False
    ready_given: bool = False
    permission_held: bool = False
    commit_left: bool = False
    answered: bool = False
    report: Report | None = None
    failure: Failure | None = None
    tidied: bool = False
    end_state: EndState | None = None

    @property
    def permission_given(self) -> bool:
        """Whether the destination is known to have had the permission."""
        return self.report is not None and self.report.status is not None and self.commit_left


def advance(state: SourceState, event: words.Event) -> tuple[SourceState, Actions]:
    """Return the state after ``event`` and what must be done, in order."""
    if state.phase is Phase.ENDED:
        return state, ()
    handler = _HANDLERS.get(type(event))
    return handler(state, event) if handler is not None else (state, ())


def _connected(state: SourceState, event: words.Connected) -> tuple[SourceState, Actions]:
    if state.phase is not Phase.STARTING or state.failure is not None:
        return state, ()
    return replace(state, phase=Phase.ADMITTED, xl_runs=True), (Journal("admitted", durable=False), words.StartXl())


def _header(state: SourceState, event: words.HeaderAccepted) -> tuple[SourceState, Actions]:
    return _forward(state, Phase.CONFIGURATION), ()


def _reached(state: SourceState, event: words.Reached) -> tuple[SourceState, Actions]:
    return _forward(state, event.phase), ()


def _stream_ended(state: SourceState, event: words.StreamEnded) -> tuple[SourceState, Actions]:
    return _forward(state, Phase.TRANSFERRED), (Journal("transferred", durable=False),)


def _ready(state: SourceState, event: words.Ready) -> tuple[SourceState, Actions]:
    if state.failure is not None or state.ready_given:
        return state, ()
    if state.phase is not Phase.TRANSFERRED:
        return _fail(state, Failure("protocol", "the destination said ready before the stream was complete"))
    return replace(state, phase=Phase.GATE, ready_given=True), (words.WriteXl(READY), Journal("ready", durable=False))


def _permission(state: SourceState, event: words.Permission) -> tuple[SourceState, Actions]:
    held = replace(state, permission_held=True)
    if state.failure is not None or not state.ready_given or state.commit_left:
        return held, (Journal("permission_held"),)
    if event.evidence is not None:
        return _fail(held, event.evidence)
    return (
        replace(held, phase=Phase.COMMITTED, owner=Owner.UNSETTLED, commit_left=True),
        (Journal("commit_requested"), Send(messages.COMMIT)),
    )


def _reported(state: SourceState, event: words.Reported) -> tuple[SourceState, Actions]:
    report = event.report
    if state.report is not None:
        return state, ()
    known = replace(state, report=report)
    if report.runs and state.commit_left:
        return _settle(
            replace(known, owner=Owner.DESTINATION, phase=Phase.FINISHING), "reported_running", success_answer()
        )
    if report.returned and state.ready_given:
        failure = state.failure or _startup_failure(report)
        status = report.status or REFUSED_STATUS
        return _settle(
            replace(known, owner=Owner.SOURCE, phase=Phase.FINISHING, failure=failure),
            "reported_returned",
            failure_answer(status),
        )
    if not state.commit_left and not (report.runs and state.ready_given):
        # It never had the permission and never will: what has become of its copy decides nothing here.
        if state.ready_given and not state.answered:
            return _refuse(replace(state, failure=state.failure or _startup_failure(report)))
        return _fail(state, _startup_failure(report))
    if report.runs:
        alarm = Failure(
            "runs_without_permission",
            "the destination runs the domain, and it never had the permission",
            remedy="Somebody started the copy by hand. Look at both hosts; the domain must run on exactly one of them.",
        )
        return replace(known, owner=Owner.UNSETTLED, failure=alarm), (Journal("unsettled"),)
    unsettled = Failure(
        "unsettled",
        f"the destination had the permission, and cannot say that its copy is gone (status {report.status})",
        remedy="Look at both hosts; the domain must be started on exactly one of them.",
    )
    return replace(known, owner=Owner.UNSETTLED, failure=unsettled), (Journal("unsettled"),)


def _settle(state: SourceState, step: str, answer: bytes) -> tuple[SourceState, Actions]:
    journal = Journal(step, {"status": state.report.status if state.report else None})
    if state.xl_runs:
        return replace(state, answered=True), (journal, words.WriteXl(answer))
    return state, (journal, Observe())


def _failed(state: SourceState, event: words.Failed) -> tuple[SourceState, Actions]:
    return _fail(state, event.failure, tell=not event.by_peer)


def _link_expired(state: SourceState, event: words.LinkExpired) -> tuple[SourceState, Actions]:
    if state.ready_given and not state.commit_left and not state.answered and state.report is None:
        # The commit request never left and, once "refused" is on the disk, never will: the destination cannot run it.
        return _refuse(replace(state, failure=state.failure or event.failure))
    return _fail(state, event.failure)


def _cancel(state: SourceState, event: words.CancelAsked) -> tuple[SourceState, Actions]:
    return _fail(state, CANCELLED)


def _fail(state: SourceState, failure: Failure, tell: bool = True) -> tuple[SourceState, Actions]:
    if state.commit_left or state.failure is not None:
        return state, ()
    failing = replace(state, failure=failure)
    actions: list[words.Action] = [Journal("abort", {"code": failure.code, "msg": failure.msg})]
    if tell:
        actions.append(Send(messages.failed(failure, "sender")))
    if not state.xl_runs:
        actions.append(Observe())
    elif state.ready_given:
        # xl may hold its permission ready: only the destination's word, or the certainty that it never gets the commit
        # request, may answer it. Telling the peer makes it report.
        if not tell:
            return _refuse(failing, actions)
    else:
        if state.phase.order <= Phase.STREAMING.order:
            actions.append(words.StopSaving())
        # Where the helper must not be disturbed any more, xl comes to wait for "ready" and finds the end of its input
        # instead: it then resumes the domain.
        actions.append(words.CloseXl())
    return failing, tuple(actions)


def _refuse(state: SourceState, before: t.Sequence[words.Action] = ()) -> tuple[SourceState, Actions]:
    report = Report(REFUSED_STATUS)
    refused = replace(state, report=report, owner=Owner.SOURCE, phase=Phase.FINISHING, answered=True)
    return refused, (*before, Journal("refused"), words.WriteXl(failure_answer(REFUSED_STATUS)))


def _xl_exited(state: SourceState, event: words.XlExited) -> tuple[SourceState, Actions]:
    gone = replace(state, xl_runs=False)
    if state.commit_left and state.report is None:
        return gone, (Journal("xl_exited", {"code": event.code}),)
    if state.failure is not None or state.report is not None:
        return gone, (Journal("xl_exited", {"code": event.code}), Observe())
    failing = replace(gone, failure=event.failure)
    return failing, (
        Journal("abort", {"code": event.failure.code, "msg": event.failure.msg}),
        Send(messages.failed(event.failure, "sender")),
        Observe(),
    )


def _observed(state: SourceState, event: words.Observed) -> tuple[SourceState, Actions]:
    copy = event.copy
    if state.owner is Owner.DESTINATION:
        if copy.state is CopyState.ABSENT:
            return _end(state, EndState.MOVED)
        if copy.state is CopyState.RUNNING:
            return _end(_twice(state, copy), EndState.UNSETTLED)
        if not state.tidied and copy.name == migrated_away(state.name):
            return replace(state, tidied=True), (
                Journal("destroy_source", {"domid": copy.domid}),
                words.DestroyCopy(),
                Observe(),
            )
        failure = Failure(
            "source_copy_left",
            f"the domain runs at the destination, but its copy here (domid {copy.domid}, {copy.state.value}) is left",
            remedy="Look at the copy with xl list -v, and destroy it by its domid; never unpause it.",
        )
        return _end(replace(state, failure=failure), EndState.MOVED)
    if copy.state in (CopyState.RUNNING, CopyState.PAUSED) and state.owner is Owner.SOURCE:
        if copy.name == migrated_away(state.name) and not state.tidied:
            return replace(state, tidied=True), (Journal("rename_back"), words.RenameBack(), Observe())
        return _end(state, EndState.STAYED)
    return _end(_unsettled(state, copy), EndState.UNSETTLED)


def _twice(state: SourceState, copy: words.Copy) -> SourceState:
    text = f"the domain runs at the destination and, with domid {copy.domid}, here"
    remedy = "Pause both copies at once, then decide which one counts; the other must be destroyed."
    return replace(state, owner=Owner.UNSETTLED, failure=Failure("running_twice", text, remedy=remedy))


def _unsettled(state: SourceState, copy: words.Copy) -> SourceState:
    cause = f" ({state.failure.msg})" if state.failure is not None else ""
    failure = Failure(
        "source_not_running",
        f"the migration failed{cause}, and the source's copy is {copy.state.value}",
        remedy="Look at both hosts by UUID before anything is started, resumed or destroyed.",
    )
    return replace(state, owner=Owner.UNSETTLED, failure=failure)


def _end(state: SourceState, end_state: EndState) -> tuple[SourceState, Actions]:
    ended = replace(state, phase=Phase.ENDED, end_state=end_state)
    return ended, (Journal("ended", {"end_state": end_state.value, "owner": state.owner.value}), words.End(end_state))


def _forward(state: SourceState, phase: Phase) -> SourceState:
    return replace(state, phase=phase) if phase.order > state.phase.order else state


def _startup_failure(report: Report) -> Failure:
    return Failure(
        "destination_start_failed",
        "the destination could not start the domain and gave it back "
        f"(status {report.status}: {status_meaning(report.status or 0)})",
        remedy="The last lines of the destination's xl say why.",
        side="receiver",
    )


def migrated_away(name: str) -> str:
    """Return the name of a source copy whose domain has been sent (tools/xl/xl_migrate.c migrate_domain)."""
    return name + MIGRATED_AWAY


_HANDLERS: dict[type, t.Callable[[SourceState, t.Any], tuple[SourceState, Actions]]] = {
    words.Connected: _connected,
    words.HeaderAccepted: _header,
    words.Reached: _reached,
    words.StreamEnded: _stream_ended,
    words.Ready: _ready,
    words.Permission: _permission,
    words.Reported: _reported,
    words.Failed: _failed,
    words.LinkExpired: _link_expired,
    words.CancelAsked: _cancel,
    words.XlExited: _xl_exited,
    words.Observed: _observed,
}
