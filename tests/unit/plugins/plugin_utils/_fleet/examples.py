# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small fleet as it told of itself; tests change one thing at a time."""

from __future__ import annotations

import dataclasses
import typing as t
import uuid

from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, DomainRow, Problem
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Dom0, Fleet, Told
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import Rules
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks import examples

ASKED_S = 1_700_000_000.0


def identity(name: str) -> str:
    """The UUID of the domain of a name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def domain(name: str, domid: int, **changes: t.Any) -> DomainFacts:
    """A domain of 128 MiB."""
    config = examples.domain().config or {}
    config = {**config, "c_info": {**config["c_info"], "name": name, "uuid": identity(name)}}
    return examples.domain(**{"domid": domid, "name": name, "uuid": identity(name), "config": config, **changes})


def told(name: str, domains: t.Sequence[DomainFacts], **changes: t.Any) -> Told:
    """What a dom0 with these domains told."""
    rows = [DomainRow(d.domid, d.uuid, d.name, d.state, d.memory_mib, d.vcpus, 1.0) for d in domains]
    facts = examples.host(name, domains=(examples.DOM0, *rows), asked_s=ASKED_S, answered_s=ASKED_S + 1)
    return Told(ASKED_S, dataclasses.replace(facts, **changes), tuple(domains))


def dom0(name: str, *domains: str, **changes: t.Any) -> Dom0:
    """A dom0 with domains of these names."""
    return Dom0(name, ASKED_S, told(name, [domain(each, 3 + n) for n, each in enumerate(domains)], **changes))


def dead(name: str, before: Told | None = None) -> Dom0:
    """A dom0 that does not answer."""
    return Dom0(name, ASKED_S, None, Problem("unreachable", "No route to host", "Switch it on."), before)


def fleet(rules: Rules | None = None, **hosts: t.Sequence[str]) -> Fleet:
    """A fleet: for each dom0 the names of its domains."""
    return Fleet(tuple(dom0(name, *hosts[name]) for name in sorted(hosts)), rules or Rules())
