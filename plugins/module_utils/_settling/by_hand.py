# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be decided about a session where somebody has, or may have, taken the domain in hand since (pure; private).

A journal says nothing of what was done without the session. So nothing of it is started while the domain is on a host
that has no part in it; and a domain that was shut down for the move, and is not there, is started again only where that
cannot be older than what somebody has done since. A suspended one proves more by being there: it has stood still.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import Decision, Step
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    ABSENT,
    PAUSED,
    SHUT_DOWN,
    SUSPENDED,
    Side,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import Others
from ansible_collections.dom0.xen.plugins.module_utils._settling.questions import human


def judge(source: Side, destination: Side, others: Others, made: Decision) -> Decision:
    """Return what holds of what was ``made`` from both hosts alone."""
    if made.end_state == to.DOWN and not any(side.known or side.gone for side in (source, destination)):
        # Whoever has named these hosts has named others than those of the session, which may have its copies.
        return human(source, destination, to.NO_RECORD)
    runs = source.runs or destination.runs
    if made.next in (to.WATCH, to.WAIT) or (made.next == to.DONE and runs):
        # Nothing is started by that.
        return made
    if others.same:
        return _put_elsewhere(source, destination, others)
    over = not source.alive and (destination.runs or not destination.alive)
    if source.phantom and made.end_state == to.RAN_UNASKED and over:
        # Started by hand from the disks that it was shut down for: the record is of no use any more.
        reason = f"It {'runs' if destination.runs else 'has run'} on {destination.host}, where somebody has started it."
        return to.step(source, destination, Step(to.SOURCE, to.DESTROY), reason)
    if source.phantom and (_starts_at_source(made) or made.end_state == to.RAN_PERHAPS):
        return _start_again(source, destination, others, made)
    return made


def depends_on_others(source: Side, made: Decision) -> bool:
    """Whether what was ``made`` without a look at other hosts might be something else with one.

    Looking at all of them takes time in which a guest may stand still. So it is for what would be started without a
    copy at the source, which proves by having stood still that nobody else has it.
    """
    act = made.step
    last = act is not None and act.verb in (to.HAND_OVER, to.ROLL_FORWARD) and source.copy == ABSENT
    return last or made.end_state == to.STARTED_PERHAPS


def _starts_at_source(made: Decision) -> bool:
    act = made.step
    if act is None or act.side != to.SOURCE:
        return False
    return act.verb in (to.RESUME, to.CANCEL) or (act.verb == to.OUTCOME and act.status != 0)


def _put_elsewhere(source: Side, destination: Side, others: Others) -> Decision:
    copy = others.same[0]
    known = all(side.reachable or side.gone for side in (source, destination))
    # What is left of one that has ended never runs again; a person has said that it counts no more.
    over = (ABSENT, SHUT_DOWN) if source.vouched_ran else (ABSENT,)
    nothing = not any(side.alive or side.copy not in over for side in (source, destination))
    if known and nothing:
        reason = f"It is on {copy.host}, where somebody has put it."
        return to.settled(source, destination, to.ELSEWHERE, to.ELSEWHERE, reason)
    step = _give_up(source, destination) if known else None
    if step is not None and (source.vouched_ran or (copy.runs and _is_worthless(source, destination))):
        return to.step(source, destination, step, f"The copy on {copy.host} counts.")
    silent = ",".join(side.host for side in (source, destination) if not (side.reachable or side.gone))
    more = {"other": copy.host, "there": copy.domid, "silent": silent, "stuck": step is None}
    return human(source, destination, to.PUT_ELSEWHERE, **more)


def _is_worthless(source: Side, destination: Side) -> bool:
    """Whether all that the session has is a record, and perhaps a copy that was made anew and never ran."""
    record = not source.alive and (source.phantom or source.history.given_up)
    made = destination.copy == PAUSED and not (destination.ran or destination.history.committed)
    return record and (made or destination.copy == ABSENT)


def _give_up(source: Side, destination: Side) -> Step | None:
    """Return the next step by which what the session has of the domain goes, without being started."""
    if destination.alive and not destination.barred:
        return Step(to.DESTINATION, to.BAR)
    if source.alive:
        # "It runs there" is the only word that ends what shuts it down without starting it.
        ends = (source.history.asked or source.phantom) and not source.runs
        return Step(to.SOURCE, to.OUTCOME, 0) if ends else None
    if source.copy in (SUSPENDED, PAUSED):
        return Step(to.SOURCE, to.DESTROY)
    if destination.alive:
        return Step(to.DESTINATION, to.CANCEL)
    return Step(to.DESTINATION, to.DESTROY) if destination.copy == PAUSED else None


def _start_again(source: Side, destination: Side, others: Others, made: Decision) -> Decision:
    doubts = ", ".join(_doubts(source, destination, others))
    if source.vouched_ran:
        step = _give_up(source, destination)
        if step is not None:
            return to.step(source, destination, step, "It has run elsewhere since, or is to stay down, as you said.")
    elif source.vouched_ran is False or not doubts:
        return made
    return human(source, destination, to.STARTED_PERHAPS, doubts=doubts or "you said so", unseen=others.unseen)


def _doubts(source: Side, destination: Side, others: Others) -> t.Iterator[str]:
    if source.rebooted:
        yield f"{source.host} was started again"
    if not source.history.seen_down:
        yield f"nobody has seen it shut down on {source.host}, where it may have been destroyed, saved or moved"
    if source.superseded:
        yield f"a later session of the domain has ended on {source.host}"
    if not (destination.reachable or destination.gone):
        yield f"{destination.host} does not answer"
    for host in others.unseen:
        yield f"{host} was not looked at, or does not tell its domains"
    for copy in others.copies:
        if copy.namesake:
            yield f"{copy.host} has another domain of that name (domid {copy.domid})"
