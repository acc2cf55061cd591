# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domains come back to a host after its maintenance (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.steps import places

ALL, NONE, BALANCED = "all", "none", "balanced"
RETURNS = (ALL, NONE, BALANCED)

Hosts = t.Mapping[str, HostFacts]
Noted = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Start(Record):
    """A domain that was shut down, and is started again."""

    uuid: str
    name: str
    macs: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Missed(Record):
    """A domain that the host had, and does not get back; ``why`` is a sentence."""

    uuid: str
    name: str
    place: str
    why: str


@dataclasses.dataclass(frozen=True)
class Back:
    """What is to be done: domains (by UUID, with the host they go to) and starts; and what cannot be."""

    wanted: t.Mapping[str, str]
    starts: tuple[Start, ...]
    missed: tuple[Missed, ...]


def coming_back(host: str, noted: Noted, hosts: Hosts, inventory: t.Sequence[str], policy: str) -> Back:
    """Say what comes back to a host; ``noted`` has its ``domains`` of before, and those that were ``stopped``."""
    stopped = set(noted.get("stopped") or ())
    silent = [name for name in inventory if name not in hosts or not hosts[name].domains]
    away: dict[str, str] = {}
    starts: list[Start] = []
    missed: list[Missed] = []
    for each in noted.get("domains") or ():
        uuid, name = str(each["uuid"]), str(each["name"])
        there = places(uuid, hosts)
        if host in there:
            continue
        if len(there) == 1:
            away[uuid] = there[0]
        elif there:
            missed.append(Missed(uuid, name, ", ".join(there), f"it is on more than one host: {', '.join(there)}."))
        elif uuid in stopped and not silent:
            starts.append(Start(uuid, name, tuple(str(mac) for mac in each.get("macs") or ())))
        else:
            why = f"it may be on {', '.join(silent)}, which does not answer." if silent else "no dom0 has it any more."
            missed.append(Missed(uuid, name, "", why))
    if policy == BALANCED:
        away = _evening(host, away, hosts)
    wanted = {uuid: host for uuid in away} if policy != NONE else {}
    return Back(wanted, tuple(starts), tuple(missed))


def _evening(host: str, away: t.Mapping[str, str], hosts: Hosts) -> dict[str, str]:
    """Return those that make what is free more even: the largest first, while its host has less free than this one.

    After a move this host still has at least as much free as the one that the domain has left.
    """
    free = {name: facts.free_memory_mib or 0 for name, facts in hosts.items()}
    sizes = {row.uuid: row.memory_mib for facts in hosts.values() for row in facts.domains}
    found: dict[str, str] = {}
    for uuid in sorted(away, key=lambda each: (-sizes[each], each)):
        source, size = away[uuid], sizes[uuid]
        if free[host] - size >= free[source] + size:
            found[uuid] = source
            free[host] -= size
            free[source] += size
    return found
