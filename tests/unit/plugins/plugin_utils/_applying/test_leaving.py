# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host that does not answer, or one domain that is there twice, does not stop the others."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._applying.planning import but, planned, unmovable
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.refusing import NoWay, require_way
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.asking import DomainTwice, HostSilent
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import LEFTOVER, Wish
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Plan, PlannedBlocker
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet import examples
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._plans.examples import NOW_S, fleet

SILENT = Fleet((*fleet(xen1=("a", "b"), xen3=()).dom0s, examples.dead("xen2")))
TWICE = fleet(xen1=("a", "b"), xen2=("b",), xen3=())


def make(known: Fleet, *empty: str, leave: bool = True) -> Plan:
    """The plan for these hosts."""
    return planned(known, Wish(empty, "p1", NOW_S, leave=leave), Settings(), None, make_room=False)


def test_a_silent_host() -> None:
    """What the other has is planned; alone, or when nothing is to be left, it is an error."""
    assert {move.name for move in make(SILENT, "xen1", "xen2").moves} == {"a", "b"}
    for empty, leave in ((("xen2",), True), (("xen1", "xen2"), False)):
        with pytest.raises(HostSilent):
            make(SILENT, *empty, leave=leave)


def test_a_domain_on_two_hosts() -> None:
    """It stays where it is, is told, and is nobody's to shut down."""
    made = make(TWICE, "xen1")
    assert [move.name for move in made.moves] == ["a"]
    (blocker,) = made.blockers
    assert (blocker.name, blocker.host, blocker.code) == ("b", "xen1", "domain_on_two_hosts")
    assert "it is on xen1 and on xen2" in blocker.why and unmovable(made) == []
    with pytest.raises(DomainTwice):
        make(TWICE, "xen1", leave=False)


def test_who_may_be_shut_down() -> None:
    """No copy of a move, and nobody about whom something else is to be done first."""
    blockers = (
        PlannedBlocker("u1", "a", "xen1", "never_move", "its tag says so"),
        PlannedBlocker("u2", "b--incoming", "xen1", LEFTOVER, "a copy"),
        PlannedBlocker("u3", "c", "xen1", "nowhere_to_go", "it is suspended"),
    )
    made = dataclasses.replace(make(TWICE, "xen3"), blockers=blockers)
    assert [each.name for each in unmovable(made)] == ["a", "c"]
    assert [each.name for each in unmovable(but(made, ["u3"]))] == ["a"]


def test_a_plan_that_says_that_there_is_no_way_is_not_carried_out() -> None:
    """It has no moves, and nothing of nothing done would be a success."""
    require_way(make(TWICE, "xen1"))
    made = planned(fleet(), Wish(("xen1",), "p1", NOW_S), Settings(memory_reserve_mib=100_000), None, make_room=False)
    assert made.shortage is not None and not made.moves
    with pytest.raises(NoWay, match="cannot be done"):
        require_way(made)
