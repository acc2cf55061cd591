# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the inventory and the selection: nothing else is changed, and nothing is passed over without a word."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.refusing import require, selected
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.steps import steps_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.given import rules_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Dom0, Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import EMPTIES
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.choosing import named
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import Wish, make
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.rebalancing import Limits, rebalance
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Plan
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet import examples

NOW_S = examples.ASKED_S + 10
TAGS = ("never_move", "move_last", "stop_for_maintenance")


@dataclasses.dataclass(frozen=True)
class World:
    """An inventory, what its dom0s told, and the hosts that somebody asks for."""

    fleet: Fleet
    groups: dict[str, list[str]]
    wanted: str
    leave: bool
    tags: dict[str, str]

    @property
    def dom0s(self) -> list[str]:
        """The dom0s of the inventory."""
        return [dom0.name for dom0 in self.fleet.dom0s]

    @property
    def places(self) -> dict[str, str]:
        """The host of each domain."""
        return {domain.name: dom0.name for dom0 in self.fleet.dom0s for domain in dom0.domains}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """At most five dom0s with at most four domains each: little room or much, some dead, and rules of all kinds."""
    dom0s = [f"xen{number}" for number in range(1, draw(st.sampled_from((1, 3, 3, 4, 4, 5))) + 1)]
    names = iter(f"d{number}" for number in range(100))
    told: list[Dom0] = []
    rules: dict[str, t.Any] = {}
    tags: dict[str, str] = {}
    for host in dom0s:
        if draw(st.integers(0, 19)) == 11:
            told.append(examples.dead(host))
            rules[host] = {}
            continue
        domains = [next(names) for dummy in range(draw(st.integers(0, 4)))]
        chosen = {name: draw(st.sampled_from(("", "", "", "", "", *TAGS))) for name in domains}
        tags.update(chosen)
        facts = [
            examples.domain(name, number, memory_mib=draw(st.sampled_from((128, 128, 256))))
            for number, name in enumerate(domains, 3)
        ]
        free = draw(st.sampled_from((0, 140, 140, 300, 300, 1200)))
        told.append(Dom0(host, examples.ASKED_S, examples.told(host, facts, free_memory_mib=free)))
        allowed = {name: draw(st.sampled_from([None, None, *([other] for other in dom0s)])) for name in domains}
        rules[host] = {
            "dom0_xen_domains": {
                name: {"tags": [tag]} if tag else {"allowed": allowed[name]} for name, tag in chosen.items()
            },
            "dom0_xen_host": {
                "closed": draw(st.integers(0, 9)) == 7,
                "reserve_mib": draw(st.sampled_from((0, 0, 0, 100))),
            },
        }
    groups = {
        "all": [*dom0s, "web"],
        "rack": draw(st.lists(st.sampled_from([*dom0s, "switch"]), unique=True, max_size=3)),
        "guests": ["web", "d0@xen1"],
    }
    wrong = draw(st.integers(0, 5)) == 3
    words = ["rack", "all", "guests", "d0@xen1", "xen9", *dom0s] if wrong else [*dom0s, "rack"]
    asked = draw(st.lists(st.sampled_from(words), min_size=0 if wrong else 1, max_size=2))
    return World(Fleet(tuple(told), rules_of(rules)), groups, ",".join(asked), draw(st.booleans()), tags)


def outcome(world: World) -> tuple[tuple[str, ...], Plan] | None:
    """What is selected, and the plan, as the playbook ``evacuate`` comes to them; None for a refusal with its cause."""
    try:
        empty = selected(world.wanted, world.dom0s, world.groups)
        plan = make(world.fleet, Wish(empty, "p1", NOW_S, leave=world.leave), Settings())
        if not world.leave:
            require(plan)
    except Dom0XenError as exc:
        told = exc.as_result()
        assert told["msg"] and told["code"] and told["remedy"]
        return None
    return empty, plan


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_nothing_outside_the_selection_is_changed(world: World) -> None:
    """Domains leave the hosts that were named, and others move only where this makes room for those."""
    found = outcome(world)
    if found is None:
        return
    empty, plan = found
    asked = {name for piece in world.wanted.split(",") for name in (piece, *world.groups.get(piece, ()))}
    assert set(empty) == asked & set(world.dom0s)
    before, now = world.places, _carried_out(world, plan)
    assert all(move.uuid == examples.identity(move.name) for move in plan.moves)
    changed = {name for name in before if now[name] != before[name]} | {move.name for move in plan.moves}
    outside = {name for name in changed if before[name] not in empty}
    assert all(move.code != EMPTIES for move in plan.moves if move.name in outside)
    if outside:
        # Without room made there is no way, so that those who were asked for have to come after them.
        assert any(move.code == EMPTIES and move.after for move in plan.moves)
    assert {stop.host for stop in plan.stops} <= set(empty), "nobody else's domain is shut down"
    assert not {now[name] for name in changed} & (_closed(world) | set(empty))
    assert not {world.tags[name] for name in changed} & {"never_move", "stop_for_maintenance"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.data())
def test_only_what_was_asked_back_is_brought_back(world: World, data: st.DataObject) -> None:
    """As after a maintenance: each to its host, or a word about it; others move only where this makes room."""
    if not world.places:
        return
    names = sorted(world.places)
    chosen = data.draw(st.dictionaries(st.sampled_from(names), st.sampled_from(world.dom0s), min_size=1, max_size=3))
    wanted = {examples.identity(name): host for name, host in chosen.items()}
    try:
        plan = make(world.fleet, Wish((), "p1", NOW_S, leave=world.leave, wanted=wanted), Settings())
    except Dom0XenError as exc:
        assert exc.as_result()["remedy"]
        return
    now = _carried_out(world, plan)
    moved = {move.name for move in plan.moves}
    assert all(move.why and move.code != EMPTIES for move in plan.moves if move.name not in chosen)
    if moved - set(chosen):
        assert any(move.after for move in plan.moves if move.name in chosen)
    assert not plan.stops, "nothing is shut down to come back"
    blocked = {blocker.name for blocker in plan.blockers}
    if plan.shortage is None:
        assert {name for name, host in chosen.items() if now[name] != host} <= blocked
    assert not {now[name] for name in moved} & _closed(world)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.integers(0, 4))
def test_to_spread_the_load_moves_no_more_than_may_be_moved(world: World, most: int) -> None:
    """Each once, none that its rules keep, and onto no host that takes none."""
    limits = Limits(threshold_percent=1.0, cost_percent=0.0, moves=most)
    try:
        plan = rebalance(world.fleet, Wish((), "p1", NOW_S), Settings(), limits)
    except Dom0XenError as exc:
        assert exc.as_result()["remedy"]
        return
    now = _carried_out(world, plan)
    moved = [move.name for move in plan.moves]
    assert len(moved) == len(set(moved)) <= most and not plan.stops
    assert not {world.tags[name] for name in moved} & set(TAGS[:1])
    assert not {now[name] for name in moved} & _closed(world)
    for name in moved:
        allowed = world.fleet.resolved.domain(examples.identity(name)).allowed
        assert not allowed or now[name] in allowed


def _carried_out(world: World, plan: Plan) -> dict[str, str]:
    """Return where each domain is in the end; each move begins where the one before has left it."""
    now = dict(world.places)
    for move in steps_of([move.to_result() for move in plan.moves], ()):
        assert now[move.name] == move.source
        now[move.name] = move.destination
    return now


def _closed(world: World) -> set[str]:
    rules = world.fleet.rules
    return {dom0.name for dom0 in world.fleet.dom0s if rules.host(dom0.name).closed or dom0.host is None}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_nothing_is_passed_over_without_a_word(world: World) -> None:
    """Each domain of a host that was named is moved, shut down, or told with what keeps it; else there was none."""
    found = outcome(world)
    if found is None:
        return
    empty, plan = found
    here = sorted(name for name, host in world.places.items() if host in empty)
    last = {move.name: move.destination for move in plan.moves}
    told = [
        *(move for move in last if move in here),
        *(stop.name for stop in plan.stops),
        *(blocker.name for blocker in plan.blockers),
    ]
    counted = collections.Counter(told)
    if plan.shortage is None:
        assert sorted(counted) == here and set(counted.values()) <= {1}
    assert plan.possible == (plan.shortage is None and not plan.blockers)
    if not world.leave:
        assert plan.possible


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_plan_and_evacuate_mean_the_same_hosts(world: World) -> None:
    """What one of them plans the other does; a name that is none is refused by both."""
    means = named(world.wanted, world.groups, world.dom0s)
    try:
        assert selected(world.wanted, world.dom0s, world.groups) == means
    except Dom0XenError:
        assert not means or set(means) - set(world.dom0s) or set(means) == set(world.dom0s)
