# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of what the dom0s of a fleet told (pure; private to the collection). Times in s since 1970, controller's."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    INCOMING,
    MIGRATED_AWAY,
    DomainFacts,
    HostFacts,
    Problem,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.resolving import resolve
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import Resolved, Rules

UNREACHABLE, NO_FACTS, NO_DOMAINS = "unreachable", "no_facts", "no_domains"


@dataclasses.dataclass(frozen=True)
class Told(Record):
    """What a dom0 told when it was asked at ``asked_s``: itself, and its domains without the host's own."""

    RECORDS = {"host": HostFacts, "domains": DomainFacts}

    asked_s: float
    host: HostFacts
    domains: tuple[DomainFacts, ...]


@dataclasses.dataclass(frozen=True)
class Dom0(Record):
    """A dom0 by its name in the inventory, and what it told, or the trouble why it told nothing: one of them is null.

    ``trouble.code`` is UNREACHABLE, NO_FACTS (the module failed), or NO_DOMAINS (it told about itself, but could not
    list its domains, which then are not known: its ``message`` has why). ``before`` is what a host in trouble told
    when it last could; that may hold no longer. ``asked_s`` is when it was last asked, whatever came of it.
    """

    RECORDS = {"told": Told, "trouble": Problem, "before": Told}

    name: str
    asked_s: float
    told: Told | None
    trouble: Problem | None = None
    before: Told | None = None

    @property
    def latest(self) -> Told | None:
        """What it told last, now or before."""
        return self.told or self.before

    @property
    def host(self) -> HostFacts | None:
        """The facts of the host, null when it is in trouble."""
        return self.told.host if self.told else None

    @property
    def domains(self) -> tuple[DomainFacts, ...]:
        """The domains without the host's own; none when it is in trouble, so look at that first."""
        return self.told.domains if self.told else ()

    def age_s(self, now_s: float) -> float | None:
        """Return how long ago it told what is known of it, null when nothing is. Never negative: clocks are set."""
        return max(0.0, now_s - self.latest.asked_s) if self.latest else None


@dataclasses.dataclass(frozen=True)
class Place(Record):
    """A domain, and the dom0 (by its name in the inventory) that told of it."""

    RECORDS = {"domain": DomainFacts}

    dom0: str
    domain: DomainFacts


@dataclasses.dataclass(frozen=True)
class Fleet(Record):
    """All dom0s that are known, sorted by name, and the rules."""

    RECORDS = {"dom0s": Dom0, "rules": Rules}

    dom0s: tuple[Dom0, ...]
    rules: Rules = Rules()

    @functools.cached_property
    def by_name(self) -> t.Mapping[str, Dom0]:
        """The dom0s by name."""
        return {dom0.name: dom0 for dom0 in self.dom0s}

    @property
    def places(self) -> tuple[Place, ...]:
        """All domains of the hosts that told, in the hosts' order. A UUID may be there more than once."""
        return tuple(Place(dom0.name, domain) for dom0 in self.dom0s for domain in dom0.domains)

    @functools.cached_property
    def by_uuid(self) -> t.Mapping[str, tuple[Place, ...]]:
        """The domains by UUID; with more than one place it runs twice, or is being moved."""
        found: dict[str, tuple[Place, ...]] = {}
        for place in self.places:
            found[place.domain.uuid] = (*found.get(place.domain.uuid, ()), place)
        return found

    @property
    def troubled(self) -> tuple[Dom0, ...]:
        """The hosts that told nothing."""
        return tuple(dom0 for dom0 in self.dom0s if dom0.trouble is not None)

    @functools.cached_property
    def resolved(self) -> Resolved:
        """The rules by UUID, over what is known last of each host. Raises RulesContradict."""
        known = [domain for dom0 in self.dom0s if dom0.latest for domain in dom0.latest.domains]
        return resolve(self.rules, [(domain.uuid, base_name(domain.name)) for domain in known])


def base_name(name: str) -> str:
    """Return the name of a domain without what xl appends to that of a copy which comes or has gone."""
    return name.removesuffix(INCOMING).removesuffix(MIGRATED_AWAY)
