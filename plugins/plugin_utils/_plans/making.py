# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a plan from the facts of a fleet (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import warnings as warnings_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.essence import essence
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.planner import Solver, plan
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import (
    BUILTIN,
    NEVER_MOVE,
    NOWHERE,
    Answer,
    Blocker,
    Question,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.asking import NothingNamed, Stage, ask, stage
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import (
    EMPTY,
    RETURN,
    HostFigures,
    Plan,
    PlannedBlocker,
    PlannedMove,
    PlannedStop,
    Reason,
)

LEFTOVER = "leftover_copy"


@dataclasses.dataclass(frozen=True)
class Wish:
    """What is asked for: the hosts to be emptied, or the host for each UUID that is to be brought back.

    ``leave``: plan for the others where some find no room. ``identity`` is the plan's, ``expires_after_s`` how long it
    is good, 0 for ever; ``now_s`` is the controller's clock.
    """

    empty: tuple[str, ...]
    identity: str
    now_s: float
    expires_after_s: int = 0
    leave: bool = False
    wanted: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    planner: str = BUILTIN


def make(fleet: Fleet, wish: Wish, settings: Settings, solver: Solver | None = None) -> Plan:
    """Return the plan; it may say that there is no way, or that some cannot leave.

    Raises:
        NothingNamed: neither hosts nor domains were named
        HostUnknown, HostSilent, DomainTwice: see :func:`stage`
        NoDestination: nothing is left that could receive
        RulesContradict: the rules contradict each other
    """
    if not wish.empty and not wish.wanted:
        raise NothingNamed("it was not said which hosts are to be emptied.")
    found = stage(fleet, wish.empty, settings, wish.wanted)
    # Most hosts are emptied without anybody making room; only when it takes that the checks of all others are asked.
    question = ask(found, room=False, leave=False)
    answer = plan(question, None, wish.planner)
    if answer.shortage is not None:
        question = ask(found, room=True, leave=wish.leave)
        answer = plan(question, solver, wish.planner)
    return as_plan(found, question, answer, wish, goal_of(wish))


def goal_of(wish: Wish) -> str:
    """Return what a plan for this is called."""
    return RETURN if wish.wanted and not wish.empty else EMPTY


def as_plan(found: Stage, question: Question, answer: Answer, wish: Wish, goal: str) -> Plan:
    """Return an answer of the planner with what people and the one who carries it out want to know besides."""
    facts = essence(found.fleet)
    moves = []
    for move in answer.moves:
        domain = found.domains[move.guest][1]
        # The checks know the domain where it is now, and not where it has gone in between.
        here = found.domains[move.guest][0]
        findings = warnings_of(found.pairs.findings(domain, here, move.destination)) if here != move.destination else ()
        moves.append(
            PlannedMove(
                *(move.number, move.guest, move.name, move.source, move.destination, move.size_mib),
                *(move.code, move.why, move.after),
                method=found.pairs.method(domain, here, move.destination) if here != move.destination else "",
                warnings=tuple(dict.fromkeys(finding.code for finding in findings)),
            )
        )
    now_s = int(wish.now_s)
    return Plan(
        identity=wish.identity,
        goal=goal,
        hosts=found.empty,
        planner=answer.planner,
        made_s=now_s,
        expires_s=now_s + wish.expires_after_s if wish.expires_after_s else 0,
        moves=tuple(moves),
        stops=tuple(PlannedStop(stop.guest, stop.name, stop.host) for stop in answer.stops),
        blockers=(*(_blocker(found, blocker) for blocker in answer.blockers), *_leftovers(found)),
        shortage=answer.shortage,
        moved_mib=answer.moved_mib,
        bound_mib=answer.bound_mib,
        figures=_figures(found, answer),
        options=found.settings.to_result(),
        digest=facts.digest,
        facts=facts,
        warnings=found.warnings,
    )


def _blocker(found: Stage, blocker: Blocker) -> PlannedBlocker:
    here, domain = found.domains[blocker.guest]
    reasons: tuple[Reason, ...] = ()
    why = blocker.why
    if blocker.code == NOWHERE:
        goal = found.wanted.get(blocker.guest)
        wanted = goal if here not in found.empty else None
        others = [host.name for host in found.hosts if host.receives and host.name != here]
        reasons = found.pairs.reasons(domain, here, [name for name in others if wanted in (None, name)])
        allowed = _allowed(found, blocker.guest, here)
        silent = found.fleet.by_name[goal].trouble if goal is not None else None
        if silent is not None:
            why = f"{goal}, where it is wanted, is not known: {silent.message.rstrip('.')}."
        elif wanted is not None and allowed and wanted not in allowed:
            why = f"it may go to {', '.join(allowed)} only, and not to {wanted}, where it is wanted."
        elif wanted is None and allowed:
            why = f"it may go to {', '.join(allowed)} only, and to none of these it can."
    elif blocker.code == NEVER_MOVE:
        why = "it is never to be moved (tag never_move)."
    return PlannedBlocker(blocker.guest, blocker.name, blocker.host, blocker.code, why, reasons)


def _allowed(found: Stage, uuid: str, here: str) -> list[str]:
    rule = found.fleet.resolved.by_uuid().get(uuid)
    limits = [each for each in (rule.allowed if rule else (), found.fleet.rules.host(here).allowed) if each]
    return [host for host in (limits[0] if limits else ()) if all(host in limit for limit in limits)]


def _leftovers(found: Stage) -> t.Iterator[PlannedBlocker]:
    for host, domain in found.leftovers:
        if host in found.empty:
            why = "it is a copy that a migration has left, or one that is at work now. See dom0.xen.audit."
            yield PlannedBlocker(domain.uuid, domain.name, host, LEFTOVER, why)


def _figures(found: Stage, answer: Answer) -> tuple[HostFigures, ...]:
    free = {host.name: host.free_mib for host in found.hosts}
    count = {dom0.name: len(dom0.domains) for dom0 in found.fleet.dom0s}
    after, then = dict(free), dict(count)
    for move in answer.moves:
        after[move.source] += move.size_mib
        after[move.destination] -= move.size_mib
        then[move.source] -= 1
        then[move.destination] += 1
    return tuple(
        HostFigures(h.name, free[h.name], after[h.name], count[h.name], then[h.name], h.reserve_mib)
        for h in found.hosts
    )
