# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the facts of a fleet to the planner's question (pure; private to the collection)."""

from __future__ import annotations

import collections
import dataclasses
import difflib
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands as commands
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER
from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, MIGRATED_AWAY, DomainFacts, HostFacts
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Dom0, Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import Group, Guest, Host, Question
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Pairs, Settings

_LEFTOVERS = (INCOMING, MIGRATED_AWAY)
# So many pairs of a domain and a host the checks are asked about without a thought: some three seconds.
_MANY = 20000


class HostUnknown(Dom0XenError):
    """A host was named that the inventory does not have among its dom0s."""

    code = "host_not_in_inventory"
    remedy = "Name dom0s of the inventory, as they are called there, or a group of them."


class HostSilent(Dom0XenError):
    """A host that is to be emptied did not tell of itself, or of its domains."""

    code = "host_without_facts"
    remedy = "See that the host answers; what is on a dead host cannot be moved."


class NothingNamed(Dom0XenError):
    """It was not said which hosts are to be emptied."""

    code = "question_incomplete"
    remedy = "Name them: -e dom0s=xen1,xen2"


class DomainTwice(Dom0XenError):
    """A domain is on two hosts."""

    code = "domain_on_two_hosts"
    remedy = f"Settle first who has it; this tells what to do: {commands.playbook('audit')}"


@dataclasses.dataclass(frozen=True)
class Stage:
    """What a question was made of: the domains by UUID, with their hosts, and warnings for people."""

    fleet: Fleet
    pairs: Pairs
    settings: Settings
    empty: tuple[str, ...]
    domains: t.Mapping[str, tuple[str, DomainFacts]]
    sizes: t.Mapping[str, int]
    hosts: tuple[Host, ...]
    leftovers: tuple[tuple[str, DomainFacts], ...]
    warnings: tuple[str, ...]
    wanted: t.Mapping[str, str]


def stage(fleet: Fleet, empty: t.Sequence[str], settings: Settings, wanted: t.Mapping[str, str] | None = None) -> Stage:
    """Look through the facts; ``wanted`` is the host for each UUID that is to be brought to a certain one.

    Raises:
        HostUnknown: a host was named that is none of the fleet's
        HostSilent: of one that is to be emptied nothing is known
        DomainTwice: a domain that is to be moved is on two hosts
        RulesContradict: the rules contradict each other
    """
    wish = dict(wanted or {})
    for name in [*empty, *wish.values()]:
        _require_known(name, fleet)
    for name in dict.fromkeys(empty):
        dom0 = fleet.by_name[name]
        if dom0.trouble is not None:
            raise HostSilent(
                f"what is on {name} is not known: {dom0.trouble.message}.", host=name, remedy=dom0.trouble.remedy
            )
    warnings = [f"{d.name} is left out: {d.trouble.message}" for d in fleet.troubled if d.trouble is not None]
    for dom0 in fleet.dom0s:
        if dom0.host is not None and dom0.name not in empty and not _receives(dom0, fleet):
            why = " ".join(problem.message for problem in dom0.host.problems) or "it is closed (dom0_xen_host)."
            warnings.append(f"{dom0.name} receives nothing: {why}")
    pairs = Pairs(fleet, settings)
    domains: dict[str, tuple[str, DomainFacts]] = {}
    leftovers = []
    for place in fleet.places:
        if place.domain.name.endswith(_LEFTOVERS):
            leftovers.append((place.dom0, place.domain))
            continue
        there = domains.setdefault(place.domain.uuid, (place.dom0, place.domain))
        if there[0] == place.dom0:
            continue
        both = f"{place.domain.name} ({place.domain.uuid}) is on {there[0]} and on {place.dom0}."
        if {there[0], place.dom0} & set(empty) or place.domain.uuid in wish:
            raise DomainTwice(both, hosts=[there[0], place.dom0], uuid=place.domain.uuid)
        warnings.append(f"{both} It is left alone; this tells what to do: {commands.playbook('audit')}")
    sizes = {uuid: pairs.size_mib(domain, host) for uuid, (host, domain) in domains.items()}
    held = _held(fleet, sizes)
    hosts = tuple(_host(dom0, fleet, settings, held, set(empty)) for dom0 in fleet.dom0s if dom0.host is not None)
    unmatched = fleet.resolved.unmatched
    if unmatched:
        warnings.append(f"There is a rule for {', '.join(unmatched)}, but no such domain.")
    return Stage(
        *(fleet, pairs, settings, tuple(dict.fromkeys(empty)), domains, sizes, hosts),
        *(tuple(leftovers), tuple(warnings), wish),
    )


def _require_known(name: str, fleet: Fleet) -> None:
    if name in fleet.by_name:
        return
    near = difflib.get_close_matches(name, fleet.by_name, 1)
    hint = f" Is {near[0]} meant?" if near else f" It has: {', '.join(sorted(fleet.by_name)[:20])}."
    raise HostUnknown(f"{name} is no dom0 of the inventory.{hint}", host=name)


def _held(fleet: Fleet, sizes: t.Mapping[str, int]) -> dict[str, int]:
    """Return what domains that are on their way to each host still have to get there."""
    held: dict[str, int] = collections.Counter()
    for dom0 in fleet.dom0s:
        host = dom0.host
        for session in host.sessions if host else ():
            uuid = session.domain.uuid
            if session.role != RECEIVER or not session.alive or uuid is None or host is None:
                continue
            there = sum(row.memory_mib for row in host.domains if row.uuid == uuid)
            held[dom0.name] += max(0, sizes.get(uuid, 0) - there)
    return held


def _host(dom0: Dom0, fleet: Fleet, settings: Settings, held: t.Mapping[str, int], empty: t.Container[str]) -> Host:
    facts = t.cast(HostFacts, dom0.host)
    rule = fleet.rules.host(dom0.name)
    free = facts.free_memory_mib or 0
    if facts.autoballoon and facts.dom0_memory_mib is not None:
        free += max(0, facts.dom0_memory_mib - max(128, settings.dom0_memory_min_mib))
    cpus = None
    if settings.vcpus_per_cpu and facts.cpus is not None:
        used = sum(domain.vcpus for domain in dom0.domains)
        cpus = max(0, int(facts.cpus * settings.vcpus_per_cpu) - used)
    return Host(
        name=dom0.name,
        free_mib=free - held.get(dom0.name, 0),
        vcpus_free=cpus,
        weight=rule.weight,
        reserve_mib=max(rule.reserve_mib, settings.memory_reserve_mib),
        receives=_receives(dom0, fleet) and dom0.name not in empty,
    )


def _receives(dom0: Dom0, fleet: Fleet) -> bool:
    host = dom0.host
    whole = host is not None and not host.problems and host.free_memory_mib is not None
    return whole and not fleet.rules.host(dom0.name).closed


def ask(found: Stage, room: bool, leave: bool) -> Question:
    """Return the question; ``room``: domains elsewhere may make room (their checks are asked as well)."""
    rules = found.fleet.resolved.by_uuid()
    receiving = [host for host in found.hosts if host.receives]
    narrow = len(found.domains) * len(receiving) > _MANY
    guests = []
    for uuid, (here, domain) in found.domains.items():
        rule = rules.get(uuid)
        wanted = (found.wanted[uuid],) if uuid in found.wanted else ()
        asked = here in found.empty or bool(wanted)
        limits = [set(each) for each in (rule.allowed if rule else (), found.fleet.rules.host(here).allowed) if each]
        stays = rule is not None and (rule.never_move or (rule.stop_for_maintenance and here not in found.empty))
        targets: list[str] = []
        if not stays and (asked or room):
            # In a large fleet what makes room goes to where there is some now, and no further.
            narrowed = narrow and not asked
            targets = [
                host.name
                for host in receiving
                if host.name != here
                and all(host.name in limit for limit in limits)
                and not (narrowed and found.sizes[uuid] > host.free_mib - host.reserve_mib)
                and found.pairs.possible(domain, here, host.name)
            ]
        guests.append(
            Guest(
                id=uuid,
                name=domain.name,
                host=here,
                size_mib=found.sizes[uuid],
                vcpus=domain.vcpus,
                targets=tuple(targets),
                movable=not stays,
                last=rule is not None and rule.move_last,
                stop=rule is not None and rule.stop_for_maintenance,
                wanted=wanted,
            )
        )
    groups = tuple(Group(group.name, group.keep, group.uuids) for group in found.fleet.resolved.groups)
    return Question(found.hosts, tuple(guests), found.empty, groups, leave)
