# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks take and give (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import Equipment
from ansible_collections.dom0.xen.plugins.module_utils._mapping import Names
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    Address,
    DomainFacts,
    DomainRow,
    HostFacts,
    SessionSeen,
)
from ansible_collections.dom0.xen.plugins.module_utils._transports import TLS

ERROR = "error"
WARNING = "warning"
WAIVED = "waived"

NOT_IN_INVENTORY = "host_not_in_inventory"
UNREACHABLE = "host_unreachable"
NO_FACTS = "host_without_facts"


@dataclasses.dataclass(frozen=True)
class HostTrouble(Record):
    """Why there are no facts of a host: one of the three codes above, and the words of whoever tried."""

    code: str
    message: str = ""


@dataclasses.dataclass(frozen=True)
class MoveRequest(Record):
    """What the caller wants. ``domain`` is a name, UUID or domid; the hosts are names of the inventory; memory in MiB.

    ``source`` is None when the caller did not name it and no host but, at most, the destination has the domain.
    ``memory_reserve_mib`` is to stay free at the destination; ``dom0_memory_min_mib`` is what dom0 there must keep when
    xl shrinks it (autoballoon). ``method`` is live, suspend, cold, or auto for whichever can be had, the best first;
    ``allow_cold``: auto may be cold. ``config_path`` is the file that the caller named: a domain which is shut down is
    made from it, and any other is described by it at the destination. ``transport`` tcp is refused without
    ``allow_plain``. ``destination_address`` is where the source is to connect; empty: not checked. ``waive`` are codes
    of findings that are not to refuse. ``follow_config``: whether the domain's configuration file goes with it.
    ``map_bridges`` and ``map_disks`` are the destination's names by the source's; with ``leave_paused`` the domain is
    not started at the destination; with ``preserve_domid`` it has the number there that it has now.

    Of ``networks`` the first that both hosts are in is to carry the bytes. ``asked_address`` is what the caller has
    given for the destination, ``source_host_address`` and ``destination_host_address`` what the inventory has for each
    host; ``listen_address`` is where the caller wants the receiver to listen. ``looked_up`` are the addresses that
    ``destination_address`` has for the source, None where it has not been asked for them.
    """

    RECORDS = {"source_trouble": HostTrouble, "destination_trouble": HostTrouble}

    domain: str
    source: str | None
    destination: str
    source_trouble: HostTrouble | None = None
    destination_trouble: HostTrouble | None = None
    inventory: tuple[str, ...] = ()
    allow_same_host: bool = False
    method: str = "auto"
    transport: str = TLS
    allow_plain: bool = False
    memory_reserve_mib: int = 0
    dom0_memory_min_mib: int = 512
    destination_address: str = ""
    waive: tuple[str, ...] = ()
    follow_config: bool = True
    allow_cold: bool = False
    config_path: str = ""
    map_bridges: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    map_disks: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    leave_paused: bool = False
    preserve_domid: bool = False
    networks: tuple[str, ...] = ()
    asked_address: str = ""
    source_host_address: str = ""
    destination_host_address: str = ""
    listen_address: str = ""
    looked_up: tuple[str, ...] | None = None

    @property
    def names(self) -> Names:
        """What the destination calls by another name."""
        return Names(self.map_bridges, self.map_disks)


@dataclasses.dataclass(frozen=True)
class Finding(Record):
    """Something that speaks against the move (severity error; waived when a person has taken it upon himself), or that
    a person should know (warning).
    """

    code: str
    severity: str
    host: str
    message: str
    remedy: str
    details: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class PlannedDomain(Record):
    """The domain of a plan; ``domid`` is the one it has now, at the destination when it is already there."""

    uuid: str
    name: str
    domid: int
    type: str | None
    memory_max_kib: int | None


@dataclasses.dataclass(frozen=True)
class PlannedEnd(Record):
    """An end of the connection: its address, empty where the host chooses it by its routes, and the interface that has
    it, null where that is not known.
    """

    address: str = ""
    interface: str | None = None


@dataclasses.dataclass(frozen=True)
class PlannedPath(Record):
    """The way that the bytes are to take; ``network`` is the one of those asked for, empty where none was."""

    RECORDS = {"source": PlannedEnd, "destination": PlannedEnd}

    network: str = ""
    source: PlannedEnd = PlannedEnd()
    destination: PlannedEnd = PlannedEnd()


@dataclasses.dataclass(frozen=True)
class Plan(Record):
    """What would be done; memory in KiB. ``balloon_kib`` is what dom0 at the destination would have to give up.

    ``method_reason`` says why that ``method``, for a sentence. ``addresses`` are those that the source can reach the
    destination at, as far as facts can tell. ``autostart`` are the files on the source that would make a second copy at
    its next boot, and so are set aside. ``config_path`` is the file there that a domain which is shut down is made
    from, or that describes any other at the destination (``config_digest`` is its SHA-256 if it was named). ``mapped``
    tells what of the domain the destination calls by another name (``what``, ``from``, ``to``), ``leave_paused``
    whether the domain is not started there, ``keep_domid`` the number that it keeps there, 0 for any. ``path`` is null
    when it is there already.
    """

    RECORDS = {"domain": PlannedDomain, "addresses": Address, "path": PlannedPath}

    already_there: bool
    source: str | None
    destination: str
    same_host: bool
    method: str
    method_reason: str
    transport: str
    domain: PlannedDomain
    memory_needed_kib: int | None
    memory_free_kib: int | None
    balloon_kib: int
    addresses: tuple[Address, ...]
    autostart: tuple[str, ...] = ()
    config_path: str = ""
    config_digest: str = ""
    mapped: tuple[t.Mapping[str, str], ...] = ()
    leave_paused: bool = False
    keep_domid: int = 0
    path: PlannedPath | None = None


@dataclasses.dataclass(frozen=True)
class Case:
    """All that the checks may look at."""

    source: HostFacts | None
    destination: HostFacts | None
    domain: DomainFacts | None
    request: MoveRequest

    @property
    def source_name(self) -> str:
        """The source for a sentence."""
        return self.request.source or "the source"

    @property
    def same_host(self) -> bool:
        """Whether source and destination are one host, under one name or two.

        A boot's identity is unique to a machine; the host's name is compared as well, so that copies of a machine that
        were made while it ran are told apart once they have names of their own.
        """
        if self.request.source == self.request.destination:
            return True
        if self.source is None or self.destination is None:
            return False
        return (self.source.boot_id, self.source.hostname) == (self.destination.boot_id, self.destination.hostname)

    @property
    def config(self) -> t.Mapping[str, t.Any]:
        """The domain's configuration, empty when there is none."""
        return (self.domain.config if self.domain else None) or {}

    @property
    def equipment_there(self) -> Equipment | None:
        """What the destination has, where it was looked at and may differ from what the source has."""
        if self.domain is None or self.domain.domid == 0 or self.destination is None or self.same_host:
            return None
        return self.destination.equipment if self.destination.equipment.processor is not None else None

    @property
    def arriving(self) -> t.Mapping[str, t.Any]:
        """The configuration as the destination gets it, with its own names in it."""
        return self.request.names.applied(self.config)

    @property
    def build(self) -> t.Mapping[str, t.Any]:
        """The part ``b_info`` of the configuration."""
        return self.config.get("b_info") or {}

    @property
    def creation(self) -> t.Mapping[str, t.Any]:
        """The part ``c_info`` of the configuration."""
        return self.config.get("c_info") or {}

    def others(self, host: HostFacts | None) -> tuple[DomainRow, ...]:
        """Return the domains of a host, without the copy that is to be moved."""
        rows = host.domains if host else ()
        if self.domain is None or (host is not self.source and not self.same_host):
            return rows
        return tuple(row for row in rows if row.domid != self.domain.domid)

    def concerns(self, session: SessionSeen) -> bool:
        """Say whether a session is about the domain; by name only while nobody knows the UUID."""
        if self.domain is not None:
            return session.domain.uuid == self.domain.uuid
        wanted = self.request.domain
        return session.domain.name == wanted or session.domain.uuid == wanted.lower()

    @property
    def session_running(self) -> bool:
        """Whether a session that is about the domain runs on either host."""
        return any(
            session.alive and self.concerns(session)
            for facts in (self.source, self.destination)
            if facts is not None
            for session in facts.sessions
        )

    def error(self, code: str, host: str, message: str, remedy: str, **details: t.Any) -> Finding:
        """Return a finding that forbids the move."""
        return Finding(code, ERROR, host, message, remedy, details)

    def warning(self, code: str, host: str, message: str, remedy: str, **details: t.Any) -> Finding:
        """Return a finding that does not forbid the move."""
        return Finding(code, WARNING, host, message, remedy, details)


Rule = t.Callable[[Case], t.Iterator[Finding]]


def is_true(value: t.Any) -> bool:
    """Say whether a boolean of libxl's JSON is set: a defbool is the text "True", "False" or "<default>"."""
    return value is True or value == "True"


def listed(values: t.Iterable[t.Any]) -> str:
    """Return the values for a sentence, or "none"."""
    return ", ".join(str(value) for value in values) or "none"
