# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner finds an order wherever there is one, and none that needs more than there is."""

from __future__ import annotations

import dataclasses
import random
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._planner.planner import plan
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import (
    APART,
    MAKES_ROOM,
    MEMORY,
    NEVER_MOVE,
    NO_ROOM,
    NOWHERE,
    STEPS_ASIDE,
    TOGETHER,
    Answer,
    Group,
    Guest,
    Host,
    Move,
    NoDestination,
    OrderBroken,
    Question,
    QuestionWrong,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.verify import carry_out
from ansible_collections.dom0.xen.tests.bench.plan_questions import cheapest, fleet, small

CASES = 1500
ALL = ("xen1", "xen2", "xen3")


def guest(name: str, host: str, size: int, *targets: str, **more: t.Any) -> Guest:
    """A domain that may go to all hosts, or to these."""
    return Guest(name, name, host, size, targets=targets or tuple(h for h in ALL if h != host), **more)


def question(free: t.Sequence[int], *guests: Guest, empty: tuple[str, ...] = ("xen1",), **more: t.Any) -> Question:
    """Three hosts or fewer, of which these are to be emptied."""
    return Question(tuple(Host(name, mib) for name, mib in zip(ALL, free, strict=False)), guests, empty, **more)


def steps(answer: Answer) -> list[tuple[str, str]]:
    """Who goes where, in order."""
    return [(move.name, move.destination) for move in answer.moves]


@pytest.mark.parametrize("part", range(10))
def test_as_good_as_trying_everything(part: int) -> None:
    """On small fleets there is a plan exactly where trying everything finds one, and it moves as little memory."""
    size = CASES // 10
    for seed in range(part * size, (part + 1) * size):
        asked = small(seed)
        try:
            answer = plan(asked)
        except NoDestination:
            continue
        best = cheapest(asked)
        assert (answer.shortage is None) == (best is not None), seed
        if best is not None:
            assert answer.moved_mib == best == answer.bound_mib, seed
            carry_out(asked, answer.moves)


def test_any_number_at_a_time() -> None:
    """Whoever keeps to what each move waits for has room, in whatever order moves begin and end beside each other."""
    tried = 0
    for seed in range(CASES):
        asked = small(seed)
        try:
            answer = plan(asked)
        except NoDestination:
            continue
        if len(answer.moves) > 2:
            tried += 1
            _carry_out_at_once(asked, answer, random.Random(seed))
    assert tried > 100


def _carry_out_at_once(asked: Question, answer: Answer, chance: random.Random) -> None:
    """Begin and end moves by chance; both hosts hold a domain on its way."""
    guests = {each.id: each for each in asked.guests}
    free = {host.name: host.free_mib for host in asked.hosts}
    cpus = {host.name: host.vcpus_free for host in asked.hosts}
    on = {host.name: {each.id for each in asked.guests if each.host == host.name} for host in asked.hosts}
    waiting = list(answer.moves)
    running: list[Move] = []
    ended: set[int] = set()
    while waiting or running:
        ready = [move for move in waiting if ended.issuperset(move.after)]
        if ready and (not running or chance.random() < 0.7):
            move = chance.choice(ready)
            waiting.remove(move)
            running.append(move)
            mover, there = guests[move.guest], move.destination
            free[there] -= mover.size_mib
            left = cpus[there]
            if left is not None:
                cpus[there] = left - mover.vcpus
            foes = {m for g in asked.groups if g.kind == APART and move.guest in g.members for m in g.members}
            assert not (foes - {move.guest}) & on[there]
            on[there].add(move.guest)
            assert free[there] >= 0 and (cpus[there] is None or t.cast(int, cpus[there]) >= 0), (asked, move)
        else:
            move = running.pop(chance.randrange(len(running)))
            ended.add(move.number)
            free[move.source] += guests[move.guest].size_mib
            here = cpus[move.source]
            if here is not None:
                cpus[move.source] = here + guests[move.guest].vcpus
            on[move.source].discard(move.guest)


def test_proof_of_why_not() -> None:
    """What is said to be missing does when it is there, and one unit less does not."""
    proven = 0
    for seed in range(CASES):
        asked = small(seed)
        try:
            shortage = plan(asked).shortage
        except NoDestination:
            continue
        if shortage is None or shortage.resource != MEMORY or not shortage.each or not shortage.proven:
            continue
        proven += 1
        for name, missing in shortage.each.items():
            assert cheapest(_with(asked, name, missing)) is not None, seed
            assert cheapest(_with(asked, name, missing - 1)) is None, seed
        assert shortage.missing == min(shortage.each.values())
        if proven == 60:
            return
    assert proven > 20


def _with(asked: Question, name: str, more: int) -> Question:
    hosts = (dataclasses.replace(h, free_mib=h.free_mib + more) if h.name == name else h for h in asked.hosts)
    return dataclasses.replace(asked, hosts=tuple(hosts))


def test_says_how_much_is_missing_and_where() -> None:
    """The sentence names the amount and the hosts."""
    answer = plan(question((0, 2048, 2048), guest("big", "xen1", 8192)))
    assert answer.shortage is not None
    assert answer.shortage.why == "needs 6 GiB more on any of xen2, xen3."
    assert (answer.shortage.missing, answer.shortage.hosts, answer.shortage.proven) == (6144, ("xen2", "xen3"), True)


def test_makes_room() -> None:
    """One that stands in the way goes first, and the other waits for it."""
    answer = plan(question((0, 1024, 4096), guest("a", "xen1", 4096, "xen2"), guest("b", "xen2", 3072)))
    assert steps(answer) == [("b", "xen3"), ("a", "xen2")]
    assert answer.moves[0].code == MAKES_ROOM and answer.moves[1].after == (1,)
    assert answer.moves[0].why == "makes room on xen2 for a"


def test_changes_places_through_a_third_host() -> None:
    """Two that are to change places on full hosts do so by way of another host."""
    asked = question(
        (0, 0, 1024),
        guest("a", "xen1", 2048, wanted=("xen2",)),
        guest("b", "xen2", 1024, wanted=("xen1",)),
        guest("c", "xen2", 1024, wanted=("xen1",)),
        empty=(),
    )
    answer = plan(asked)
    assert answer.shortage is not None, "one GiB on xen3 is too little for either to step aside and let a in"
    asked = _with(asked, "xen3", 1024)
    answer = plan(asked)
    assert {carry_out(asked, answer.moves)[each] for each in "bc"} == {"xen1"}
    assert carry_out(asked, answer.moves)["a"] == "xen2"
    assert STEPS_ASIDE in {move.code for move in answer.moves}


@pytest.mark.parametrize(
    ("free", "sizes", "stay"),
    [
        # The smallest without which the others have room.
        (10, {"a": 6, "b": 3, "c": 5}, {"c"}),
        (105, {"a": 100, "b": 3, "c": 5}, {"b"}),
        # None is enough by itself.
        (4, {"a": 6, "b": 3, "c": 5}, {"a", "c"}),
        (0, {"a": 6, "b": 3}, {"a", "b"}),
        (20, {"a": 6, "b": 3}, set()),
    ],
)
def test_of_those_that_are_wanted_all_come_that_have_room(free: int, sizes: dict[str, int], stay: set[str]) -> None:
    """Nobody stays away since another one does not fit; without leave there is no plan then."""
    guests = [guest(name, "xen2", size, "xen1", wanted=("xen1",)) for name, size in sizes.items()]
    asked = question((free, 0), *guests, empty=(), leave=True)
    answer = plan(asked)
    assert answer.shortage is None
    assert {blocker.guest for blocker in answer.blockers} == stay
    assert {move.guest for move in answer.moves} == sizes.keys() - stay
    assert all(blocker.code == NO_ROOM and "on xen1" not in blocker.host for blocker in answer.blockers)
    assert (plan(dataclasses.replace(asked, leave=False)).shortage is None) == (not stay)


def test_one_whose_place_is_taken_by_another_that_it_is_kept_apart_from_keeps_no_other_away() -> None:
    """However small it is: it is not memory that it lacks."""
    guests = [guest(name, "xen2", size, "xen1", wanted=("xen1",)) for name, size in {"a": 6, "b": 3}.items()]
    apart = Group("pair", APART, ("b", "foe"))
    answer = plan(question((50, 0), *guests, guest("foe", "xen1", 1), empty=(), groups=(apart,), leave=True))
    assert steps(answer) == [("a", "xen1")]
    assert [(blocker.guest, blocker.code) for blocker in answer.blockers] == [("b", NO_ROOM)]
    assert answer.blockers[0].why == "it is kept apart from foe, which is on xen1, where it is wanted."


@pytest.mark.parametrize(
    ("limits", "more", "groups", "stay", "why"),
    [
        ({}, {}, (Group("pair", APART, ("b", "foe")),), {"b"}, "it is kept apart from foe, which is on xen2"),
        ({}, {}, (Group("pair", APART, ("b", "c")),), {"c"}, ""),
        ({"vcpus_free": 4}, {"vcpus": 6}, (), {"b"}, "it has 6 vCPUs, and xen2"),
    ],
)
def test_of_those_that_leave_only_that_stays_which_has_to(
    limits: dict[str, t.Any], more: dict[str, t.Any], groups: tuple[Group, ...], stay: set[str], why: str
) -> None:
    """What stays may be shut down by whoever asks: never one that could go, since another one cannot."""
    guests = (guest("a", "xen1", 6, "xen2"), guest("b", "xen1", 3, "xen2", **more), guest("c", "xen1", 4, "xen2"))
    hosts = (Host("xen1", 0), Host("xen2", 50, **limits))
    answer = plan(Question(hosts, (*guests, guest("foe", "xen2", 1)), ("xen1",), groups, leave=True))
    assert {blocker.guest for blocker in answer.blockers} == stay
    assert {move.guest for move in answer.moves} == {"a", "b", "c"} - stay
    assert answer.blockers[0].code == NO_ROOM and answer.blockers[0].why.startswith(why)


def test_last_and_stopped() -> None:
    """What is to go last leaves its host behind the others; what is to be stopped is told with its host."""
    answer = plan(
        question(
            (0, 9000, 9000),
            guest("router", "xen1", 8192, last=True),
            guest("a", "xen1", 512),
            guest("card", "xen1", 512, stop=True),
        )
    )
    assert steps(answer)[-1][0] == "router" and answer.moves[-1].after == (1,)
    assert [(stop.name, stop.host) for stop in answer.stops] == [("card", "xen1")]


def test_blockers_of_all_hosts_at_once() -> None:
    """All that stays is told together, with its host, and the rest is planned."""
    answer = plan(
        question(
            (0, 0, 9000),
            guest("pinned", "xen1", 512, movable=False),
            dataclasses.replace(guest("alone", "xen2", 512), targets=()),
            guest("a", "xen2", 512),
            empty=("xen1", "xen2"),
        )
    )
    assert [(b.name, b.host, b.code) for b in answer.blockers] == [
        ("pinned", "xen1", NEVER_MOVE),
        ("alone", "xen2", NOWHERE),
    ]
    assert steps(answer) == [("a", "xen3")] and not answer.possible


def test_what_finds_no_room_may_be_left() -> None:
    """Asked to, the planner leaves what finds no room and moves the others."""
    answer = plan(question((0, 2048, 2048), guest("big", "xen1", 8192), guest("a", "xen1", 1024), leave=True))
    assert [(b.name, b.code) for b in answer.blockers] == [("big", NO_ROOM)]
    assert len(answer.moves) == 1 and answer.shortage is None


def test_groups() -> None:
    """Those kept apart end on two hosts, those kept together on one."""
    pair = (guest("a", "xen1", 1024), guest("b", "xen1", 1024))
    apart = plan(question((0, 8192, 1024), *pair, groups=(Group("g", APART, ("a", "b")),)))
    assert {move.destination for move in apart.moves} == {"xen2", "xen3"}
    together = plan(question((0, 1024, 2048), *pair, groups=(Group("g", TOGETHER, ("a", "b")),)))
    assert {move.destination for move in together.moves} == {"xen3"}


def test_weights() -> None:
    """A host with twice the weight takes twice as much, one without any only what no other can take."""
    hosts = (Host("xen1", 0), Host("xen2", 8192, weight=2.0), Host("xen3", 8192), Host("xen4", 8192, weight=0.0))
    guests = tuple(Guest(f"d{n}", f"d{n}", "xen1", 512, targets=("xen2", "xen3", "xen4")) for n in range(16))
    answer = plan(Question(hosts, guests, ("xen1",)))
    taken = {name: sum(move.destination == name for move in answer.moves) for name in ("xen2", "xen3", "xen4")}
    assert taken["xen4"] == 0 and taken["xen2"] > taken["xen3"]


def test_bad_questions() -> None:
    """A question that cannot be meant is refused with its cause."""
    with pytest.raises(NoDestination):
        plan(question((1024, 1024, 1024), guest("a", "xen1", 512), empty=ALL))
    with pytest.raises(QuestionWrong, match="on more than one host: xen1, xen2"):
        plan(question((0, 0, 0), guest("a", "xen1", 512), guest("a", "xen2", 512)))
    with pytest.raises(QuestionWrong, match="xen9 is to be emptied"):
        plan(question((0, 0, 0), guest("a", "xen1", 512), empty=("xen9",)))
    both = (Group("one", TOGETHER, ("a", "b")), Group("other", APART, ("b", "a")))
    with pytest.raises(QuestionWrong, match=r"a, b are to be kept together \(one\) and apart \(other\)"):
        plan(question((0, 0, 0), guest("a", "xen1", 512), guest("b", "xen1", 512), groups=both))


def test_an_order_that_needs_more_is_seen() -> None:
    """What checks each order before it is given out finds one that does not fit."""
    asked = question((0, 1024, 4096), guest("a", "xen1", 4096, "xen2"), guest("b", "xen2", 3072))
    answer = plan(asked)
    with pytest.raises(OrderBroken, match="a needs 4096 MiB on xen2, which has 1024"):
        carry_out(asked, answer.moves[::-1])


def test_large_fleet_is_quick() -> None:
    """A plan for 1,000 domains on 100 hosts takes less than two seconds of processor time, also where it is tight."""
    for filled in (0.9, 0.95, 0.98):
        asked = fleet(7, filled=filled)
        began = time.process_time()
        answer = plan(asked)
        assert time.process_time() - began < 2
        assert answer.shortage is None
        carry_out(asked, answer.moves)
        assert answer == plan(asked), "equal questions have equal answers"
