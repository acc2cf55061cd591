# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan is asked for is read in one way, whoever asks."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import FLEET_PLAN, PLANNING
from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import EVACUATION_PLAN
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.given import rules_among
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import Rules
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.choosing import (
    named,
    settings_of,
    solver_of,
    wish_of,
)


@pytest.mark.parametrize("spec", [FLEET_PLAN, EVACUATION_PLAN], ids=["fleet", "evacuation"])
def test_both_plans_take_the_same_options(spec: dict[str, dict[str, t.Any]]) -> None:
    """What one of them knows about moves the other must not forget; with the defaults there is a wish."""
    assert {name: spec[name] for name in PLANNING} == PLANNING
    options = {name: option.get("default") for name, option in spec.items()}
    wish = wish_of({**options, "wanted": {1: "xen2"}, "leave": True}, ["xen1"], 5.0, 60)
    assert (wish.empty, wish.now_s, wish.expires_after_s, wish.leave) == (("xen1",), 5.0, 60, True)
    assert wish.wanted == {"1": "xen2"} and wish.planner == "builtin"
    assert wish.identity != wish_of(options, [], 5.0).identity
    assert solver_of(wish.planner) is None
    assert settings_of(options).method == options["method"]


def test_rules_are_those_of_the_dom0s() -> None:
    """Without variables there are none; those of other hosts do not count."""
    assert rules_among((), None) == Rules()
    told = {"hostvars": {"xen1": {"dom0_xen_host": {"weight": 2}}, "www": {"dom0_xen_host": {"weight": "much"}}}}
    assert rules_among(["xen1"], told).host("xen1").weight == 2.0


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("xen1,", ("xen1",)),
        (" , xen2,,rack ", ("xen2", "xen1")),
        (["", "xen1"], ("xen1",)),
        (",", ()),
        ("xen9,", ("xen9",)),
    ],
)
def test_nothing_between_commas_names_no_host(asked: object, meant: tuple[str, ...]) -> None:
    """It comes of a script that puts a comma behind each name; what is no host is still returned, to be refused."""
    assert named(asked, {"rack": ["xen1", "switch"]}, ["xen1", "xen2"]) == meant
