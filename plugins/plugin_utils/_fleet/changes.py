# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has changed between two looks at a fleet, in sentences (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.essence import (
    DomainEssence,
    Essence,
    HostEssence,
    essence,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet

# Xen's own bookkeeping and balloon drivers move a few MiB while nothing happens.
SLACK_MIB = 16

_HOST_FIELDS = {
    "xen": "runs another Xen",
    "cpus": "has another number of processors",
    "autoballoon": "has another setting of autoballoon",
    "cpupools": "has other cpupools",
    "problems": "has other problems",
}
_MEMORY = {"memory_mib": "memory", "dom0_memory_mib": "memory for itself", "free_memory_mib": "free memory"}
_SECTIONS = {
    "c_info": "general settings",
    "b_info": "settings",
    "nics": "network cards",
    "processor": "processor shown",
}


def fleet_changes(before: Fleet, now: Fleet) -> list[str]:
    """Return what has changed between two fleets. Raises RulesContradict."""
    return changes(essence(before), essence(now))


def changes(before: Essence, now: Essence, slack_mib: int = SLACK_MIB) -> list[str]:
    """Return what has changed of what a plan depends on, a sentence each; none: a plan for the first still holds.

    Free memory that differs by no more than ``slack_mib`` is no change, though the digests then differ.
    """
    hosts = _hosts(before), _hosts(now)
    found = []
    for name in sorted({*hosts[0], *hosts[1]}):
        found += _host_changes(name, hosts[0].get(name), hosts[1].get(name), slack_mib)
    found += _domain_changes(before, now)
    groups = {group.name: group for group in before.groups}, {group.name: group for group in now.groups}
    for name in sorted({*groups[0], *groups[1]}):
        if groups[0].get(name) != groups[1].get(name):
            gone = "is there no more" if name not in groups[1] else "is new" if name not in groups[0] else "has changed"
            found.append(f"The group {name} {gone}.")
    return found


def _hosts(fleet: Essence) -> dict[str, HostEssence]:
    return {host.name: host for host in fleet.hosts}


def _host_changes(name: str, before: HostEssence | None, now: HostEssence | None, slack_mib: int) -> list[str]:
    if before is None or now is None:
        return [f"{name} is {'new' if before is None else 'no dom0 of the inventory any more'}."]
    rule = [f"{name} has other rules (dom0_xen_host)."] if before.rule != now.rule else []
    if before.trouble or now.trouble:
        if before.trouble == now.trouble:
            return rule
        return [*rule, f"{name} {'answers again' if not now.trouble else f'is in trouble now: {now.trouble}'}."]
    found = rule
    if before.boot_id != now.boot_id:
        found.append(f"{name} was started anew.")
    found += [
        f"{name} {words}." for field, words in _HOST_FIELDS.items() if getattr(before, field) != getattr(now, field)
    ]
    found += [f"{name} has no bridge {each} any more." for each in before.bridges if each not in now.bridges]
    found += [f"{name} has a bridge {each} now." for each in now.bridges if each not in before.bridges]
    for field, what in _MEMORY.items():
        found += _memory(name, getattr(before, field), getattr(now, field), what, slack_mib)
    other = sorted(key for key in {*before.equipment, *now.equipment} if _other(before.equipment, now.equipment, key))
    if other:
        found.append(f"{name} has other equipment: {', '.join(other)}.")
    return found


def _memory(name: str, before: int | None, now: int | None, what: str, slack_mib: int) -> list[str]:
    if before is None or now is None:
        known = "is not known any more" if now is None else "is known now"
        return [] if before == now else [f"{name}: how much {what} it has {known}."]
    if abs(now - before) <= slack_mib:
        return []
    return [f"{name} has {amount(abs(now - before))} {'more' if now > before else 'less'} {what}."]


def _domain_changes(before: Essence, now: Essence) -> t.Iterator[str]:
    places = _places(before), _places(now)
    silent = {host.name for host in now.hosts if host.trouble}
    for uuid in sorted({*places[0], *places[1]}, key=lambda uuid: _name(uuid, places)):
        was, is_now = places[0].get(uuid, {}), places[1].get(uuid, {})
        # Of a host that does not answer it is told that; its domains are not gone.
        if is_now or not was.keys() <= silent:
            yield from _one_domain(_name(uuid, places), was, is_now)


def _one_domain(
    name: str, before: t.Mapping[str, DomainEssence], now: t.Mapping[str, DomainEssence]
) -> t.Iterator[str]:
    if not before:
        yield f"{name} is new, on {_listed(now)}."
    elif not now:
        yield f"{name} is on {_listed(before)} no more, and on no other host that answered."
    elif before.keys() != now.keys():
        yield f"{name} is on {_listed(now)} now, not on {_listed(before)}."
    if not before or not now:
        return
    host = min(now.keys() & before.keys(), default=min(now))
    old, new = before.get(host) or before[min(before)], now[host]
    if old.name != new.name:
        yield f"{old.name} is called {new.name} now."
    if old.state != new.state:
        yield f"{name} was {old.state.replace('_', ' ')}, and is {new.state.replace('_', ' ')} now."
    if (old.memory_mib, old.memory_max_mib) != (new.memory_mib, new.memory_max_mib):
        yield f"{name} has {_has(new)} now, not {_has(old)}."
    if old.vcpus != new.vcpus:
        yield f"{name} has {new.vcpus} virtual processors now, not {old.vcpus}."
    if old.tags != new.tags:
        yield f"{name} has the tags {_listed(new.tags)} now, not {_listed(old.tags)}."
    if old.allowed != new.allowed:
        yield f"{name} may go to {_listed(new.allowed) if new.allowed else 'any host'} now."
    sections = sorted(key for key in {*old.config, *new.config} if _other(old.config, new.config, key))
    if sections or old.type != new.type:
        yield f"{name} has another configuration: {', '.join(_SECTIONS.get(key, key) for key in sections) or 'type'}."


def _places(fleet: Essence) -> dict[str, dict[str, DomainEssence]]:
    found: dict[str, dict[str, DomainEssence]] = {}
    for host in fleet.hosts:
        for domain in host.domains:
            found.setdefault(domain.uuid, {})[host.name] = domain
    return found


def _name(uuid: str, places: tuple[dict[str, dict[str, DomainEssence]], dict[str, dict[str, DomainEssence]]]) -> str:
    known = places[1].get(uuid) or places[0][uuid]
    return known[min(known)].name or uuid


def _has(domain: DomainEssence) -> str:
    most = domain.memory_max_mib
    return amount(domain.memory_mib) + (f" (at most {amount(most)})" if most not in (None, domain.memory_mib) else "")


def _other(before: t.Mapping[str, str], now: t.Mapping[str, str], key: str) -> bool:
    return before.get(key) != now.get(key)


def _listed(names: t.Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def amount(mib: int) -> str:
    """Return an amount of memory for a sentence: in GiB where that is exact to a tenth, else in MiB."""
    return f"{mib / 1024:g} GiB" if mib and mib * 10 % 1024 == 0 else f"{mib} MiB"
