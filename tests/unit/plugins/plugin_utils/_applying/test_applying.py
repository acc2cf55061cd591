# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a plan is done, whose turn it is, and what is tried again."""

from __future__ import annotations

import os
import pathlib
import threading
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts, SessionDomain
from ansible_collections.dom0.xen.plugins.plugin_utils._applying import board as board_module
from ansible_collections.dom0.xen.plugins.plugin_utils._applying import forks, rounds, steps
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.board import Blocked, Board, Limits, TooLate
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.outcome import outcomes, summary
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.steps import DONE, TO_DO, UNDER_WAY, Step
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.workers import Controller, RunGone
from ansible_collections.dom0.xen.plugins.plugin_utils._planning import MoveNameTaken
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import DOM0, host, row, session

A, B = "1c1a7b9e-3f5d-4c65-9e1a-0123456789ab", "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
# b makes room on xen3 for a, and comes back to where a was.
SWAP = (
    {"number": 1, "uuid": B, "name": "b", "source": "xen3", "destination": "xen2", "after": []},
    {"number": 2, "uuid": A, "name": "a", "source": "xen1", "destination": "xen3", "after": [1]},
    {"number": 3, "uuid": B, "name": "b", "source": "xen2", "destination": "xen1", "after": [1, 2]},
)
PLAN = steps.steps_of(SWAP, ())


def fleet(sessions: t.Mapping[str, t.Any] | None = None, /, **places: str) -> dict[str, HostFacts]:
    """Three hosts with their domains, ``a``, ``b`` and ``c``, and sessions by host."""
    uuids = {"a": A, "b": B, "c": C}
    found = {}
    for name in ("xen1", "xen2", "xen3"):
        rows = tuple(row(name=each, uuid=uuids[each]) for each, there in places.items() if there == name)
        found[name] = host(name, domains=(DOM0, *rows), sessions=tuple((sessions or {}).get(name, ())))
    return found


def states(found: steps.Sorted) -> list[str]:
    """The states of the moves, in their order."""
    return [step.state for step in found.steps]


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ({"a": "xen1", "b": "xen3"}, [TO_DO, TO_DO, TO_DO]),
        ({"a": "xen1", "b": "xen2"}, [DONE, TO_DO, TO_DO]),
        ({"a": "xen3", "b": "xen2"}, [DONE, DONE, TO_DO]),
        ({"a": "xen3", "b": "xen1"}, [DONE, DONE, DONE]),
    ],
)
def test_a_plan_that_was_cut_off_is_picked_up(places: dict[str, str], expected: list[str]) -> None:
    """Wherever that was: what counts is where the domains are."""
    found = steps.sort_out(PLAN, fleet(None, **places))
    assert (states(found), found.changed) == (expected, ())


C = "3c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
# c steps aside to xen3 for as long as b comes to where it is, and a goes from there; then it comes back.
ASIDE = steps.steps_of(
    (
        {"number": 1, "uuid": C, "name": "c", "source": "xen1", "destination": "xen3", "after": []},
        {"number": 2, "uuid": B, "name": "b", "source": "xen2", "destination": "xen1", "after": [1]},
        {"number": 3, "uuid": A, "name": "a", "source": "xen1", "destination": "xen2", "after": [2]},
        {"number": 4, "uuid": C, "name": "c", "source": "xen3", "destination": "xen1", "after": [1, 3]},
    ),
    (),
)


@pytest.mark.parametrize("number", range(5))
def test_one_that_comes_back_to_its_host_has_not_been_away_before_it_left(number: int) -> None:
    """Where it is says nothing, and neither of its moves is done before the plan is begun; what came after says it."""
    where = {"a": "xen1", "b": "xen2", "c": "xen1"}
    where.update({step.name: step.destination for step in ASIDE[:number]})
    found = steps.sort_out(ASIDE, fleet(None, **where))
    assert (states(found), found.changed) == ([DONE] * number + [TO_DO] * (4 - number), ())


def test_a_move_under_way_is_watched_and_not_made_again() -> None:
    """A session of it runs, on both hosts."""
    there = {
        "xen1": [session(domain=SessionDomain(A, "a"), role="sender", alive=True)],
        "xen3": [session(domain=SessionDomain(A, "a"), role="receiver", alive=True)],
    }
    found = steps.sort_out(PLAN, fleet(there, a="xen1", b="xen2"))
    assert (states(found), found.changed) == ([DONE, UNDER_WAY, TO_DO], ())
    elsewhere = {"xen1": there["xen1"], "xen2": there["xen3"]}
    assert steps.sort_out(PLAN, fleet(elsewhere, a="xen1", b="xen2")).changed == (
        "a is being moved from xen1 to xen2 at this moment",
    )


def test_what_does_not_fit_the_plan_is_told() -> None:
    """A domain that is elsewhere, nowhere, or twice; a host that does not answer any more."""
    plan = steps.steps_of([SWAP[1]], ())
    assert steps.sort_out(plan, fleet(a="xen2")).changed == ("a was on xen1 and is on xen2",)
    assert steps.sort_out(plan, fleet()).changed == ("a is not on xen1 any more, nor on another dom0",)
    twice = fleet(a="xen1")
    twice["xen2"] = fleet(a="xen2")["xen2"]
    assert steps.sort_out(plan, twice).changed == ("a is on more than one host: xen1, xen2",)
    silent = fleet(a="xen1")
    del silent["xen3"]
    assert steps.sort_out(plan, silent).changed == ("xen3 told nothing about itself",)
    assert "a was on xen1" in steps.outdated(("a was on xen1",), "plan.yml").as_result()["msg"]


def test_an_unsettled_domain_excuses_no_other() -> None:
    """What does not fit is told, but for those of which nobody knows where they are."""
    plan = steps.steps_of(
        [
            {"number": 1, "uuid": A, "name": "a", "source": "xen1", "destination": "xen3"},
            {"number": 2, "uuid": B, "name": "b", "source": "xen2", "destination": "xen1"},
        ],
        (),
    )
    there = fleet(a="xen2", b="xen3")
    assert steps.sort_out(plan, there, {A}).changed == ("b was on xen2 and is on xen3",)
    assert steps.sort_out(plan, there, {A, B}).changed == ()
    del there["xen1"], there["xen2"]
    assert "xen2 told nothing about itself" in steps.sort_out(plan, there, {A}).changed
    assert steps.sort_out(plan[:1], there, {A}).changed == ()


def test_names_of_moves() -> None:
    """Each is a host of its own; one that exists is never taken."""
    assert [step.host for step in PLAN] == ["b@xen3", "a@xen1", "b@xen2"]
    again = steps.steps_of([SWAP[0], {**SWAP[0], "number": 9}, {**SWAP[0], "name": "c d", "uuid": "x"}], ())
    assert [step.host for step in again] == ["b@xen3", "b.2@xen3", "c_d@xen3"]
    with pytest.raises(MoveNameTaken):
        steps.steps_of(SWAP, {"a@xen1"})


def many(number: int, source: str = "xen1", after: tuple[int, ...] = ()) -> tuple[Step, ...]:
    """Moves that have nothing to do with each other."""
    return tuple(
        Step(each, f"{each}", f"d{each}", source, f"xen{2 + each % 2}", after) for each in range(1, number + 1)
    )


def run_all(board: Board, plan: t.Sequence[Step], fail: t.Container[int] = ()) -> dict[int, tuple[float, float]]:
    """Make all moves at once, as many processes would; return when each was at work."""
    times: dict[int, tuple[float, float]] = {}

    def make(step: Step) -> None:
        board.wait(step.number)
        begun = time.monotonic()
        time.sleep(0.3)
        times[step.number] = (begun, time.monotonic())
        board.end(step.number, step.number not in fail)

    threads = [threading.Thread(target=make, args=(step,)) for step in plan]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def most(times: t.Iterable[tuple[float, float]]) -> int:
    """Return how many were at work at the same time at most."""
    spans = list(times)
    return max(sum(begun <= at < ended for begun, ended in spans) for at, dummy in spans)


def test_limits_hold_and_nobody_waits_for_a_batch(tmp_path: pathlib.Path) -> None:
    """Eight moves, at most three from the host, two to each, and all are done in about three turns."""
    board, plan = Board(str(tmp_path / "board")), many(8)
    board.set_up(plan, Limits({"xen1": 3}, {"xen2": 2, "xen3": 2}))
    times = run_all(board, plan)
    assert len(times) == 8 and most(times.values()) == 3
    for name in ("xen2", "xen3"):
        assert most(times[step.number] for step in plan if step.destination == name) <= 2


def test_a_limit_for_the_run(tmp_path: pathlib.Path) -> None:
    """Whatever hosts they are between."""
    board, plan = Board(str(tmp_path / "board")), many(4)
    board.set_up(plan, Limits(run=1))
    assert most(run_all(board, plan).values()) == 1


def test_a_move_waits_for_those_that_it_needs(tmp_path: pathlib.Path) -> None:
    """And not for others; one that is done already is not waited for."""
    board = Board(str(tmp_path / "board"))
    board.set_up(PLAN, Limits())
    times = run_all(board, PLAN)
    assert times[1][1] <= times[2][0] and times[2][1] <= times[3][0]
    done = steps.sort_out(PLAN, fleet(a="xen1", b="xen2")).steps
    board.set_up(done, Limits())
    assert board.wait(2) < 5


def test_what_needs_a_move_that_failed_does_not_begin(tmp_path: pathlib.Path) -> None:
    """It is told which; others go on."""
    board = Board(str(tmp_path / "board"))
    board.set_up((*PLAN, Step(9, "x", "x", "xen1", "xen2")), Limits())
    board.wait(1)
    board.end(1, done=False)
    with pytest.raises(Blocked, match="a has to wait for b to leave xen3, which has failed"):
        board.wait(2)
    board.end(2, done=False)
    assert board.wait(9) < 5


def test_nothing_begins_after_the_deadline(tmp_path: pathlib.Path) -> None:
    """What is under way is not touched, and a run that waits says now and then that it lives."""
    board, beaten = Board(str(tmp_path / "board")), []
    board.set_up(many(2), Limits(run=1), time.monotonic() + 3.0)
    board.wait(1)
    with pytest.raises(TooLate):
        board.wait(2, lambda: beaten.append(1), 0.5)
    assert beaten


class Run(Controller):
    """A run whose tasks are these processes."""

    def __init__(self, *pids: int) -> None:
        super().__init__()
        self.pids = frozenset(pids)

    def workers(self) -> frozenset[int]:
        """Those."""
        return self.pids


def test_a_move_that_ansible_has_dropped_is_not_waited_for(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its task found a host silent, and no rescue runs: what needs it is told, and it takes nobody's place."""
    monkeypatch.setattr(board_module, "DROPPED_S", 0.2)
    monkeypatch.setattr(board_module, "_LOOK_S", 0.1)
    board = Board(str(tmp_path / "board"), Run(os.getpid()))
    board.set_up((*PLAN, Step(9, "x", "x", "xen3", "xen2")), Limits(run=1))
    board.wait(1)
    assert board.wait(9) < 5
    with pytest.raises(Blocked):
        board.wait(2)
    assert not list((tmp_path / "board").glob("*.waits"))


def test_a_move_at_work_is_waited_for(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes: a task of the run is at work."""
    monkeypatch.setattr(board_module, "DROPPED_S", 0.2)
    monkeypatch.setattr(board_module, "_LOOK_S", 0.1)
    board = Board(str(tmp_path / "board"), Run(os.getpid(), 1))
    board.set_up(PLAN, Limits(), time.monotonic() + 2.0)
    board.wait(1)
    with pytest.raises(TooLate):
        board.wait(2)


def test_nobody_waits_for_a_run_that_was_killed(tmp_path: pathlib.Path) -> None:
    """A worker that outlives its run says no longer that the run lives."""
    board = Board(str(tmp_path / "board"))
    board.set_up(PLAN, Limits())
    board.wait(1)
    told = tmp_path / "told"
    run = os.fork()
    if run == 0:
        if os.fork() == 0:
            try:
                Board(str(tmp_path / "board")).wait(2)
            except RunGone:
                told.write_text("gone")
            os._exit(0)
        time.sleep(1.0)
        os._exit(0)
    os.waitpid(run, 0)
    deadline = time.monotonic() + 20.0
    while not told.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert told.exists()


def test_what_came_of_it() -> None:
    """Each move is told; one that never began, and one that ended elsewhere, are not done."""
    plan = steps.sort_out(PLAN, fleet(a="xen1", b="xen2")).steps
    found = outcomes(plan, {"a@xen1": {"end_state": "stayed", "failed": True, "code": "link_lost", "msg": "lost"}})
    assert [(each.done, each.changed, each.code) for each in found] == [
        (True, False, ""),
        (False, False, "link_lost"),
        (False, False, "not_begun"),
    ]
    text = summary(found)
    assert text.startswith("Moves planned: 3, done: 1, 1 of them before this run.")
    assert "not done: a from xen1 to xen3: lost" in text and "it has not begun" in text


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"destination": "xen2"}, "it was moved to xen2"),
        ({"domain": {"uuid": B, "name": "b"}}, "in its place b was moved"),
        ({"domain": None}, "in its place an unknown domain was moved"),
    ],
)
def test_another_move_is_not_this_one(changes: t.Mapping[str, t.Any], why: str) -> None:
    """Whatever variables said: done is what was planned, the domain by its UUID and the host that it went to."""
    moved = {"end_state": "moved", "domain": {"uuid": A, "name": "a"}, "destination": "xen3", **changes}
    (found,) = outcomes(steps.steps_of([SWAP[1]], ()), {"a@xen1": moved})
    assert (found.done, found.changed, found.why) == (not why, not why, why)
    assert found.code == ("another_move" if why else "")


def test_what_is_tried_again() -> None:
    """So often and no more, and only for a cause that may be otherwise the next time."""
    plan = [steps.steps_of([SWAP[1]], ())[0]]
    lost = [each.to_result() for each in outcomes(plan, {"a@xen1": {"failed": True, "code": "link_lost", "msg": "x"}})]
    history = rounds.remember({}, lost)
    assert rounds.given_up(history, 1) == ()
    history = rounds.remember(history, lost)
    assert rounds.given_up(history, 1) == (A,) and rounds.given_up(history, 2) == ()
    wrong = [{**lost[0], "code": "running_twice"}]
    assert rounds.given_up(rounds.remember({}, wrong), 5) == (A,)
    assert rounds.remember(history, [{**lost[0], "done": True}]) == {}
    assert [move["number"] for move in rounds.without(SWAP, {A})] == [1]


def test_a_look_at_what_is_left() -> None:
    """Copies that a move has left count; a host that does not answer is not empty."""
    hosts = fleet(a="xen1", b="xen2")
    found = rounds.look(hosts, ["xen1", "xen3"])
    assert [guest.name for guest in found.guests] == ["a"] and not found.empty
    assert rounds.look(hosts, ["xen3"]).empty
    del hosts["xen3"]
    assert rounds.look(hosts, ["xen3"]).silent == ("xen3",) and not rounds.look(hosts, ["xen3"]).empty
    at_work = {
        "xen2": [session(domain=SessionDomain(B, "b"), role="sender", alive=True)],
        "xen3": [session(domain=SessionDomain(B, "b"), role="receiver", alive=True)],
    }
    found = rounds.look(fleet(at_work, b="xen2"), ["xen3"])
    assert [(each["name"], each["source"], each["destination"]) for each in found.moves] == [("b", "xen2", "xen3")]
    assert not found.empty and not found.guests
    assert rounds.look(fleet(at_work, b="xen2"), ["xen1"]).moves == ()


def test_forks() -> None:
    """Fewer than moves at one time is a warning; where moves would wait for ever, it is an error."""
    plan, limits = many(8), Limits({"xen1": 6}, {"xen2": 4, "xen3": 4})
    assert forks.objections(plan, limits, 6, "domains") == []
    (said,) = forks.objections(plan, limits, 5, "domains")
    assert "--forks 6" in said
    assert forks.objections(plan, limits, 1, "hosts") == []
    with pytest.raises(forks.TooFewForks):
        forks.objections(PLAN, limits, 2, "hosts")
    assert forks.objections(PLAN, limits, 3, "hosts") == []
