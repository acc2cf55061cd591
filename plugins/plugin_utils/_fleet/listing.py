# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts of an inventory the domains of a fleet become (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import FactsTooOld, RulesContradict
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Dom0, Fleet, base_name
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.table import age, several_places

CONNECTION = "dom0.xen.move"
VARIABLE = "dom0_xen_domain"
DOMAINS_GROUP = "dom0_xen_domains"
WARN, LEAVE_OUT, FAIL = "warn", "leave_out", "fail"


@dataclasses.dataclass(frozen=True)
class Listed:
    """A domain as a host: its name, what is known of it as plain data, and the names of its groups."""

    host: str
    facts: dict[str, t.Any]
    groups: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Listing:
    """The domains as hosts, and what the user should know."""

    domains: tuple[Listed, ...]
    warnings: tuple[str, ...]


def host_name(domain: str, dom0: str) -> str:
    """Return what the domain of a name on a dom0 is called as a host, and so is its move."""
    return f"{re.sub(r'[^A-Za-z0-9_.+-]', '_', domain)}@{dom0}"


def oldest_s(fleet: Fleet, now_s: float) -> float:
    """Return how old the oldest of what is known is, in seconds; infinite where something was never asked."""
    return max((max(0.0, now_s - dom0.asked_s) for dom0 in fleet.dom0s), default=float("inf"))


def listed(fleet: Fleet, now_s: float, max_age_s: float, too_old: str, taken: t.Collection[str]) -> Listing:
    """Return the domains as hosts; ``taken`` are the names of hosts that are there. ``max_age_s`` 0 is any age.

    Raises FactsTooOld. Rules that contradict each other are a warning, and then no domain has tags.
    """
    warnings = several_places(fleet)
    try:
        tags = {uuid: rules.tags for uuid, rules in fleet.resolved.by_uuid().items()}
    except RulesContradict as exc:
        warnings.append(f"No domain has tags: {exc.as_result()['msg']}")
        tags = {}
    names = set(taken)
    domains = []
    for dom0 in fleet.dom0s:
        told = dom0.latest
        if dom0.trouble is not None:
            warnings.append(_in_trouble(dom0, now_s))
        if told is None or not _young_enough(dom0, now_s, max_age_s, too_old, warnings):
            continue
        for domain in sorted(told.domains, key=lambda each: (each.name, each.domid)):
            if not domain.name or base_name(domain.name) != domain.name:
                continue
            host = host_name(domain.name, dom0.name)
            if host in names:
                warnings.append(f"The inventory has a host {host} already: the domain {domain.uuid} is left out.")
                continue
            names.add(host)
            domains.append(_one(host, dom0, domain, tags.get(domain.uuid, ()), now_s))
    return Listing(tuple(domains), tuple(warnings))


def _young_enough(dom0: Dom0, now_s: float, max_age_s: float, too_old: str, warnings: list[str]) -> bool:
    age_s = dom0.age_s(now_s) or 0.0
    if not max_age_s or age_s <= max_age_s:
        return True
    message = f"What {dom0.name} told is from {age(age_s)}"
    if too_old == FAIL:
        raise FactsTooOld(f"{message}, older than {max_age_s:g} s.", host=dom0.name)
    left = "; its domains are left out" if too_old == LEAVE_OUT else ""
    warnings.append(f"{message}, and may hold no longer{left}: run the playbook dom0.xen.facts.")
    return too_old != LEAVE_OUT


def _in_trouble(dom0: Dom0, now_s: float) -> str:
    message = dom0.trouble.message if dom0.trouble else ""
    known = f"its domains are those of {age(dom0.age_s(now_s) or 0.0)}" if dom0.latest else "its domains are not known"
    return f"{dom0.name} told nothing when it was asked {age(max(0.0, now_s - dom0.asked_s))} ({message}); {known}."


def _one(host: str, dom0: Dom0, domain: DomainFacts, tags: tuple[str, ...], now_s: float) -> Listed:
    state = domain.state.word
    facts = {
        "name": domain.name,
        "uuid": domain.uuid,
        "domid": domain.domid,
        "dom0": dom0.name,
        "state": state,
        "memory_mib": domain.memory_mib,
        "vcpus": domain.vcpus,
        "type": domain.type,
        "tags": list(tags),
        "age_s": round(dom0.age_s(now_s) or 0.0, 1),
        "trouble": dom0.trouble.code if dom0.trouble else "",
    }
    groups = (f"dom0_xen_on_{dom0.name}", f"dom0_xen_state_{state}", *(f"dom0_xen_tag_{tag}" for tag in tags))
    return Listed(host, facts, groups)
