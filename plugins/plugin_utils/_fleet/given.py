# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the rules out of the inventory's variables (pure; private to the collection)."""

from __future__ import annotations

import math
import re
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._meant import uuid_in
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import RulesContradict, RulesInvalid
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.resolving import merge, tags_against
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import (
    APART,
    DOMAINS_VARIABLE,
    GROUPS_VARIABLE,
    HOST_VARIABLE,
    MEANINGS,
    TOGETHER,
    DomainRule,
    Given,
    GroupRule,
    HostRule,
    Rules,
)

VARIABLES = (DOMAINS_VARIABLE, GROUPS_VARIABLE, HOST_VARIABLE)

Variables = t.Mapping[str, t.Any]

_TAG = re.compile(r"\A\w[\w.:/+-]{0,63}\Z")
_MEANT = {meaning.replace("_", ""): meaning for meaning in MEANINGS}


def variables_of(dom0s: t.Iterable[str], hostvars: t.Mapping[str, Variables]) -> dict[str, Variables]:
    """Return those variables of each dom0 that hold rules, out of Ansible's ``hostvars``."""
    return {name: {key: hostvars[name][key] for key in VARIABLES if key in hostvars[name]} for name in dom0s}


def rules_of(variables: t.Mapping[str, Variables]) -> Rules:
    """Return the fleet's rules from the variables of each dom0, by its name in the inventory.

    Raises RulesInvalid and RulesContradict, both naming the variable, the dom0 and the cause.
    """
    return merge(given(host, values, variables) for host, values in variables.items())


def rules_among(dom0s: t.Iterable[str], task_vars: t.Mapping[str, t.Any] | None) -> Rules:
    """Return the rules that the inventory has for these dom0s, from the variables that Ansible gives an action plugin.

    Raises what :func:`rules_of` raises.
    """
    return rules_of(variables_of(dom0s, (task_vars or {}).get("hostvars") or {}))


def given(host: str, variables: Variables, dom0s: t.Container[str]) -> Given:
    """Return what the variables of one dom0 say; ``dom0s`` are the names of all of them."""
    domains = _entries(host, DOMAINS_VARIABLE, variables)
    groups = _entries(host, GROUPS_VARIABLE, variables)
    rules = [_domain(host, name, entry, dom0s) for name, entry in domains.items()]
    once: dict[str, DomainRule] = {}
    for rule in rules:
        if once.setdefault(rule.domain, rule) != rule:
            raise RulesContradict(f"{host}: {DOMAINS_VARIABLE} names {rule.domain!r} twice, with other words.")
    return Given(
        _host(host, _entries(host, HOST_VARIABLE, variables), dom0s),
        tuple(sorted(once.values(), key=lambda rule: rule.domain)),
        tuple(_group(host, name, entry) for name, entry in sorted(groups.items())),
    )


def _domain(host: str, name: str, entry: t.Any, dom0s: t.Container[str]) -> DomainRule:
    place = f"{host}: {DOMAINS_VARIABLE}[{name!r}]"
    values = _mapping(place, entry, ("tags", "allowed"))
    tags = tuple(sorted({_tag(place, tag) for tag in _texts(f"{place}.tags", values.get("tags"))}))
    allowed = _hosts(f"{place}.allowed", values.get("allowed"), dom0s)
    against = tags_against(tags, allowed)
    if against:
        raise RulesContradict(f"{place}: {against}.")
    return DomainRule(_identity(place, name), tags, allowed)


def _group(host: str, name: str, entry: t.Any) -> GroupRule:
    place = f"{host}: {GROUPS_VARIABLE}[{name!r}]"
    values = _mapping(place, entry, ("keep", "domains", "tag"))
    keep = values.get("keep")
    if keep not in (TOGETHER, APART):
        raise RulesInvalid(f"{place}.keep is {keep!r}; it says {TOGETHER} or {APART}.")
    domains = {_identity(place, domain) for domain in _texts(f"{place}.domains", values.get("domains"))}
    tag = values.get("tag") or ""
    if not domains and not tag:
        raise RulesInvalid(f"{place} names neither domains nor a tag.")
    return GroupRule(name, str(keep), tuple(sorted(domains)), _tag(place, tag) if tag else "")


def _host(host: str, entry: t.Any, dom0s: t.Container[str]) -> HostRule:
    place = f"{host}: {HOST_VARIABLE}"
    values = _mapping(place, entry, ("reserve_mib", "weight", "closed", "allowed"))
    closed = values.get("closed", False)
    if not isinstance(closed, bool):
        raise RulesInvalid(f"{place}.closed is {closed!r}; it is true or false.")
    reserve = _number(f"{place}.reserve_mib", values.get("reserve_mib", 0))
    if reserve != int(reserve):
        raise RulesInvalid(f"{place}.reserve_mib is {reserve:g}; it is a whole number of MiB.")
    return HostRule(
        host=host,
        reserve_mib=int(reserve),
        weight=_number(f"{place}.weight", values.get("weight", 1.0)),
        closed=closed,
        allowed=_hosts(f"{place}.allowed", values.get("allowed"), dom0s),
    )


def _entries(host: str, variable: str, variables: Variables) -> dict[str, t.Any]:
    value = variables.get(variable)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RulesInvalid(f"{host}: {variable} is no mapping of names to settings, but {value!r:.60}.")
    entries = {str(key): entry for key, entry in value.items()}
    if len(entries) != len(value):
        raise RulesContradict(f"{host}: {variable} names something twice, as a text and as a number.")
    return entries


def _mapping(place: str, entry: t.Any, known: tuple[str, ...]) -> Variables:
    if entry is None:
        return {}
    if not isinstance(entry, dict):
        raise RulesInvalid(f"{place} is no mapping, but {entry!r:.60}; it has {', '.join(known)}.")
    strange = [str(key) for key in entry if key not in known]
    if strange:
        raise RulesInvalid(f"{place} has {', '.join(strange)}, which is not known; it has {', '.join(known)}.")
    return entry


def _identity(place: str, name: str) -> str:
    """Return a name as it is, a UUID in the form that Xen's tools print."""
    if not name or name != name.strip():
        raise RulesInvalid(f"{place}: {name!r} is no name of a domain.")
    if name.isdigit():
        raise RulesInvalid(f"{place}: {name} would be a domid, which changes with every move; use the name or UUID.")
    return uuid_in(name) or name


def _texts(place: str, value: t.Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise RulesInvalid(f"{place} is no list of texts, but {value!r:.60}.")
    return tuple(str(item) for item in value)


def _tag(place: str, tag: t.Any) -> str:
    if not isinstance(tag, str) or not _TAG.match(tag):
        raise RulesInvalid(f"{place}: {tag!r:.60} is no tag; it is one word of at most 64 characters.")
    meant = _MEANT.get(re.sub(r"[^a-z]", "", tag.lower()))
    if meant is not None and meant != tag:
        raise RulesInvalid(f"{place}: the tag {tag!r} means nothing; {meant!r} does.")
    return str(tag)


def _hosts(place: str, value: t.Any, dom0s: t.Container[str]) -> tuple[str, ...]:
    hosts = tuple(sorted(set(_texts(place, value))))
    strange = [host for host in hosts if host not in dom0s]
    if strange:
        raise RulesInvalid(f"{place} names {', '.join(strange)}, which is no dom0 of the inventory.")
    if value is not None and not hosts:
        raise RulesInvalid(f"{place} is empty: no host would be allowed. Leave it out to allow all.")
    return hosts


def _number(place: str, value: t.Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise RulesInvalid(f"{place} is {value!r:.60}; it is a number that is not negative.")
    return float(value)
