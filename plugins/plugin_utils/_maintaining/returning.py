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


@dataclasses.dataclass(frozen=True)
class Told:
    """What this run has done about it: ``outcomes`` of moves, ``history`` of moves that failed (by UUID), what the last
    plan says cannot be moved (``blockers``), what came of each start (``started``), and why there was no plan.
    """

    outcomes: t.Sequence[Noted] = ()
    history: t.Mapping[str, Noted] = dataclasses.field(default_factory=dict)
    blockers: t.Sequence[Noted] = ()
    started: t.Sequence[Noted] = ()
    why: str = ""


def coming_back(host: str, noted: Noted, hosts: Hosts, inventory: t.Iterable[str], policy: str) -> Back:
    """Say what comes back to a host; ``noted`` has its ``domains`` of before, and those that were ``stopped``.

    A domain that was shut down is started only when every dom0 of the ``inventory`` has told its domains, and none has
    it.
    """
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


def account(host: str, noted: Noted, found: Back, told: Told) -> dict[str, list[dict[str, t.Any]]]:
    """Return what this run has brought back (``returned``), what it has ``started``, and what is ``missed``, with why.

    ``found`` is what the dom0s told last.
    """
    names = {str(each["uuid"]): str(each["name"]) for each in noted.get("domains") or ()}
    starts = {str((each.get("item") or {}).get("uuid")): each for each in told.started}
    up = [uuid for uuid, each in starts.items() if not (each.get("failed") or each.get("unreachable"))]
    missed = list(found.missed)
    for start in found.starts:
        if start.uuid not in up:
            why = str(starts.get(start.uuid, {}).get("msg") or "it was not started.")
            missed.append(Missed(start.uuid, start.name, host, why))
    missed += [Missed(uuid, names[uuid], "", _why(uuid, host, told)) for uuid in found.wanted]
    returned = [each for each in told.outcomes if each.get("destination") == host and str(each.get("uuid")) in names]
    return {
        "returned": [dict(each) for each in returned],
        "started": [{"uuid": uuid, "name": names.get(uuid, uuid)} for uuid in up],
        "missed": [each.to_result() for each in missed],
    }


def _why(uuid: str, host: str, told: Told) -> str:
    """Return why a domain that was to be moved home is not there, as a sentence."""
    if uuid in told.history:
        return str(told.history[uuid]["why"])
    for blocker in told.blockers:
        if blocker.get("uuid") == uuid:
            reasons = [str(each["message"]) for each in blocker.get("reasons") or () if each.get("host") == host]
            return " ".join([str(blocker["why"]), *reasons])
    return told.why or "its move was not begun."


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
