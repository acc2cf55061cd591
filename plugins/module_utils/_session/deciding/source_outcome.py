# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a session ends at the source, by what is seen there after ``xl`` has ended (pure; private to the collection).

The last part of the machine in :mod:`source`.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState, migrated_away
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures, messages, words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import (
    Action,
    Actions,
    DestroyCopy,
    End,
    GoOn,
    Journal,
    Observe,
    RenameBack,
    Send,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import (
    CopyState,
    EndState,
    Failure,
    Owner,
    Phase,
)


def observed(state: SourceState, event: words.Observed) -> tuple[SourceState, Actions]:
    """Return how the session ends, or what is still to be done about the copy that was seen here."""
    copy = event.copy
    if state.owner is Owner.DESTINATION:
        if copy.state is CopyState.ABSENT:
            return _end(state, EndState.MOVED)
        if copy.state is CopyState.RUNNING:
            return _end(_twice(state, copy), EndState.UNSETTLED)
        if not state.tidied and copy.name == migrated_away(state.name):
            return replace(state, tidied=True), (
                Journal("destroy_source", {"domid": copy.domid}),
                DestroyCopy(),
                Observe(),
            )
        failure = Failure(
            "source_copy_left",
            f"the domain runs at the destination, but its copy here (domid {copy.domid}, {copy.state.value}) is left",
            remedy="Look at the copy with xl list -v, and destroy it by its domid; never unpause it.",
        )
        # Settling finds only what has no owner.
        return _end(replace(state, failure=failure, owner=Owner.UNSETTLED), EndState.UNSETTLED)
    if copy.state in (CopyState.RUNNING, CopyState.PAUSED) and state.owner is Owner.SOURCE:
        if copy.name == migrated_away(state.name) and not state.tidied:
            return replace(state, tidied=True), (Journal("rename_back"), RenameBack(), Observe())
        if copy.state is CopyState.PAUSED and state.pause_asked:
            if state.let_go:
                return _end(_unsettled(state, copy), EndState.UNSETTLED)
            return replace(state, let_go=True), (Journal("go_on"), GoOn(), Observe())
        if state.peer_untold and state.failure is not None:
            return _end(state, EndState.STAYED, Send(messages.failed(state.failure, "sender")))
        return _end(state, EndState.STAYED)
    down = copy.state in (CopyState.ABSENT, CopyState.SHUT_DOWN)
    if down and state.down_asked and state.owner is Owner.SOURCE and not state.let_go:
        return replace(state, let_go=True), (Journal("go_on"), GoOn(), Observe())
    if state.failure is not None and state.failure.code == failures.RUNS_UNASKED.code:
        return _end(state, EndState.UNSETTLED)
    return _end(_unsettled(state, copy), EndState.UNSETTLED)


def xl_stays(state: SourceState, event: words.XlStays) -> tuple[SourceState, Actions]:
    """Return the end of a session whose ``xl`` starts the domain again here: whoever settles waits for that."""
    if not (state.xl_killed and state.xl_runs) or state.owner is not Owner.SOURCE:
        return state, ()
    left = replace(state, owner=Owner.UNSETTLED, failure=failures.xl_stays(state.failure))
    after, actions = _end(left, EndState.UNSETTLED)
    return after, (Journal("xl_left", durable=False), *actions)


def reopened(state: SourceState, failure: Failure) -> SourceState:
    """Return the state of a session that had ended here, when it is not known any more that the domain runs here."""
    return replace(state, owner=Owner.UNSETTLED, end_state=EndState.UNSETTLED, failure=failure)


def _twice(state: SourceState, copy: words.Copy) -> SourceState:
    text = f"the domain runs at the destination and, with domid {copy.domid}, here"
    remedy = "Pause both copies at once, then decide which one counts; the other must be destroyed."
    return replace(state, owner=Owner.UNSETTLED, failure=Failure("running_twice", text, remedy=remedy))


def _unsettled(state: SourceState, copy: words.Copy) -> SourceState:
    cause = f" ({state.failure.msg})" if state.failure is not None else ""
    how = {
        CopyState.TAKEN: "is not there, and was not seen to shut down: somebody has destroyed, saved or moved it",
        CopyState.HALF_MADE: "is made anew and not started: the xl create that made it was cut off",
        CopyState.SHUT_DOWN: "has shut down, or crashed",
    }.get(copy.state, f"is {copy.state.value}")
    failure = Failure(
        "source_not_running",
        f"the migration failed{cause}, and the source's copy {how}",
        remedy="Look at both hosts by UUID before anything is started, resumed or destroyed.",
    )
    return replace(state, owner=Owner.UNSETTLED, failure=failure)


def _end(state: SourceState, end_state: EndState, *before: Action) -> tuple[SourceState, Actions]:
    ended = replace(state, phase=Phase.ENDED, end_state=end_state)
    record = Journal("ended", {"end_state": end_state.value, "owner": state.owner.value})
    return ended, (record, *before, End(end_state))
