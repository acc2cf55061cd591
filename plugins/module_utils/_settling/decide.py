# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns the domain of an interrupted session, and the next step towards one owner (pure; private).

Evidence of both hosts in, one decision out. The rules are those of :mod:`_session.deciding.source` and
:mod:`_session.deciding.destination`: without a commit on record at the destination the source owns; with one there is
only going forward, unless ``xl`` reported a failure and its copy is seen gone; and where neither can be known a person
decides. Each step is one act on one host; then both are looked at again.

What a person has done meanwhile by hand is in no journal of the session: :mod:`_settling.by_hand` has the last word.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils._records import MIGRATED_AWAY
from ansible_collections.dom0.xen.plugins.module_utils._settling import by_hand, left
from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import Decision, Step
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    ABSENT,
    DYING,
    LATER_LEFT,
    LATER_LIVES,
    PAUSED,
    RUNNING,
    SHUT_DOWN,
    SUSPENDED,
    History,
    Side,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import NOBODY, Copy, Others
from ansible_collections.dom0.xen.plugins.module_utils._settling.outcome import RETURNED, RUNS, for_sender, outcome, why
from ansible_collections.dom0.xen.plugins.module_utils._settling.questions import human

_UNCOMMITTED = "The other side's process is gone, and nothing was committed."
_NEVER_ASKED = "The commit was never asked for, and never will."


def decide(source: Side, destination: Side, others: Others = NOBODY) -> Decision:
    """Return the decision for one session, from a look at both hosts and at all others."""
    seen: tuple[Side | Copy, ...] = (source, destination, *others.same)
    if sum(each.runs for each in seen) > 1 or _several_run(source) or _several_run(destination):
        made = to.alarm(source, destination, *[each for each in others.same if each.runs])
    else:
        made = by_hand.judge(source, destination, others, _decide(source, destination))
    return replace(made, known=(*made.known, *others.told))


def _decide(source: Side, destination: Side) -> Decision:
    # What is there may be a later session's copy, and only that one's own evidence tells whether it may go on.
    if LATER_LIVES in (source.later, destination.later):
        return to.watch(source, destination, "A later session of the domain is under way, and comes first.")
    if LATER_LEFT in (source.later, destination.later):
        both_ways = {*source.after} & {*destination.before} | {*destination.after} & {*source.before}
        if both_ways:
            return human(source, destination, to.ORDER_UNKNOWN, other=min(both_ways))
        return to.wait(source, destination, "A later session of the domain is to be settled first.")
    if source.gone or destination.gone:
        if not any(side.reachable and not side.gone for side in (source, destination)):
            return human(source, destination, to.BOTH_SILENT)
        source, destination = _without(source, source.history), _without(destination, History())
    elif not source.reachable or not destination.reachable:
        return _unreachable(source, destination)
    if source.ending or destination.ending:
        return to.wait(source, destination, "A process is about to end, or watches for a late suspend.")
    if source.alive and source.xl_alive and (reason := left.stands(source)):
        # It ends by itself, and the sender after it, when the kernel lets it go.
        return left.wait(source, destination, reason, to.SOURCE)
    if source.alive and destination.alive:
        return _both_alive(source, destination)
    if DYING in (source.copy, destination.copy):
        return to.wait(source, destination, "A copy is being torn down.")
    if destination.alive:
        return _receiver_alone(source, destination)
    if behind := left.behind(source, destination):
        return left.wait(source, destination, left.AT_WORK, *behind)
    if source.alive:
        return _sender_alone(source, destination)
    return _both_over(source, destination)


def _several_run(side: Side) -> bool:
    return side.others > 0 and side.runs


def _both_alive(source: Side, destination: Side) -> Decision:
    """Leave them alone, unless one of them says that it cannot come to its end by itself."""
    past = source.history
    if source.waits and past.tasks_open and (not past.asked or past.undo_wanted):
        return to.undo(source, destination)
    if destination.history.committed or not (destination.barred or (source.waits and past.asked)):
        return to.watch(source, destination)
    first = _bar(source, destination, "The commit was asked for and has not arrived, and the link stays away")
    if first is not None:
        return first
    if not past.asked:
        return to.step(source, destination, Step(to.SOURCE, to.CANCEL), "The destination takes no commit any more.")
    return to.step(source, destination, Step(to.SOURCE, to.OUTCOME, 3), why(RETURNED))


def _receiver_alone(source: Side, destination: Side) -> Decision:
    past = destination.history
    if past.committed:
        return left.wait(source, destination, left.UNREPORTED, to.DESTINATION)
    if source.copy == SUSPENDED:
        return _bar_and_go_back(source, destination)
    if past.ready and source.copy == ABSENT:
        return _last_copy(source, destination, Step(to.DESTINATION, to.HAND_OVER), Step(to.DESTINATION, to.CANCEL))
    if past.transferred and source.copy == ABSENT:
        return left.wait(source, destination, left.MAKES_COPY, to.DESTINATION)
    if source.copy != ABSENT and destination.has_run:
        return human(source, destination, to.BOTH_HAVE_IT)
    if source.history.tasks_open and not source.gone:
        return to.undo(source, destination)
    return to.step(source, destination, Step(to.DESTINATION, to.CANCEL), _UNCOMMITTED)


def _bar_and_go_back(source: Side, destination: Side) -> Decision:
    """Resume the source's copy before the destination's is given up: a host that was just seen may be gone by now."""
    first = _bar(source, destination, "The other side's process is gone")
    if first is not None:
        return first
    if source.xl_alive:
        return left.wait(source, destination, "xl is still at work on the source.", to.SOURCE)
    return _go_back(source, destination, to.RESUME, _UNCOMMITTED)


def _bar(source: Side, destination: Side, why: str) -> Decision | None:
    """Say what is to be done before it is certain that no commit comes any more, ``None`` once it is."""
    if not destination.barred:
        return to.step(source, destination, Step(to.DESTINATION, to.BAR), f"{why}; the commit must not come any more.")
    if destination.has_run:
        return human(source, destination, to.RAN_UNASKED)
    return None


def _sender_alone(source: Side, destination: Side) -> Decision:
    past = source.history
    if not past.asked:
        if destination.has_run:
            return human(source, destination, to.RAN_UNASKED)
        if past.tasks_open or not source.waits:
            return _go_back(source, destination, to.CANCEL, _UNCOMMITTED)
    known = for_sender(source, destination)
    if isinstance(known, Decision):
        return known
    if known == RETURNED and past.undo_wanted:
        return to.undo(source, destination)
    status = 0 if known == RUNS else 3
    return to.step(source, destination, Step(to.SOURCE, to.OUTCOME, status), why(known))


def _both_over(source: Side, destination: Side) -> Decision:
    if source.copy in (RUNNING, PAUSED):
        return _source_alive(source, destination)
    if source.copy == SUSPENDED:
        known = outcome(source, destination)
        if isinstance(known, Decision):
            return known
        if known == RUNS:
            return to.step(source, destination, Step(to.SOURCE, to.DESTROY), why(known))
        return _go_back(source, destination, to.RESUME, why(known))
    return _source_over(source, destination)


def _go_back(source: Side, destination: Side, verb: str, reason: str) -> Decision:
    """The source goes on, once what the caller's tasks at the gate have begun is undone."""
    if source.history.tasks_open:
        return to.undo(source, destination)
    return to.step(source, destination, Step(to.SOURCE, verb), reason)


def _source_alive(source: Side, destination: Side) -> Decision:
    """The source's copy is not suspended: it never was, or has been resumed."""
    back = source.history.refused or destination.history.status or not destination.history.committed
    if destination.has_run or (destination.copy == PAUSED and not back):
        return human(source, destination, to.BOTH_HAVE_IT)
    if destination.copy == PAUSED:
        return to.step(source, destination, Step(to.DESTINATION, to.DESTROY), "The domain runs on the source.")
    if source.half_made:
        return human(source, destination, to.HALF_MADE)
    if source.name.endswith(MIGRATED_AWAY):
        return to.step(source, destination, Step(to.SOURCE, to.RENAME_BACK), "The domain runs on the source.")
    if source.history.tasks_open:
        return to.undo(source, destination)
    return to.settled(source, destination, to.SOURCE, to.STAYED, _stays(source))


def _stays(source: Side) -> str:
    return f"It {'runs' if source.runs else 'is paused'} on {source.host}."


def _source_over(source: Side, destination: Side) -> Decision:
    """The source has no copy that could go on."""
    past = destination.history
    if destination.copy in (RUNNING, SUSPENDED):
        if source.copy == SHUT_DOWN:
            return human(source, destination, to.BOTH_HAVE_IT)
        how = "It runs on" if destination.runs else "Somebody saves it, or moves it on, on"
        return to.settled(source, destination, to.DESTINATION, to.MOVED, f"{how} {destination.host}.")
    if destination.copy == PAUSED:
        if source.copy == SHUT_DOWN and (destination.ran or (past.committed and not past.status)):
            return human(source, destination, to.BOTH_HAVE_IT)
        if destination.arrived_paused:
            reason = f"It is paused on {destination.host}, as was asked for."
            return to.settled(source, destination, to.DESTINATION, to.MOVED, reason)
        forward, drop = Step(to.DESTINATION, to.ROLL_FORWARD), Step(to.DESTINATION, to.DESTROY)
        superseded = source.superseded or destination.superseded
        not_started = past.status or destination.half_destroyed
        if source.copy == ABSENT and past.committed and not not_started and not superseded:
            return to.step(
                source, destination, forward, "It was committed, and the destination's copy is the only one."
            )
        if destination.ran:
            reason = f"It is paused on {destination.host}, where it has run."
            return to.settled(source, destination, to.DESTINATION, to.MOVED, reason)
        if source.copy == ABSENT and past.ready:
            return _last_copy(source, destination, forward, drop)
        return to.step(source, destination, drop, "The destination's copy is incomplete.")
    if source.copy == ABSENT and destination.copy == SHUT_DOWN:
        return to.settled(source, destination, to.DESTINATION, to.DOWN, f"It has ended on {destination.host}.")
    given_back = source.history.refused or past.status
    owner = to.DESTINATION if past.committed and not given_back else to.SOURCE
    if owner == to.SOURCE and source.history.given_up:
        reason = f"It was given up on {source.host}; nothing of this session starts it there any more."
        return to.settled(source, destination, to.ELSEWHERE, to.DOWN, reason)
    return to.settled(source, destination, owner, to.DOWN, "It runs nowhere, and no copy is left that could go on.")


def _last_copy(source: Side, destination: Side, keep: Step, drop: Step) -> Decision:
    """Say what to do with a complete copy that never had the permission when the source has lost its own.

    It may be used only if the source's copy stood still to its end: what ran on has left it behind.
    """
    stood_still = source.history.held and not source.history.backed_out
    if source.superseded or destination.superseded:
        # A later session has had it: somebody had let it go on.
        stood_still = False
    if source.vouched_ran is None and not stood_still:
        return human(source, destination, to.RESUMED_PERHAPS)
    if source.vouched_ran:
        return to.step(source, destination, drop, "The domain ran on, on the source, after this copy was made.")
    if source.history.tasks_due:
        return to.tasks(source, destination)
    return to.step(source, destination, keep, "The destination's copy is complete, and the only one.")


# Hosts that do not answer. ---


def _unreachable(source: Side, destination: Side) -> Decision:
    if not source.reachable and not destination.reachable:
        return human(source, destination, to.BOTH_SILENT)
    return _destination_silent(source, destination) if source.reachable else _source_silent(source, destination)


def _destination_silent(source: Side, destination: Side) -> Decision:
    unanswered = source.history.asked and not (source.history.refused or source.history.resumed)
    if source.alive and source.linked and not source.waits:
        return to.watch(source, destination)
    # What was asked for is not cancelled, whatever somebody has let go on here.
    waits = source.alive and source.copy != DYING
    if unanswered and (waits or source.copy in (SUSPENDED, ABSENT)):
        return human(source, destination, to.DESTINATION_SILENT)
    if source.alive:
        return _go_back(source, destination, to.CANCEL, _NEVER_ASKED)
    if source.copy == SUSPENDED and not source.xl_alive:
        return _go_back(source, destination, to.RESUME, _NEVER_ASKED)
    if source.runs and source.name.endswith(MIGRATED_AWAY):
        return to.step(source, destination, Step(to.SOURCE, to.RENAME_BACK), "The domain runs on the source.")
    if unanswered or source.copy not in (RUNNING, PAUSED):
        return human(source, destination, to.DESTINATION_SILENT)
    if source.xl_alive:
        return left.wait(source, destination, left.AT_WORK, to.SOURCE)
    if source.half_made:
        return human(source, destination, to.HALF_MADE)
    if source.history.tasks_open:
        return to.undo(source, destination)
    reason = f"{_stays(source)} {destination.host} does not answer; a copy there never had the permission."
    return to.settled(source, destination, to.SOURCE, to.STAYED, reason)


def _source_silent(source: Side, destination: Side) -> Decision:
    past = destination.history
    if destination.alive and destination.linked:
        return to.watch(source, destination)
    if destination.alive or destination.xl_alive or destination.copy != PAUSED or not past.committed or past.status:
        return human(source, destination, to.SOURCE_SILENT)
    if destination.arrived_paused or destination.half_destroyed:
        return human(source, destination, to.SOURCE_SILENT)
    return to.step(source, destination, Step(to.DESTINATION, to.ROLL_FORWARD), "After the commit it only goes forward.")


def _without(side: Side, history: History) -> Side:
    """A person vouches that a host is off for good: what was in its memory is no more, and cannot come back."""
    return Side(side.host, gone=True, vouched_ran=side.vouched_ran, history=history) if side.gone else side
