# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for domains and hosts, as the inventory's variables give them (pure; private to the collection).

Each dom0 sees the variables of its own place in the inventory, so each gives its own view (:class:`Given`); the fleet's
rules are all of these together (:func:`merge`), and hold for a domain wherever it is. Names mean all domains of that
name. :func:`resolve` says which domain each rule is about, by UUID.
"""

from __future__ import annotations

import dataclasses

from ansible_collections.dom0.xen.plugins.module_utils._record import Record

DOMAINS_VARIABLE = "dom0_xen_domains"
GROUPS_VARIABLE = "dom0_xen_groups"
HOST_VARIABLE = "dom0_xen_host"

# It is never moved to another host.
NEVER_MOVE = "never_move"
# It is moved when all others of its host have been, such as a router or the storage of the others.
MOVE_LAST = "move_last"
# When its host is emptied it is shut down there in place of being moved.
STOP_FOR_MAINTENANCE = "stop_for_maintenance"
MEANINGS = (NEVER_MOVE, MOVE_LAST, STOP_FOR_MAINTENANCE)

TOGETHER, APART = "together", "apart"


@dataclasses.dataclass(frozen=True)
class DomainRule(Record):
    """What is said of a domain, given by name or UUID (lower case); ``allowed`` are the hosts it may go to, or any."""

    domain: str
    tags: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class GroupRule(Record):
    """Domains that are to be on one host (``keep`` together) or each on another (apart).

    They are named by name or UUID; ``tag`` means all domains with that tag as well, if it is not empty.
    """

    name: str
    keep: str
    domains: tuple[str, ...] = ()
    tag: str = ""


@dataclasses.dataclass(frozen=True)
class HostRule(Record):
    """What is said of a dom0, by its name in the inventory.

    ``reserve_mib`` of its memory are left free; a host with twice the ``weight`` takes twice as much (0: only when no
    other can); ``closed``: no domain goes there; ``allowed`` are the hosts that its domains may go to, or any.
    """

    host: str
    reserve_mib: int = 0
    weight: float = 1.0
    closed: bool = False
    allowed: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Given(Record):
    """What the variables of one dom0 say."""

    RECORDS = {"domains": DomainRule, "groups": GroupRule, "host": HostRule}

    host: HostRule
    domains: tuple[DomainRule, ...] = ()
    groups: tuple[GroupRule, ...] = ()


@dataclasses.dataclass(frozen=True)
class Rules(Record):
    """What is said of the whole fleet, as it was given."""

    RECORDS = {"domains": DomainRule, "groups": GroupRule, "hosts": HostRule}

    domains: tuple[DomainRule, ...] = ()
    groups: tuple[GroupRule, ...] = ()
    hosts: tuple[HostRule, ...] = ()

    def host(self, name: str) -> HostRule:
        """Return what is said of a dom0."""
        return next((rule for rule in self.hosts if rule.host == name), HostRule(name))


@dataclasses.dataclass(frozen=True)
class DomainRules(Record):
    """What is said of one domain, by its UUID."""

    uuid: str
    tags: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    @property
    def never_move(self) -> bool:
        """Whether it is never moved to another host."""
        return NEVER_MOVE in self.tags

    @property
    def move_last(self) -> bool:
        """Whether it is moved when all others of its host have been."""
        return MOVE_LAST in self.tags

    @property
    def stop_for_maintenance(self) -> bool:
        """Whether it is shut down, not moved, when its host is emptied."""
        return STOP_FOR_MAINTENANCE in self.tags


@dataclasses.dataclass(frozen=True)
class Group(Record):
    """Domains that are to be on one host (``keep`` together) or each on another (apart), by UUID."""

    name: str
    keep: str
    uuids: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Resolved(Record):
    """The rules by the UUIDs of the domains that there are; ``unmatched`` are names and UUIDs that no domain has."""

    RECORDS = {"domains": DomainRules, "groups": Group, "hosts": HostRule}

    domains: tuple[DomainRules, ...] = ()
    groups: tuple[Group, ...] = ()
    hosts: tuple[HostRule, ...] = ()
    unmatched: tuple[str, ...] = ()

    def domain(self, uuid: str) -> DomainRules:
        """Return what is said of a domain. Looks through all of them: for many domains use :meth:`by_uuid`."""
        return next((rules for rules in self.domains if rules.uuid == uuid), DomainRules(uuid))

    def by_uuid(self) -> dict[str, DomainRules]:
        """Return what is said of the domains, without those of which nothing is said."""
        return {rules.uuid: rules for rules in self.domains}

    def host(self, name: str) -> HostRule:
        """Return what is said of a dom0."""
        return next((rule for rule in self.hosts if rule.host == name), HostRule(name))
