# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a plan still hold, and how far has it come? (pure; private to the collection)"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.changes import SLACK_MIB, changes
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.essence import DomainEssence, Essence, HostEssence
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.reached import reached
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import (
    Plan,
    PlanExpired,
    PlannedMove,
    PlanOfAnotherInventory,
    PlanOutdated,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.table import moment

# What is free after a move differs from what was reckoned: Xen's and the toolstack's own share is rounded.
_PER_MOVE_MIB = 64
_TOLD = 20
# How long behind its expiry a plan that was begun may be brought to its end: a night, and the morning after it.
BEGUN_S = 86400


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a plan has come: the numbers of the moves that are done, and what else has changed, in sentences."""

    done: tuple[int, ...]
    changes: tuple[str, ...]


def require(plan: Plan, now: Essence, now_s: float, begun: bool = False) -> Progress:
    """Return how far a plan has come. One that was begun (``begun``, or moves of it are done) is good a day longer.

    Raises:
        PlanOfAnotherInventory: the inventory has other dom0s
        PlanExpired: it was good until a moment that has passed
        PlanOutdated: something has changed that is not its own doing; the message says what
    """
    theirs, ours = {host.name for host in plan.facts.hosts}, {host.name for host in now.hosts}
    missing = sorted(theirs - ours)
    if missing:
        raise PlanOfAnotherInventory(
            f"the plan {plan.identity} is about {', '.join(missing)}, none of the inventory's dom0s.",
            hosts=missing,
        )
    found = progress(plan, now)
    until = plan.expires_s + (BEGUN_S if begun or found.done else 0)
    if plan.expires_s and now_s > until:
        what = ", and a day more to bring it to its end" if until > plan.expires_s else ""
        raise PlanExpired(
            f"the plan {plan.identity} was good until {moment(plan.expires_s)}{what}.", plan=plan.identity
        )
    if found.changes:
        told = " ".join(found.changes[:_TOLD])
        more = f" And {len(found.changes) - _TOLD} more." if len(found.changes) > _TOLD else ""
        raise PlanOutdated(
            f"since the plan {plan.identity} was made, this has changed: {told}{more}",
            plan=plan.identity,
            changes=list(found.changes),
        )
    return found


def progress(plan: Plan, now: Essence) -> Progress:
    """Return which moves are done, and what has changed that these do not explain."""
    if plan.digest == now.digest:
        return Progress((), ())
    # A host that is told of twice says nothing of where its domain is.
    places: dict[str, set[str]] = {}
    for host in now.hosts:
        for domain in host.domains:
            places.setdefault(domain.uuid, set()).add(host.name)
    chains: dict[str, list[PlannedMove]] = {}
    for move in plan.moves:
        chains.setdefault(move.uuid, []).append(move)
    alone = {uuid: min(there) for uuid, there in places.items() if len(there) == 1}
    done = [move for uuid, number in reached(chains, alone, {}).items() for move in chains[uuid][:number]]
    expected = _after(plan.facts, done, now)
    return Progress(tuple(sorted(move.number for move in done)), tuple(changes(expected, now)))


def _after(facts: Essence, done: t.Sequence[PlannedMove], now: Essence) -> Essence:
    """Return what would be told if nothing but these moves had happened."""
    if not done:
        return facts
    present = {host.name: host for host in now.hosts}
    domains: dict[str, dict[str, DomainEssence]] = {
        host.name: {domain.uuid: domain for domain in host.domains} for host in facts.hosts
    }
    delta = {host.name: 0 for host in facts.hosts}
    count = dict(delta)
    for move in sorted(done, key=lambda move: move.number):
        moved = domains[move.source].pop(move.uuid, None)
        if moved is not None:
            domains[move.destination][move.uuid] = moved
        for host, sign in ((move.source, 1), (move.destination, -1)):
            delta[host] += sign * move.memory_mib
            count[host] += 1
    hosts = [_host(host, domains[host.name], delta[host.name], count[host.name], present) for host in facts.hosts]
    return Essence(tuple(hosts), facts.groups)


def _host(
    host: HostEssence,
    domains: t.Mapping[str, DomainEssence],
    delta: int,
    count: int,
    present: t.Mapping[str, HostEssence],
) -> HostEssence:
    if not count:
        return host
    order = sorted(domains.values(), key=lambda domain: (domain.uuid, domain.name))
    free, seen = host.free_memory_mib, present.get(host.name)
    if free is not None:
        free += delta
        now = seen.free_memory_mib if seen else None
        if now is not None and abs(now - free) <= SLACK_MIB + count * _PER_MOVE_MIB:
            free = now
    return dataclasses.replace(host, domains=tuple(order), free_memory_mib=free)
