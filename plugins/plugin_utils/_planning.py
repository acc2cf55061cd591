# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host has the domain that is named, and what its move is called (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.identity import SETTLE_FIRST
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._meant import means
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    INCOMING,
    MIGRATED_AWAY,
    DomainRow,
    HostFacts,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.listing import CONNECTION, DOMAINS_GROUP, host_name

Hosts = t.Mapping[str, HostFacts]


class DomainAmbiguous(Dom0XenError):
    """The name means more than one domain."""

    code = "domain_ambiguous"
    remedy = "Give the UUID, or name the source with -e source=HOST."


class DomainOnSeveralHosts(Dom0XenError):
    """Several hosts have a copy of one domain, and no session explains it."""

    code = "domain_on_several_hosts"
    remedy = (
        f"{SETTLE_FIRST}look at the copies with xl list -v on each host; keep the one that runs and is good, and"
        " destroy the other."
    )


class MoveNameTaken(Dom0XenError):
    """The inventory has a host that is called like the move."""

    code = "move_name_taken"
    remedy = "Rename that host in the inventory: a move must not inherit the address of a machine."


@dataclasses.dataclass(frozen=True)
class Move(Record):
    """One move. ``host`` is its name in the inventory, ``source`` is empty when no other host has the domain."""

    host: str
    domain: str
    uuid: str | None
    source: str
    destination: str


class NamesTaken(t.Container[str]):
    """The names that no move may have: those of all hosts that may be machines.

    Neither the moves that this run has made hosts, nor the domains that the inventory plugin lists, are.
    """

    def __init__(self, task_vars: t.Mapping[str, t.Any]) -> None:
        """Take what a task knows: ``groups`` and ``hostvars``."""
        groups = task_vars.get("groups") or {}
        self._machines = set(groups.get("all") or ()) - set(groups.get("dom0_moves") or ())
        self._domains = set(groups.get(DOMAINS_GROUP) or ())
        self._hostvars = task_vars.get("hostvars") or {}

    def __contains__(self, name: object) -> bool:
        if name not in self._machines:
            return False
        # Somebody may have given it a connection to the guest.
        return name not in self._domains or self._hostvars[name].get("ansible_connection") != CONNECTION


def plan_move(wanted: str, source: str, destination: str, hosts: Hosts, taken: t.Container[str]) -> Move:
    """Return the move of one domain, found by name or UUID.

    What speaks against it is left to the checks, so that all of it is told at once; a domain that no host has gives a
    move without UUID. Raises DomainAmbiguous, DomainOnSeveralHosts or MoveNameTaken, where no check could begin.
    """
    uuid = _uuid(wanted, source, hosts)
    found = _session_source(uuid, hosts) or source or (_owner(wanted, uuid, destination, hosts) if uuid else "")
    name = _name(uuid, hosts) or wanted
    host = host_name(name, found or destination)
    if host in taken:
        raise MoveNameTaken(f"the inventory has a host that is called {host}.")
    return Move(host, uuid or wanted, uuid, found, destination)


def _uuid(wanted: str, source: str, hosts: Hosts) -> str | None:
    """Return the UUID of the domain that is meant; a copy on the source that was named goes before all others."""
    guests = [(host, row) for host, facts in hosts.items() for row in facts.domains if row.domid]
    rows = [(host, row) for host, row in guests if means(wanted, row.uuid, row.name)]
    meant = {row.uuid for host, row in rows if host == source} or {row.uuid for dummy, row in rows}
    if len(meant) > 1:
        places = ", ".join(f"{host} (domid {row.domid}, UUID {row.uuid})" for host, row in rows if row.uuid in meant)
        raise DomainAmbiguous(f"{wanted!r} is the name of more than one domain: {places}.")
    # In the middle of a migration no copy may carry the name.
    meant = meant or {
        session.domain.uuid
        for facts in hosts.values()
        for session in facts.sessions
        if session.alive and session.domain.uuid and means(wanted, session.domain.uuid, session.domain.name)
    }
    return meant.pop() if len(meant) == 1 else None


def _session_source(uuid: str | None, hosts: Hosts) -> str | None:
    """Return the host whose sender moves this domain at this moment."""
    for host, facts in hosts.items():
        for session in facts.sessions:
            if uuid and session.alive and session.role == SENDER and session.domain.uuid == uuid:
                return host
    return None


def _owner(wanted: str, uuid: str, destination: str, hosts: Hosts) -> str:
    """Return the host that has the domain, or when it has arrived the host that it came from, or an empty text."""
    copies = {host: rows for host, facts in hosts.items() if (rows := [r for r in facts.domains if r.uuid == uuid])}
    proper = [host for host, rows in copies.items() if any(_proper(row) for row in rows)] or list(copies)
    if len(proper) > 1:
        places = ", ".join(f"{host} ({', '.join(row.name for row in copies[host])})" for host in proper)
        raise DomainOnSeveralHosts(f"{wanted!r} is on more than one host: {places}.")
    if proper != [destination]:
        return proper[0] if proper else ""
    return _came_from(uuid, destination, hosts)


def _came_from(uuid: str, destination: str, hosts: Hosts) -> str:
    arrived = [s.session for s in hosts[destination].sessions if s.role == RECEIVER and s.domain.uuid == uuid]
    for session in arrived:
        for host, facts in hosts.items():
            if host != destination and any(s.session == session and s.role == SENDER for s in facts.sessions):
                return host
    return ""


def _proper(row: DomainRow) -> bool:
    return not row.name.endswith((INCOMING, MIGRATED_AWAY))


def _name(uuid: str | None, hosts: Hosts) -> str | None:
    for facts in hosts.values():
        for row in facts.domains:
            if uuid and row.uuid == uuid:
                return row.name.removesuffix(INCOMING).removesuffix(MIGRATED_AWAY)
    return None
