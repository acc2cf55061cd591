# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves are made as the plan says that was approved, or not at all."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import PLANNING
from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import PLAN_PROGRESS
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.refusing import MadeOtherwise, require_as_planned
from ansible_collections.dom0.xen.plugins.plugin_utils._plans import document
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Plan
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._plans.examples import fleet, plan

PLANNED: dict[str, t.Any] = {
    "method": "suspend",
    "waive": ("b", "a"),
    "networks": ("10.0.0.0/24", "10.1.0.0/24"),
    "map_bridges": {"br0": "br1"},
    "allow_cold": True,
}
GIVEN: dict[str, t.Any] = {
    "method": "suspend",
    "waive": "a,b",
    "network": ["10.0.0.0/24", "10.1.0.0/24"],
    "map_bridges": {"br0": "br1"},
    "allow_cold": True,
}


def planned(**settings: t.Any) -> Plan:
    """The plan that empties xen1, as it is read from its file."""
    return document.parse(document.dump(plan(fleet(), "xen1", **settings)), "plan.yml")


def asked(host: str = "", **given: t.Any) -> dict[str, t.Any]:
    """What the action is given, with its defaults."""
    names = PLAN_PROGRESS["asked"]["options"]
    return {**{name: option["default"] for name, option in names.items()}, **given, "host": host}


def test_the_same_is_no_difference() -> None:
    """As a text or as a list; in which order codes were waived is nothing, and the memory of dom0 is."""
    require_as_planned(planned(), [asked()])
    require_as_planned(planned(**PLANNED), [asked(**GIVEN)])
    require_as_planned(planned(vcpus_per_cpu=4.0), [asked(network="", waive="")])
    require_as_planned(planned(), [])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"method": "cold"}, "migrate_method is cold, and was suspend"),
        ({"method": "auto"}, "migrate_method is auto, and was suspend"),
        ({"waive": "a"}, "migrate_waive is a, and was b,a"),
        ({"waive": []}, "migrate_waive is empty, and was b,a"),
        ({"network": "10.1.0.0/24,10.0.0.0/24"}, "migrate_network is 10.1.0.0/24,10.0.0.0/24, and was 10.0.0.0/24,"),
        ({"map_bridges": {}}, "migrate_map_bridges is empty, and was br0=br1"),
        ({"allow_cold": False}, "migrate_allow_cold is false, and was true"),
        ({"dom0_memory_min_mib": 1024}, "migrate_dom0_memory_min_mib is 1024, and was 512"),
        ({"follow_config": False}, "migrate_follow_config is false, and was true"),
    ],
)
def test_each_difference_is_told(given: dict[str, t.Any], told: str) -> None:
    """With the name of the variable and both values."""
    with pytest.raises(MadeOtherwise) as caught:
        require_as_planned(planned(**PLANNED), [asked(**{**GIVEN, **given})])
    assert told in str(caught.value) and str(caught.value).count(", and was ") == 1


def test_only_hosts_that_domains_leave_count() -> None:
    """Where dom0s stand for their moves, each has variables of its own."""
    require_as_planned(planned(), [asked("xen1"), asked("xen3", method="cold")])
    with pytest.raises(MadeOtherwise, match="migrate_method is cold on xen1, and was auto"):
        require_as_planned(planned(), [asked("xen1", method="cold"), asked("xen3")])


def test_all_that_a_plan_asks_the_checks_is_asked_here() -> None:
    """An option that is added to the plans is one that moves can differ in."""
    names = {"networks": "network"}
    fields = {names.get(field.name, field.name) for field in dataclasses.fields(Settings)} - {"vcpus_per_cpu"}
    assert set(PLAN_PROGRESS["asked"]["options"]) - {"host"} == fields & set(PLANNING) == fields
