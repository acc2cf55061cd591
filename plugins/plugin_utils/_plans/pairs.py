# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domain could go to which host, whatever memory there is (pure; private to the collection).

The checks that a move begins with are asked, once for each domain and host that somebody wants to know about. Memory is
left to the planner, who knows what else arrives and leaves.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import engine, memory
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, MoveRequest
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, HostFacts
from ansible_collections.dom0.xen.plugins.module_utils._transports import TLS
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Reason

_KIB = 1024
# More than any host has.
_ENDLESS_MIB = 1 << 40
# Of what keeps a domain from other hosts so many causes are told, and so many hosts of each.
_CAUSES, _HOSTS = 8, 4


@dataclasses.dataclass(frozen=True)
class Settings(Record):
    """How the moves are to be made, by the names of :class:`MoveRequest`; memory in MiB.

    ``vcpus_per_cpu`` is how many vCPUs a host may have for each of its processors, 0 for any number.
    """

    method: str = "auto"
    transport: str = TLS
    allow_plain: bool = False
    allow_cold: bool = False
    memory_reserve_mib: int = 0
    dom0_memory_min_mib: int = 512
    vcpus_per_cpu: float = 0.0
    waive: tuple[str, ...] = ()
    follow_config: bool = True
    networks: tuple[str, ...] = ()
    map_bridges: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    map_disks: t.Mapping[str, str] = dataclasses.field(default_factory=dict)


class Pairs:
    """The answers of the checks, each asked for once."""

    def __init__(self, fleet: Fleet, settings: Settings) -> None:
        self.settings = settings
        self.inventory = tuple(dom0.name for dom0 in fleet.dom0s)
        self._host = {dom0.name: dom0.host for dom0 in fleet.dom0s if dom0.host is not None}
        self._roomy = {name: dataclasses.replace(h, free_memory_mib=_ENDLESS_MIB) for name, h in self._host.items()}
        self._found: dict[tuple[str, str, str], tuple[Finding, ...]] = {}

    def findings(self, domain: DomainFacts, source: str, destination: str) -> tuple[Finding, ...]:
        """Return all that speaks against a move but memory."""
        key = (domain.uuid, source, destination)
        if key not in self._found:
            case = self._case(domain, source, destination)
            self._found[key] = engine.findings(case.source, case.destination, domain, case.request)
        return self._found[key]

    def possible(self, domain: DomainFacts, source: str, destination: str) -> bool:
        """Say whether nothing but memory could speak against a move."""
        return not engine.errors(self.findings(domain, source, destination))

    def method(self, domain: DomainFacts, source: str, destination: str) -> str:
        """Return how it would be moved."""
        case = self._case(domain, source, destination)
        planned = engine.plan(case.source, case.destination, domain, case.request)
        return planned.method if planned else ""

    def size_mib(self, domain: DomainFacts, source: str) -> int:
        """Return what the domain takes on any host, with all overhead."""
        need = memory.needed(Case(self._host.get(source), None, domain, self._request(domain, source, source)))
        return -(-need // _KIB) if need is not None else domain.memory_mib + -(-domain.memory_mib // 100)

    def reasons(self, domain: DomainFacts, source: str, others: t.Iterable[str]) -> tuple[Reason, ...]:
        """Return what keeps a domain from each of the other hosts; what many have in common is told once."""
        by_cause: dict[tuple[str, str], list[str]] = {}
        for host in others:
            for finding in engine.errors(self.findings(domain, source, host))[:1]:
                here = [source] if finding.host == source else [host]
                hosts = by_cause.setdefault((finding.code, finding.message.replace(host, "it")), [])
                hosts += [name for name in here if name not in hosts]
        told = []
        for (code, message), hosts in list(by_cause.items())[:_CAUSES]:
            more = f" and {len(hosts) - _HOSTS} more" if len(hosts) > _HOSTS else ""
            told.append(Reason(", ".join(hosts[:_HOSTS]) + more, code, message))
        return tuple(told)

    def _case(self, domain: DomainFacts, source: str, destination: str) -> Case:
        there: HostFacts | None = self._roomy.get(destination)
        return Case(self._host.get(source), there, domain, self._request(domain, source, destination))

    def _request(self, domain: DomainFacts, source: str, destination: str) -> MoveRequest:
        wish = self.settings
        request = MoveRequest(
            domain=domain.uuid,
            source=source,
            destination=destination,
            inventory=self.inventory,
            method=wish.method,
            transport=wish.transport,
            allow_plain=wish.allow_plain,
            allow_cold=wish.allow_cold,
            dom0_memory_min_mib=wish.dom0_memory_min_mib,
            waive=wish.waive,
            follow_config=wish.follow_config,
            networks=wish.networks,
            map_bridges=wish.map_bridges,
            map_disks=wish.map_disks,
        )
        # Together they are the names of the fleet; that one domain has not all of them is no error.
        names = request.names.used_by(domain.config or {})
        return dataclasses.replace(request, map_bridges=names.bridges, map_disks=names.disks)
