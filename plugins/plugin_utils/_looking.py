# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which hosts nobody could look for a domain, and why (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import hosts as rules
from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import line
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, MoveRequest, listed
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_of
from ansible_collections.dom0.xen.plugins.plugin_utils._moving import trouble

Info = t.Mapping[str, t.Any]


class DomainNotLookedFor(Dom0XenError):
    """The domain is on no host that could be asked, and some could not be asked: it may be on one of those."""

    code = "domain_not_looked_for"
    remedy = "Do for each of these hosts what is said beside it, or take those without domains out of the inventory."


def not_looked_at(answers: t.Mapping[str, Info]) -> list[str]:
    """Return the hosts whose domains are not known, from what ``host_info`` returned for each, in their order."""
    return [host for host, info in answers.items() if not (info.get("host") or {}).get("domains")]


def names(facts: HostFacts) -> str:
    """Return the names of a host's domains for a sentence, without domain 0."""
    return listed(row.name for row in facts.domains if row.domid)


def all_names(hosts: t.Mapping[str, HostFacts]) -> str:
    """Return all domains of these hosts for a sentence, by host."""
    return "; ".join(f"{host}: {names(facts)}" for host, facts in sorted(hosts.items())) or "none"


def cannot_look(wanted: str, destination: str, answers: t.Mapping[str, Info]) -> DomainNotLookedFor:
    """Return the error that tells, for each host on which nobody could look, everything that kept one from it.

    A destination that the inventory does not have is told with them.
    """
    blind = not_looked_at(answers)
    looked = [host for host in answers if host not in blind]
    names = [*blind, *([] if destination in answers else [destination])]
    found = [f for host in names for f in against_host(wanted, host, answers.get(host, {}), answers)]
    elsewhere = f" It is not on: {listed(looked)}." if looked else ""
    reasons = "\n".join(f"{number}. {line(finding)}" for number, finding in enumerate(found, 1))
    return DomainNotLookedFor(
        f"{wanted!r} could not be looked for on: {listed(blind)}.{elsewhere}\n{reasons}",
        hosts=blind,
        findings=[finding.to_result() for finding in found],
    )


def against_host(wanted: str, host: str, info: Info, inventory: t.Collection[str]) -> list[Finding]:
    """Return what keeps one host from taking part in any move: no facts of it, or something that it lacks."""
    facts = facts_of(info)
    why = trouble(host, info, inventory)
    request = MoveRequest(wanted, host, host, source_trouble=why, inventory=tuple(inventory), allow_same_host=True)
    case = Case(facts, facts, None, request)
    return [finding for rule in (rules.reachable, rules.complete) for finding in rule(case)]
