# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that all dom0s give together, and which domains they are about (pure; private to the collection)."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import RulesContradict
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import (
    APART,
    DOMAINS_VARIABLE,
    GROUPS_VARIABLE,
    MOVE_LAST,
    NEVER_MOVE,
    TOGETHER,
    DomainRule,
    DomainRules,
    Given,
    Group,
    GroupRule,
    Resolved,
    Rules,
)

Named = t.TypeVar("Named", DomainRule, GroupRule)


def merge(given: t.Iterable[Given]) -> Rules:
    """Return the rules that these dom0s give. The same rule may be given by many; raises RulesContradict otherwise."""
    views = sorted(given, key=lambda view: view.host.host)
    domains = _agreed(
        DOMAINS_VARIABLE, [(view.host.host, rule.domain, rule) for view in views for rule in view.domains]
    )
    groups = _agreed(GROUPS_VARIABLE, [(view.host.host, rule.name, rule) for view in views for rule in view.groups])
    return Rules(domains, groups, tuple(view.host for view in views))


def _agreed(variable: str, rules: t.Iterable[tuple[str, str, Named]]) -> tuple[Named, ...]:
    first: dict[str, tuple[str, Named]] = {}
    for host, name, rule in rules:
        other, said = first.setdefault(name, (host, rule))
        if said != rule:
            raise RulesContradict(
                f"{variable} says of {name!r} for {other}: {shown(said)}; for {host}: {shown(rule)}.",
                remedy="Give it once, for all dom0s: Ansible does not merge variables of groups and hosts.",
            )
    return tuple(first[name][1] for name in sorted(first))


def shown(rule: DomainRule | GroupRule) -> str:
    """Return what a rule says, for a sentence, without whom it is about."""
    if isinstance(rule, GroupRule):
        members = [*rule.domains, *([f"tag {rule.tag}"] if rule.tag else [])]
        return f"{rule.keep}: {', '.join(members)}"
    allowed = [f"allowed: {', '.join(rule.allowed)}"] if rule.allowed else []
    return "; ".join([f"tags: {', '.join(rule.tags) or 'none'}", *allowed])


def resolve(rules: Rules, domains: t.Iterable[tuple[str, str]]) -> Resolved:
    """Return the rules by UUID; ``domains`` are the UUID and name of each. Raises RulesContradict, naming the cause."""
    names: dict[str, set[str]] = {}
    uuids: dict[str, set[str]] = {}
    for uuid, name in domains:
        names.setdefault(name, set()).add(uuid)
        uuids.setdefault(uuid, set()).add(name)
    by_domain = {rule.domain: rule for rule in rules.domains}
    found = tuple(each for uuid in sorted(uuids) if (each := _of_domain(uuid, uuids[uuid], by_domain)) is not None)
    tagged: dict[str, set[str]] = {}
    for each in found:
        for tag in each.tags:
            tagged.setdefault(tag, set()).add(each.uuid)
    groups = tuple(_group(rule, names, uuids, tagged) for rule in rules.groups)
    _require_no_contradiction(groups, uuids)
    wanted = [*by_domain, *(domain for rule in rules.groups for domain in rule.domains)]
    unmatched = sorted({name for name in wanted if name not in names and name not in uuids})
    return Resolved(found, groups, rules.hosts, tuple(unmatched))


def _of_domain(uuid: str, names: set[str], rules: t.Mapping[str, DomainRule]) -> DomainRules | None:
    said = [rules[key] for key in [uuid, *sorted(names)] if key in rules]
    if not said:
        return None
    for one, other in itertools.combinations(said, 2):
        if (one.tags, one.allowed) != (other.tags, other.allowed):
            raise RulesContradict(
                f"{one.domain!r} and {other.domain!r} are the same domain, and {DOMAINS_VARIABLE} says of the first: "
                f"{shown(one)}; of the second: {shown(other)}.",
                remedy="Name the domain once, by its name or its UUID.",
            )
    return DomainRules(uuid, said[0].tags, said[0].allowed)


def _group(
    rule: GroupRule,
    names: t.Mapping[str, t.Collection[str]],
    uuids: t.Mapping[str, t.Collection[str]],
    tagged: t.Mapping[str, t.Collection[str]],
) -> Group:
    members = set(tagged.get(rule.tag, ()))
    for domain in rule.domains:
        members.update(names.get(domain, ()))
        members.update({domain} & uuids.keys())
    return Group(rule.name, rule.keep, tuple(sorted(members)))


def _require_no_contradiction(groups: t.Sequence[Group], uuids: t.Mapping[str, t.Collection[str]]) -> None:
    """Domains that groups keep together, also by way of others, must not be kept apart by another group."""
    together: dict[str, tuple[set[str], list[str]]] = {}
    for group in groups:
        if group.keep != TOGETHER:
            continue
        members, causes = set(group.uuids), [group.name]
        for known, known_causes in {id(each): each for uuid in group.uuids if (each := together.get(uuid))}.values():
            members |= known
            causes += known_causes
        for uuid in members:
            together[uuid] = members, causes
    for group in groups:
        for one, other in itertools.combinations(group.uuids, 2) if group.keep == APART else ():
            if one in together and other in together[one][0]:
                causes = sorted(together[one][1])
                raise RulesContradict(
                    f"{GROUPS_VARIABLE}: {' and '.join(causes)} {'keeps' if len(causes) == 1 else 'keep'} "
                    f"{_called(one, uuids)} and {_called(other, uuids)} together, and {group.name} keeps them apart."
                )


def _called(uuid: str, uuids: t.Mapping[str, t.Collection[str]]) -> str:
    return f"{min(uuids[uuid])} ({uuid})"


def tags_against(tags: t.Container[str], allowed: t.Collection[str]) -> str:
    """Return why the tags of one domain, and the hosts it may go to, contradict each other; empty when they do not.

    ``never_move`` with ``stop_for_maintenance`` is no contradiction: such a domain stays on its host, and is shut down
    while that is maintained.
    """
    if NEVER_MOVE not in tags:
        return ""
    if MOVE_LAST in tags:
        return f"a domain that is never moved ({NEVER_MOVE}) is not moved last ({MOVE_LAST}) either"
    if allowed:
        return f"a domain that is never moved ({NEVER_MOVE}) goes to none of the hosts that are allowed"
    return ""
