# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for a small fleet, by the facts that its hosts told."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.given import rules_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import Wish, make
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Plan
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet import examples

NOW_S = 1_700_000_100.0
DOMAINS = {"xen1": ("a", "b"), "xen2": ("c",), "xen3": ()}


def fleet(variables: t.Mapping[str, t.Any] | None = None, **domains: t.Sequence[str]) -> Fleet:
    """A fleet with these rules, the same for every dom0."""
    hosts = domains or DOMAINS
    return examples.fleet(rules_of({name: variables or {} for name in hosts}), **hosts)


def plan(known: Fleet, *empty: str, **changes: t.Any) -> Plan:
    """The plan that empties these hosts."""
    fields = {field.name for field in dataclasses.fields(Wish)}
    wish = Wish(
        **{"empty": empty, "identity": "p1", "now_s": NOW_S, **{k: v for k, v in changes.items() if k in fields}}
    )
    return make(known, wish, Settings(**{k: v for k, v in changes.items() if k not in fields}))


def moves(made: Plan) -> list[tuple[str, str, str]]:
    """Who goes from where to where."""
    return [(move.name, move.source, move.destination) for move in made.moves]


def moved(known: Fleet, made: Plan, *numbers: int) -> Fleet:
    """The fleet after these moves of a plan."""
    for move in made.moves:
        if move.number in numbers:
            known = _move(known, move.uuid, move.source, move.destination)
    return known


def _move(known: Fleet, uuid: str, source: str, destination: str) -> Fleet:
    told = {dom0.name: list(dom0.domains) for dom0 in known.dom0s}
    mover = next(domain for domain in told[source] if domain.uuid == uuid)
    told[source].remove(mover)
    told[destination].append(dataclasses.replace(mover, domid=77))
    dom0s = []
    for dom0 in known.dom0s:
        if dom0.host is None:
            dom0s.append(dom0)
            continue
        free = dom0.host.free_memory_mib or 0
        # Not quite what was reckoned.
        free += (133 if dom0.name == source else 0) - (135 if dom0.name == destination else 0)
        facts = examples.told(dom0.name, told[dom0.name], free_memory_mib=free)
        dom0s.append(dataclasses.replace(dom0, told=facts))
    return Fleet(tuple(dom0s), known.rules)
