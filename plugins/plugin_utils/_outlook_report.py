# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is told about where domains could go (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import network
from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import describe, errors, line, waived, warnings
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import MoveRequest
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD, HOW, SUSPEND
from ansible_collections.dom0.xen.plugins.plugin_utils._outlook import Outlook, Place, Prospect

# More hosts than that are counted in place of named.
_NAMED = 12
_NOWHERE = "nowhere_to_go"


def code(outlook: Outlook) -> str:
    """Return the code of what speaks against it first."""
    shut = [place for domain in outlook.domains if not domain.open for place in domain.places]
    first = [*errors(outlook.findings), *(error for place in shut for error in errors(place.findings))]
    return first[0].code if first else _NOWHERE


def about_one(outlook: Outlook, request: MoveRequest) -> list[str]:
    """Return lines about one domain and one host: that it could go there, or everything that speaks against it."""
    request = dataclasses.replace(request, source=outlook.source)
    if not outlook.domains:
        return describe(outlook.findings, request).splitlines()
    (domain,) = outlook.domains
    (place,) = domain.places
    if place.already_there:
        return [f"{domain.name} is already on {place.host}."]
    if place.possible:
        return [f"{domain.name} could go from {outlook.source} to {place.host} ({_way(place, str(outlook.source))})."]
    return describe(place.findings, request, domain.name).splitlines()


def about_all(outlook: Outlook) -> list[str]:
    """Return lines about all domains of a host: the answer, what speaks against the host, then a table of domains."""
    return [_summary(outlook), *(line(finding) for finding in errors(outlook.findings)), *_table(outlook.domains)]


def about_findings(outlook: Outlook) -> list[str]:
    """Return what a person should know though it refuses nothing.

    For one domain all of it. For many only what was waived, each code once: warnings of all domains would hide it.
    """
    if len(outlook.domains) == 1 and len(outlook.domains[0].places) == 1:
        (place,) = outlook.domains[0].places
        found = () if place.already_there else place.findings
        return [line(finding) for finding in (*waived(found), *warnings(found))]
    moves: dict[str, list[str]] = {}
    for domain in outlook.domains:
        for place in domain.places:
            for known in dict.fromkeys(finding.code for finding in waived(place.findings)):
                moves.setdefault(known, []).append(f"{domain.name} to {place.host}")
    return [f"{known} is waived: {_some(among)}." for known, among in moves.items()]


def sentence(head: str) -> str:
    """Return the first line as one that nothing follows."""
    return f"{head[:-1]}." if head.endswith(":") else head


def _summary(outlook: Outlook) -> str:
    source, count = outlook.source, len(outlook.domains)
    shut = [domain for domain in outlook.domains if not domain.open]
    if errors(outlook.findings):
        return f"{source} cannot be emptied."
    if not count:
        return f"{source} has no domains; there is nothing to move."
    target = f"to {outlook.destination}" if outlook.destination else "to another host"
    if not shut:
        every = "The only domain" if count == 1 else f"Each of the {count} domains"
        return f"{every} of {source} could go {target}, taken by itself."
    return f"{source} cannot be emptied: {len(shut)} of its {count} domains cannot go {target}."


def _table(domains: t.Sequence[Prospect]) -> list[str]:
    if not domains:
        return []
    width = max(6, *(len(domain.name) for domain in domains))
    lines = [f"{'domain':<{width}}  could go to"]
    for domain in domains:
        ways = {SUSPEND: " (suspended)", COLD: " (shut down)"}
        names = [place.host + ways.get(str(place.method), "") for place in domain.open]
        lines.append(f"{domain.name:<{width}}  {_some(names) if names else 'no host'}")
        if not names:
            lines += [f"  {text}" for text in _reasons(domain)]
    return lines


def _reasons(domain: Prospect) -> list[str]:
    """Return the first reason on each host; one that several hosts share is told once."""
    if not domain.places:
        return ["The inventory's group of the dom0s has no other host."]
    hosts: dict[str, list[str]] = {}
    for place in domain.places:
        hosts.setdefault(line(errors(place.findings)[0]), []).append(place.host)
    return [f"not to {_some(names)}: {text}" for text, names in hosts.items()]


def _way(place: Place, source: str) -> str:
    way = HOW.get(str(place.method), str(place.method))
    # Only what was asked for: how the source would reach the host otherwise was not.
    return f"{way}, {network.sentence(place.path, source)}" if place.path is not None and place.path.network else way


def _some(names: t.Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
