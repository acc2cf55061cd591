# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a comparison of a plan with the facts leaves out (pure; private to the collection).

Domains on their way: what is free on the hosts between which they move says nothing as long as they do, and a copy that
is still being made may not tell its disks, so which mounts count is not known either. Nothing is lost by it: these
facts decide whether the plan holds, and what a move needs its check asks of both hosts again when it begins.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.essence import Essence, HostEssence
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Plan

_OF_DISKS = ("mounts",)


def still(plan: Plan, now: Essence, under_way: t.Collection[str]) -> tuple[Plan, Essence]:
    """Return the plan and what is there now, both without the domains that sessions of the plan's moves move now."""
    if not under_way:
        return plan, now
    touched = {host for move in plan.moves if move.uuid in under_way for host in (move.source, move.destination)}
    present = {host.name: host for host in now.hosts if host.name in touched}
    facts = Essence(
        tuple(_without(host, under_way, present.get(host.name)) for host in plan.facts.hosts), plan.facts.groups
    )
    seen = Essence(tuple(_without(host, under_way, None) for host in now.hosts), now.groups)
    moves = tuple(move for move in plan.moves if move.uuid not in under_way)
    return dataclasses.replace(plan, facts=facts, digest=facts.digest, moves=moves), seen


def _without(host: HostEssence, uuids: t.Collection[str], now: HostEssence | None) -> HostEssence:
    domains = tuple(domain for domain in host.domains if domain.uuid not in uuids)
    equipment = {key: value for key, value in host.equipment.items() if key not in _OF_DISKS}
    kept = dataclasses.replace(host, domains=domains, equipment=equipment)
    if now is None:
        return kept
    return dataclasses.replace(kept, free_memory_mib=now.free_memory_mib, dom0_memory_mib=now.dom0_memory_mib)
