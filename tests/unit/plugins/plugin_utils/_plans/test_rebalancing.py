# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load is spread as far as it is worth its moves, and no further."""

from __future__ import annotations

import dataclasses
import random
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.given import rules_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import (
    APART,
    Answer,
    Group,
    Guest,
    Host,
    Question,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.verify import carry_out
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import Wish
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.rebalancing import Limits, rebalance, spread
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet import examples as facts
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._plans.examples import NOW_S, fleet

CAPACITY = {"xen1": 16384, "xen2": 16384}


def ask(*sizes: int, there: int = 0, limits: Limits | None = None, groups: tuple[Group, ...] = ()) -> Answer:
    """Domains of these sizes on xen1, and one of another on xen2."""
    guests = [Guest(f"d{n}", f"d{n}", "xen1", size, targets=("xen2",)) for n, size in enumerate(sizes)]
    if there:
        guests.append(Guest("e", "e", "xen2", there, targets=("xen1",)))
    hosts = (Host("xen1", 16384 - sum(sizes)), Host("xen2", 16384 - there))
    return spread(Question(hosts, tuple(guests), groups=groups), CAPACITY, limits or Limits())


def test_evens_the_load() -> None:
    """Half goes over, and the second time there is nothing to do."""
    answer = ask(2048, 2048, 2048, 2048)
    assert len(answer.moves) == 2 and answer.moved_mib == 4096
    assert ask(2048, 2048, there=4096).moves == ()


def test_nothing_below_the_threshold() -> None:
    """A difference that nobody minds costs nobody a moment."""
    assert ask(2048).moves == ()
    assert ask(1024, 1024, limits=Limits(threshold_percent=12.5)).moves == ()
    assert len(ask(1024, 1024, limits=Limits(threshold_percent=12)).moves) == 1


def test_a_move_earns_what_it_costs() -> None:
    """A large domain that only changes the side of the load is left; a small one goes."""
    assert ask(8192).moves == ()
    assert [move.size_mib for move in ask(8192, 1024).moves] == [1024]
    assert ask(4096, 2048, limits=Limits(cost_percent=2.0)).moves == ()


def test_so_many_moves_at_most() -> None:
    """The limit is kept, and no domain moves twice."""
    assert len(ask(*[512] * 20, limits=Limits(moves=3)).moves) == 3
    assert len({move.guest for move in ask(*[512] * 20).moves}) == len(ask(*[512] * 20).moves)


def test_groups_are_kept() -> None:
    """What is kept apart does not meet."""
    answer = ask(2048, 2048, 2048, there=512, groups=(Group("g", APART, ("d0", "d1", "e")),))
    assert {move.guest for move in answer.moves} == {"d2"}


def weighing(weights: t.Mapping[str, float], *sizes: int, limits: Limits | None = None) -> dict[str, int]:
    """How much is on each host in the end: hosts of one size with these weights, the first with these domains."""
    names = tuple(weights)
    guests = tuple(Guest(f"d{n}", f"d{n}", names[0], size, targets=names) for n, size in enumerate(sizes))
    hosts = tuple(
        Host(name, 16384 - (sum(sizes) if name == names[0] else 0), weight=weight) for name, weight in weights.items()
    )
    question = Question(hosts, guests)
    answer = spread(question, dict.fromkeys(names, 16384), limits or Limits())
    where = carry_out(question, answer.moves)
    return {name: sum(guest.size_mib for guest in guests if where[guest.id] == name) for name in names}


def test_a_host_takes_what_its_weight_says() -> None:
    """Twice the weight has twice as much in the end, in either direction."""
    assert weighing({"xen1": 1, "xen2": 2}, *[1024] * 9) == {"xen1": 3072, "xen2": 6144}
    assert weighing({"xen1": 2, "xen2": 1}, *[1024] * 9) == {"xen1": 6144, "xen2": 3072}


@pytest.mark.parametrize("weight", [0.01, 3, 250])
def test_weights_are_shares(weight: float) -> None:
    """The same weight on every host is none: it makes no move, and keeps none from being made."""
    even = {"xen1": weight, "xen2": weight}
    assert weighing(even, *[1024] * 4) == {"xen1": 2048, "xen2": 2048}
    assert weighing(even, 1024, 1024, limits=Limits(threshold_percent=12.5)) == {"xen1": 2048, "xen2": 0}
    assert weighing(even, 1024, 1024, limits=Limits(threshold_percent=12)) == {"xen1": 1024, "xen2": 1024}


def test_a_host_without_weight_takes_nothing() -> None:
    """It is the emptiest of all, and stays so; what is on it goes to others when it is the fullest."""
    assert weighing({"xen1": 1, "xen2": 0}, *[1024] * 8) == {"xen1": 8192, "xen2": 0}
    assert weighing({"xen1": 1, "xen2": 0, "xen3": 1}, *[1024] * 8) == {"xen1": 4096, "xen2": 0, "xen3": 4096}
    assert weighing({"xen1": 0, "xen2": 1}, *[1024] * 8) == {"xen1": 4096, "xen2": 4096}
    assert weighing({"xen1": 0, "xen2": 0}, *[1024] * 8) == {"xen1": 8192, "xen2": 0}


def test_the_weight_of_the_inventory_counts() -> None:
    """What is given for a host in the inventory is what its load is weighed by."""
    wish = Wish(empty=(), identity="p1", now_s=NOW_S)
    given = rules_of({"xen1": {}, "xen2": {"dom0_xen_host": {"weight": 0}}, "xen3": {}})
    known = facts.fleet(given, xen1=("a", "b", "c", "d", "e", "f"), xen2=(), xen3=())
    made = rebalance(known, wish, Settings(), Limits(5.0))
    assert {move.destination for move in made.moves} == {"xen3"}


def test_any_fleet() -> None:
    """It never overcommits, never leaves the load less even, and a second run has less to do or nothing."""
    for seed in range(200):
        chance = random.Random(seed)
        names = [f"xen{n}" for n in range(chance.randint(2, 5))]
        guests = tuple(
            Guest(f"d{n}", f"d{n}", chance.choice(names), 512 * chance.randint(1, 8), targets=tuple(names))
            for n in range(chance.randint(1, 20))
        )
        used = {name: sum(guest.size_mib for guest in guests if guest.host == name) for name in names}
        capacity = {name: used[name] + 512 * chance.randint(0, 20) + 1 for name in names}
        hosts = tuple(Host(name, capacity[name] - used[name]) for name in names)
        answer = spread(Question(hosts, guests), capacity, Limits())
        where = carry_out(Question(hosts, guests), answer.moves)
        after = {name: sum(g.size_mib for g in guests if where[g.id] == name) / capacity[name] for name in names}
        before = {name: used[name] / capacity[name] for name in names}
        assert max(after.values()) <= max(before.values())


def test_from_the_facts_of_a_fleet() -> None:
    """As a plan with its own goal; an even fleet has none."""
    wish = Wish(empty=(), identity="p1", now_s=NOW_S)
    assert rebalance(fleet(xen1=("a",), xen2=("b",)), wish, Settings(), Limits()).moves == ()
    uneven = dataclasses.replace(facts.dom0("xen1", "a", "b", "c", "d", "e", "f"), name="xen1")
    made = rebalance(Fleet((uneven, facts.dom0("xen2"))), wish, Settings(), Limits(5.0))
    assert {(move.source, move.destination, move.why) for move in made.moves} == {("xen1", "xen2", "evens the load")}
    assert made.goal == "rebalance" and made.possible
