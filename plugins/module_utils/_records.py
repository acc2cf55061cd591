# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that travel between a dom0 and the controller (private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import ConfigFile, Equipment
from ansible_collections.dom0.xen.plugins.module_utils._record import Record

# What xl appends to the name of a copy that comes, and of one that has gone (xl_vmcontrol.c, xl_migrate.c).
INCOMING, MIGRATED_AWAY = "--incoming", "--migratedaway"


@dataclasses.dataclass(frozen=True)
class DomainState(Record):
    """The state column of ``xl list`` (tools/xl/xl_info.c list_domains); ``reason`` of a shutdown, else null."""

    running: bool = False
    blocked: bool = False
    paused: bool = False
    shutdown: bool = False
    crashed: bool = False
    dying: bool = False
    reason: str | None = None

    @property
    def suspended(self) -> bool:
        """Whether the domain has suspended itself, as for a migration."""
        return self.shutdown and self.reason == "suspend"

    @property
    def alive(self) -> bool:
        """Whether the domain can run: neither shut down nor being torn down. It may be paused."""
        return not self.shutdown and not self.dying

    @property
    def word(self) -> str:
        """What of the state matters for who owns the domain: dying, suspended, shut_down, paused or running."""
        if self.dying:
            return "dying"
        if self.suspended:
            return "suspended"
        if self.shutdown or self.crashed:
            return "shut_down"
        return "paused" if self.paused else "running"


@dataclasses.dataclass(frozen=True)
class DomainRow(Record):
    """One line of ``xl list -v``; memory in MiB, processor time in seconds (resolution 0.1 s)."""

    RECORDS = {"state": DomainState}

    domid: int
    uuid: str
    name: str
    state: DomainState
    memory_mib: int
    vcpus: int
    cpu_time_s: float


@dataclasses.dataclass(frozen=True)
class Address(Record):
    """An address of a network interface."""

    interface: str
    address: str


@dataclasses.dataclass(frozen=True)
class Problem(Record):
    """Something that is wrong with a host: a stable code for programs, the rest for people."""

    code: str
    message: str
    remedy: str


@dataclasses.dataclass(frozen=True)
class XenFacts(Record):
    """The hypervisor; ``caps`` and ``virt_caps`` are the words of ``xl info``."""

    version: str
    major: int
    minor: int
    extra: str
    caps: tuple[str, ...]
    virt_caps: tuple[str, ...]
    commandline: str


@dataclasses.dataclass(frozen=True)
class SessionDomain(Record):
    """The domain that a session is about."""

    uuid: str | None
    name: str | None


@dataclasses.dataclass(frozen=True)
class SessionSeen(Record):
    """What a host's folders tell of a session; ``alive`` says whether its process still runs, ``waits`` whether that
    says that only settling can bring it to its end. ``peer_host`` is the other side's name in the inventory, or null.
    ``after_tasks``: whether the tasks that its caller has for after the move are "owed" or "done", null without any.
    """

    RECORDS = {"domain": SessionDomain}

    session: str
    role: str
    phase: str
    owner: str
    end_state: str | None
    domain: SessionDomain
    pid: int | None
    alive: bool
    peer_host: str | None = None
    waits: bool = False
    after_tasks: str | None = None

    @property
    def over(self) -> bool:
        """Whether it has ended on this host, and with an owner of the domain."""
        return self.phase == "ended" and self.owner != "unsettled" and not self.alive


@dataclasses.dataclass(frozen=True)
class AutostartEntry(Record):
    """What the host starts (kind config) or restores (image) at boot, unless ``set_aside``; a file starts nothing."""

    path: str
    kind: str
    name: str | None
    uuid: str | None
    set_aside: str | None = None

    def makes(self, domain_uuid: str, name: str) -> bool:
        """Say whether it is that domain's. Either will do: a file may leave out the UUID, and names can be changed."""
        return self.uuid == domain_uuid or self.name == name


@dataclasses.dataclass(frozen=True)
class Hand(Record):
    """A process of no session that changes a domain: ``command`` as "xl save"; ``target`` is null for all domains."""

    pid: int
    command: str
    target: str | None

    def works_on(self, domid: int, name: str) -> bool:
        """Say whether the domain is meant, under its name or under one that xl gives it while it moves."""
        return self.target in (None, str(domid), name, name + INCOMING, name + MIGRATED_AWAY)


@dataclasses.dataclass(frozen=True)
class Monitor(Record):
    """An ``xl`` that makes a domain, or (``watching``) has made one and waits to handle its end, as a rule as a daemon.

    ``domid`` and ``name`` (when it was made) are those in its log, or the name that in its file, null where they cannot
    be told. ``command`` is as "xl create", or another manager's.
    """

    pid: int
    command: str
    watching: bool
    domid: int | None = None
    name: str | None = None


@dataclasses.dataclass(frozen=True)
class ClusterResource(Record):
    """A cluster's resource that runs a domain; ``managed`` is false when the cluster is to leave it alone."""

    id: str
    agent: str
    name: str | None
    uuid: str | None
    managed: bool

    def keeps(self, domain_uuid: str, name: str) -> bool:
        """Say whether it looks after that domain; by its own id where nothing else is known."""
        if self.uuid is None and self.name is None:
            return self.id == name
        return self.uuid == domain_uuid or self.name == name


@dataclasses.dataclass(frozen=True)
class ClusterFacts(Record):
    """A cluster manager that runs on the host; ``known`` says whether its configuration could be read."""

    RECORDS = {"resources": ClusterResource}

    manager: str
    known: bool
    resources: tuple[ClusterResource, ...] = ()


@dataclasses.dataclass(frozen=True)
class HostFacts(Record):
    """What is known of a dom0. Facts that need Xen are null, empty, or false on a host without it.

    Memory in MiB, times in seconds since 1970: ``clock_s`` is the host's, read when the controller's clock was between
    ``asked_s`` and ``answered_s``. ``problems``: what is missing. ``closed``, ``restored``: see ``_facts.sessions``.
    """

    RECORDS = {
        **{"xen": XenFacts, "addresses": Address, "domains": DomainRow, "sessions": SessionSeen, "problems": Problem},
        **{"autostart": AutostartEntry, "configs": AutostartEntry, "hands": Hand, "monitors": Monitor},
        **{"cluster": ClusterFacts, "equipment": Equipment},
    }

    hostname: str
    uid: int
    boot_id: str
    python: str
    pyxs: str | None
    systemd: bool
    xen: XenFacts | None
    cpus: int | None
    memory_mib: int | None
    free_memory_mib: int | None
    dom0_memory_mib: int | None
    autoballoon: bool
    bridges: tuple[str, ...]
    addresses: tuple[Address, ...]
    cpupools: tuple[str, ...]
    clock_s: float
    runtime_path: str | None
    domains: tuple[DomainRow, ...]
    sessions: tuple[SessionSeen, ...]
    problems: tuple[Problem, ...]
    autostart: tuple[AutostartEntry, ...] = ()
    hands: tuple[Hand, ...] = ()
    monitors: tuple[Monitor, ...] = ()
    cluster: ClusterFacts | None = None
    equipment: Equipment = Equipment()
    asked_s: float | None = None
    answered_s: float | None = None
    paramiko: bool = False
    zstandard: bool = False
    configs: tuple[AutostartEntry, ...] = ()
    closed: t.Mapping[str, t.Any] | None = None
    restored: tuple[t.Mapping[str, str], ...] = ()


@dataclasses.dataclass(frozen=True)
class DeviceSeen(Record):
    """A device of a domain as XenStore has it; ``state`` is that of the front end, 4 when connected."""

    kind: str
    id: int
    backend_domid: int | None
    state: int | None


@dataclasses.dataclass(frozen=True)
class XenStoreFacts(Record):
    """What XenStore knows of a domain; memory in KiB, null where a node is absent."""

    RECORDS = {"devices": DeviceSeen}

    name: str | None
    vm: str | None
    feature_suspend: str | None
    control_shutdown: str | None
    memory_target_kib: int | None
    memory_static_max_kib: int | None
    devices: tuple[DeviceSeen, ...]


@dataclasses.dataclass(frozen=True)
class DomainFacts(Record):
    """What is known of one domain on its host.

    ``config`` is libxl's configuration as ``xl list -l`` prints it, with passwords masked; null: xl cannot migrate it.
    ``xenstore`` is null when it could not be read. ``links`` has the real path of each disk's file behind a link.
    ``cpu_policy`` is the processor that it was shown, null where that is not known.
    """

    RECORDS = {"state": DomainState, "xenstore": XenStoreFacts, "config_files": ConfigFile, "cpu_policy": Policy}

    domid: int
    uuid: str
    name: str
    state: DomainState
    config: t.Mapping[str, t.Any] | None
    memory_mib: int
    memory_max_kib: int | None
    vcpus: int
    type: str | None
    xenstore: XenStoreFacts | None
    links: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    config_files: tuple[ConfigFile, ...] = ()
    cpu_policy: Policy | None = None
