# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the facts of a fleet to a plan: the checks, the rules and what is under way are in it."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import SessionDomain, SessionSeen
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import RulesContradict
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import NEVER_MOVE, NOWHERE, NoDestination
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.asking import (
    DomainTwice,
    HostSilent,
    HostUnknown,
    NothingNamed,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import LEFTOVER
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.table import summary, table
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet import examples as facts
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._plans.examples import fleet, moves, plan

SIZE = 132


def _changed(known: Fleet, name: str, **changes: object) -> Fleet:
    """The fleet with other facts of one host."""
    dom0s = []
    for dom0 in known.dom0s:
        if dom0.name == name and dom0.told is not None:
            host = dataclasses.replace(dom0.told.host, **changes)  # type: ignore[arg-type]
            dom0 = dataclasses.replace(dom0, told=dataclasses.replace(dom0.told, host=host))
        dom0s.append(dom0)
    return Fleet(tuple(dom0s), known.rules)


def test_empties_a_host() -> None:
    """All domains go to hosts that could take them, and the plan says what is free then."""
    made = plan(fleet(), "xen1")
    assert made.possible and len(made.moves) == 2
    assert {move.source for move in made.moves} == {"xen1"} and {move.method for move in made.moves} == {"live"}
    assert [each.domains_after for each in made.figures if each.name == "xen1"] == [0]
    assert made.moved_mib == sum(move.memory_mib for move in made.moves) == 2 * SIZE


def test_checks_say_where_it_may_go() -> None:
    """A host without the bridge is no destination; a domain that finds none is told with what keeps it from each."""
    known = _changed(fleet(), "xen2", bridges=())
    assert {move.destination for move in plan(known, "xen1").moves} == {"xen3"}
    made = plan(_changed(known, "xen3", bridges=("other",)), "xen1")
    assert [(b.name, b.code) for b in made.blockers] == [("a", NOWHERE), ("b", NOWHERE)]
    assert {reason.code for blocker in made.blockers for reason in blocker.reasons} == {"bridge_missing"}
    assert not made.possible and "2 that cannot leave" in summary(made)


def test_memory_with_what_is_on_its_way() -> None:
    """Memory that another session's domain has still to get at the destination is not given away."""
    known = _changed(_changed(fleet(), "xen2", free_memory_mib=0), "xen3", free_memory_mib=2 * SIZE)
    assert plan(known, "xen1").possible
    uuid = facts.identity("c")
    session = SessionSeen("s1", "receiver", "streaming", "source", None, SessionDomain(uuid, "c"), 1, True, "xen2")
    made = plan(_changed(known, "xen3", sessions=(session,)), "xen1")
    assert made.shortage is not None
    assert f"needs {SIZE} MiB more on any of xen2, xen3" in made.shortage.why


def test_reserve_of_a_host_and_of_the_run() -> None:
    """The larger of the host's own reserve and the run's stays free."""
    known = fleet({"dom0_xen_host": {"reserve_mib": 800}})
    assert not plan(known, "xen1").possible
    assert not plan(fleet(), "xen1", memory_reserve_mib=800).possible
    assert plan(fleet(), "xen1", memory_reserve_mib=700).possible
    made = plan(fleet(), "xen1", memory_reserve_mib=100000)
    assert made.shortage is not None and made.shortage.resource == "memory" and not made.blockers


def test_makes_room_where_only_that_works() -> None:
    """What may go to one host only gets its room from one that may go elsewhere."""
    known = fleet({"dom0_xen_domains": {"a": {"allowed": ["xen2"]}, "b": {"allowed": ["xen3"]}}})
    known = _changed(_changed(known, "xen2", free_memory_mib=10), "xen3", free_memory_mib=2 * SIZE)
    made = plan(known, "xen1")
    assert moves(made)[0] == ("c", "xen2", "xen3") and ("a", "xen1", "xen2") in moves(made)
    assert next(move for move in made.moves if move.name == "a").after == (1,)


def test_tags() -> None:
    """never_move blocks, stop_for_maintenance is shut down, move_last goes last."""
    rules = {"a": {"tags": ["never_move"]}, "b": {"tags": ["stop_for_maintenance"]}, "c": {"tags": ["move_last"]}}
    made = plan(fleet({"dom0_xen_domains": rules}, xen1=("a", "b", "c", "d"), xen2=()), "xen1")
    assert [(b.name, b.code) for b in made.blockers] == [("a", NEVER_MOVE)]
    assert [stop.name for stop in made.stops] == ["b"]
    assert [move.name for move in made.moves] == ["d", "c"] and made.moves[1].after == (1,)


def test_groups_and_closed_hosts() -> None:
    """Domains that are kept apart go to two hosts; a closed host takes none, and that is told."""
    groups = {"dom0_xen_groups": {"pair": {"keep": "apart", "domains": ["a", "b"]}}}
    assert {move.destination for move in plan(fleet(groups), "xen1").moves} == {"xen2", "xen3"}
    made = plan(_rules(fleet(groups), "xen3"), "xen1")
    assert made.shortage is not None and "apart (pair)" in made.shortage.why
    assert "xen3 receives nothing: it is closed (dom0_xen_host)." in made.warnings


def _rules(known: Fleet, closed: str) -> Fleet:
    hosts = (dataclasses.replace(rule, closed=rule.host == closed) for rule in known.rules.hosts)
    return Fleet(known.dom0s, dataclasses.replace(known.rules, hosts=tuple(hosts)))


def test_vcpus_per_processor() -> None:
    """With a ratio, hosts that have as many vCPUs as that take no more."""
    known = _changed(_changed(fleet(), "xen2", cpus=1), "xen3", cpus=2)
    assert {move.destination for move in plan(known, "xen1", vcpus_per_cpu=1.0).moves} == {"xen3"}
    made = plan(_changed(known, "xen3", cpus=1), "xen1", vcpus_per_cpu=1.0)
    assert made.shortage is not None and made.shortage.resource == "vcpus"


def test_silent_hosts() -> None:
    """One that does not answer is left out with a word; of one that is to be emptied it is an error."""
    known = fleet()
    dead = Fleet((*known.dom0s[:2], facts.dead("xen3")), known.rules)
    made = plan(dead, "xen1")
    assert made.possible and made.warnings == ("xen3 is left out: No route to host",)
    with pytest.raises(HostSilent, match="what is on xen3 is not known: No route to host"):
        plan(dead, "xen3")


def test_bad_questions() -> None:
    """Each names its cause."""
    with pytest.raises(NothingNamed):
        plan(fleet())
    with pytest.raises(HostUnknown, match="xem1 is no dom0 of the inventory. Is xen1 meant"):
        plan(fleet(), "xem1")
    with pytest.raises(NoDestination, match="xen1, xen2, xen3 are to be emptied"):
        plan(fleet(), "xen1", "xen2", "xen3")
    with pytest.raises(DomainTwice, match="is on xen1 and on xen2"):
        plan(fleet(xen1=("a",), xen2=("a",), xen3=()), "xen1")
    made = plan(fleet(xen1=("a",), xen2=("b",), xen3=("b",)), "xen1")
    assert made.possible and "is on xen2 and on xen3. It is left alone" in made.warnings[0]
    with pytest.raises(RulesContradict):
        plan(fleet({"dom0_xen_domains": {"a": {"tags": ["never_move", "move_last"]}}}), "xen1")


def test_leftover_copies_block() -> None:
    """A copy that a migration has left does not make a host empty."""
    made = plan(fleet(xen1=("a--migratedaway",), xen2=()), "xen1")
    assert [(b.name, b.code) for b in made.blockers] == [("a--migratedaway", LEFTOVER)] and not made.moves


def test_brings_back() -> None:
    """Domains that are wanted somewhere go there."""
    known = fleet(xen1=(), xen2=("a",), xen3=("b",))
    made = plan(known, wanted={facts.identity(name): "xen1" for name in "ab"})
    assert sorted(moves(made)) == [("a", "xen2", "xen1"), ("b", "xen3", "xen1")] and made.goal == "return"


@pytest.mark.parametrize("empty", [(), ("xen2",)])
def test_a_host_that_is_wanted_and_does_not_answer(empty: tuple[str, ...]) -> None:
    """Who is wanted there cannot go there, which is told, and goes nowhere else."""
    known = fleet(xen1=(), xen2=("a",), xen3=())
    dom0s = tuple(facts.dead(each.name) if each.name == "xen1" else each for each in known.dom0s)
    made = plan(Fleet(dom0s, known.rules), *empty, wanted={facts.identity("a"): "xen1"})
    assert not made.moves and not made.possible
    ((name, why),) = [(blocker.name, blocker.why) for blocker in made.blockers]
    assert name == "a" and why == "xen1, where it is wanted, is not known: No route to host."


def test_table() -> None:
    """People see who goes where, in which order and why, and what stays."""
    text = "\n".join(table(plan(fleet(), "xen1")))
    assert "To empty xen1: 2 moves (264 MiB)." in text
    assert " a       132 MiB  xen1" in text and "has the most room of 2 hosts that could take it" in text


def test_large_fleet() -> None:
    """1,000 domains on 100 hosts, with all checks; how long that takes is for the bench of large fleets."""
    known = fleet(None, **{f"xen{n:03}": [f"d{n:03}{each}" for each in range(10)] for n in range(100)})
    made = plan(known, "xen000", "xen001", "xen002", "xen003", "xen004")
    assert len(made.moves) == 50
