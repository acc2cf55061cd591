# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a fleet a plan depends on, and its digest (pure; private to the collection).

The essence has no clocks, no processor time, no domids, no age: what changes while nothing happens. It is plain data of
bounded size (some 300 bytes a domain), so a plan can carry it, and say later what has changed (:mod:`.changes`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import posixpath
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.same_disk import mount_of
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import Mount
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, HostFacts
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Dom0, Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import Group, HostRule

# Enough that two configurations of one domain do not have the same by accident; nobody attacks them.
_SHORT = 12
# What changes by itself among what a host has, or with a move: numbers that were just in use, cards, which carry
# domids, and what can only be read, which the check looks at that each move begins with.
_FLEETING = ("recent_domids", "cards", "read_only")


@dataclasses.dataclass(frozen=True)
class DomainEssence(Record):
    """What a plan depends on of a domain; memory in MiB, ``config`` has a short digest of each section."""

    uuid: str
    name: str
    state: str
    memory_mib: int
    memory_max_mib: int | None
    vcpus: int
    type: str | None
    config: t.Mapping[str, str]
    tags: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class HostEssence(Record):
    """What a plan depends on of a dom0; ``trouble`` is its code or empty, and then nothing else is known.

    ``equipment`` has a short digest of each of disks, processor and so on, and of those mounts that files of domains
    are on: each login makes one of its own.
    """

    RECORDS = {"domains": DomainEssence, "rule": HostRule}

    name: str
    trouble: str
    rule: HostRule
    boot_id: str = ""
    xen: str = ""
    cpus: int | None = None
    memory_mib: int | None = None
    free_memory_mib: int | None = None
    dom0_memory_mib: int | None = None
    autoballoon: bool = False
    bridges: tuple[str, ...] = ()
    cpupools: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    equipment: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    domains: tuple[DomainEssence, ...] = ()


@dataclasses.dataclass(frozen=True)
class Essence(Record):
    """What a plan depends on of a fleet, sorted by name and UUID."""

    RECORDS = {"hosts": HostEssence, "groups": Group}

    hosts: tuple[HostEssence, ...]
    groups: tuple[Group, ...] = ()

    @property
    def digest(self) -> str:
        """The SHA-256 of all this, in hexadecimal."""
        return hashlib.sha256(_canonical(self.to_result())).hexdigest()


def digest(fleet: Fleet) -> str:
    """Return the SHA-256 over what a plan depends on. Raises RulesContradict."""
    return essence(fleet).digest


def essence(fleet: Fleet) -> Essence:
    """Return what a plan depends on of a fleet. Raises RulesContradict."""
    hosts = sorted(fleet.dom0s, key=lambda dom0: dom0.name)
    folders = _folders(fleet)
    return Essence(tuple(_host(dom0, fleet, folders) for dom0 in hosts), fleet.resolved.groups)


def _host(dom0: Dom0, fleet: Fleet, folders: t.Collection[str]) -> HostEssence:
    rule = fleet.rules.host(dom0.name)
    if dom0.host is None:
        return HostEssence(dom0.name, dom0.trouble.code if dom0.trouble else "", rule)
    host: HostFacts = dom0.host
    equipment = {key: value for key, value in host.equipment.to_result().items() if key not in _FLEETING}
    equipment["mounts"] = _mounts(folders, host.equipment.mounts)
    rules = fleet.resolved.by_uuid()
    domains = sorted(dom0.domains, key=lambda domain: (domain.uuid, domain.name))
    return HostEssence(
        name=dom0.name,
        trouble="",
        rule=rule,
        boot_id=host.boot_id,
        xen=host.xen.version if host.xen else "",
        cpus=host.cpus,
        memory_mib=host.memory_mib,
        free_memory_mib=host.free_memory_mib,
        dom0_memory_mib=host.dom0_memory_mib,
        autoballoon=host.autoballoon,
        bridges=tuple(sorted(host.bridges)),
        cpupools=tuple(sorted(host.cpupools)),
        problems=tuple(sorted(problem.code for problem in host.problems)),
        equipment={key: _short(value) for key, value in sorted(equipment.items())},
        domains=tuple(_domain(domain, rules.get(domain.uuid)) for domain in domains),
    )


def _folders(fleet: Fleet) -> frozenset[str]:
    """Return the folders of all files that are disks of domains, as their configurations call them.

    What a path leads to over links is not asked: it may be another one on each host, and the check of each move looks.
    """
    disks = (disk for place in fleet.places for disk in (place.domain.config or {}).get("disks") or ())
    paths = {str(disk.get("pdev_path") or "") for disk in disks}
    return frozenset(posixpath.dirname(path) for path in paths if path.startswith("/") and not path.startswith("/dev/"))


def _mounts(folders: t.Collection[str], mounts: t.Sequence[Mount]) -> list[t.Any]:
    """Return the mounts that these folders are on, without the number, which is another one after each mount."""
    used = {mount for folder in folders if (mount := mount_of(folder, mounts)) is not None}
    shown = [dataclasses.replace(mount, number="").to_result() for mount in used]
    return sorted(shown, key=lambda mount: str(mount["path"]))


def _domain(domain: DomainFacts, rules: t.Any) -> DomainEssence:
    sections = {**(domain.config or {}), "links": dict(domain.links), "processor": _plain(domain.cpu_policy)}
    return DomainEssence(
        uuid=domain.uuid,
        name=domain.name,
        state=domain.state.word,
        memory_mib=domain.memory_mib,
        memory_max_mib=None if domain.memory_max_kib is None else -(-domain.memory_max_kib // 1024),
        vcpus=domain.vcpus,
        type=domain.type,
        config={key: _short(value) for key, value in sorted(sections.items()) if value},
        tags=rules.tags if rules else (),
        allowed=rules.allowed if rules else (),
    )


def _plain(record: Record | None) -> t.Any:
    return record.to_result() if record is not None else None


def _short(value: t.Any) -> str:
    return hashlib.sha256(_canonical(value)).hexdigest()[:_SHORT]


def _canonical(value: t.Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
