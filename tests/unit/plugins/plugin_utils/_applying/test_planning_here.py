# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Emptying a host touches the domains of that host, and those of others only when that is asked for."""

from __future__ import annotations

import dataclasses
import random
import time

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._applying.planning import others, planned
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.refusing import CannotBeEmptied, require
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.transit import still
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import Wish
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Plan
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._plans.examples import fleet

SIZE = 132
TIGHT = {"dom0_xen_domains": {"a": {"allowed": ["xen2"]}, "b": {"allowed": ["xen3"]}}}


def with_free(known: Fleet, **free_mib: int) -> Fleet:
    """The fleet with other free memory on some hosts."""
    dom0s = []
    for dom0 in known.dom0s:
        if dom0.name in free_mib and dom0.told is not None:
            host = dataclasses.replace(dom0.told.host, free_memory_mib=free_mib[dom0.name])
            dom0 = dataclasses.replace(dom0, told=dataclasses.replace(dom0.told, host=host))
        dom0s.append(dom0)
    return Fleet(tuple(dom0s), known.rules)


def empty(known: Fleet, *hosts: str, make_room: bool = False, leave: bool = False) -> Plan:
    """Plan to empty hosts."""
    return planned(known, Wish(hosts, "p1", time.time(), leave=leave), Settings(), None, make_room)


def test_others_make_room_only_when_that_is_asked_for() -> None:
    """Otherwise it is refused, with the moves that would do."""
    known = with_free(fleet(TIGHT), xen2=10, xen3=2 * SIZE)
    made = empty(known, "xen1")
    assert made.shortage is not None and made.moves == ()
    roomy = empty(known, "xen1", make_room=True)
    assert roomy.possible and others(roomy) == ["c from xen2 to xen3"]
    with pytest.raises(CannotBeEmptied, match="if other domains made room: c from xen2 to xen3") as refused:
        require(made, others(roomy))
    assert "evacuate_make_room=true" in refused.value.remedy
    require(roomy)


@pytest.mark.parametrize("seed", range(60))
def test_nothing_outside_the_selection_is_moved(seed: int) -> None:
    """Over random inventories, memory and selections: the moves are those of the hosts that were named."""
    chance = random.Random(seed)
    names = iter("abcdefghijklmnopqrstuvwxyz")
    known = fleet({}, **{f"xen{n}": tuple(next(names) for dummy in range(chance.randrange(5))) for n in range(1, 5)})
    known = with_free(known, **{f"xen{n}": chance.randrange(6) * SIZE for n in range(1, 5)})
    hosts = tuple(chance.sample([dom0.name for dom0 in known.dom0s], chance.randrange(1, 4)))
    for leave in (False, True):
        made = empty(known, *hosts, leave=leave)
        assert {move.source for move in made.moves} <= set(hosts)
        assert not {move.destination for move in made.moves} & set(hosts)
        assert {stop.host for stop in made.stops} <= set(hosts)


def test_what_is_under_way_says_nothing_of_disks() -> None:
    """A copy that is being made may not tell them; what else the hosts have is compared all the same."""
    made = empty(fleet(), "xen1")
    hosts = tuple(dataclasses.replace(host, equipment={"mounts": "x", "disks": "y"}) for host in made.facts.hosts)
    now = dataclasses.replace(made.facts, hosts=hosts)
    assert still(made, now, ()) == (made, now)
    before, seen = still(made, now, {made.moves[0].uuid})
    assert all("mounts" not in host.equipment for essence in (before.facts, seen) for host in essence.hosts)
    assert all(host.equipment == {"disks": "y"} for host in seen.hosts)
