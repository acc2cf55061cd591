# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a report: every move once, sums that agree, times inside the run."""

from __future__ import annotations

import collections
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report import records, words
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.building import Left, build, run_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.records import Move, Report
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet_report.runs import (
    BEGAN,
    Document,
    evening,
    failed,
    host_info,
    planned,
    refusal,
    report,
    result,
    uuid_of,
)


def only(made: Report) -> Move:
    """Return the only move."""
    (move,) = made.moves
    return move


def test_the_evening_is_told_as_it_was() -> None:
    """Of thirty moves one failed, one was refused, one had been begun before, one runs twice, one left nothing."""
    made = report(evening())
    assert made.totals.counts == {
        **{"moved": 27, "already_there": 0, "stayed": 1},
        **{"refused": 1, "uncertain": 1, "not_done": 1},
    }
    assert (made.totals.moves, made.totals.adopted, made.totals.attention) == (31, 1, 4)
    assert made.summary.endswith("1 had been begun by an earlier run. 4 need somebody to look at them.")
    by_name = {move.name: move for move in made.moves}
    assert by_name["warehouse"].reasons[0].code == "not_enough_memory"
    assert by_name["warehouse"].treatment == "skip"
    assert by_name["ldap"].end_state == "running_twice" and by_name["ldap"].runs_on is None
    assert by_name["mail"].error and by_name["mail"].error.remedy.startswith("See that xen2")
    assert by_name["mail"].runs_on == "xen1"
    assert [remark.code for remark in by_name["web-03"].remarks] == ["mac_not_heard", "mtu_smaller"]


# What a move of the plan leaves, of every kind, also as nobody should leave it.
_FIGURES = st.one_of(st.none(), st.integers(-5, 10**6), st.sampled_from([10**30, True, "7", 1e300, float("nan")]))
_SECONDS = st.one_of(st.floats(-2000, 4000), st.sampled_from([1e300, float("nan"), float("inf"), -1.0]))


@st.composite
def left_by_a_run(draw: st.DrawFn) -> Left:
    """Draw what a run has left of up to a dozen planned moves, some of them told twice, clocks right and wrong."""
    plan, results, refused = [], [], []
    hosts = {f"xen{number}": draw(st.sampled_from([0.0, 3.0, -900.0, 1e9])) for number in range(1, 4)}
    for number in range(draw(st.integers(0, 12))):
        source, destination = draw(st.permutations(list(hosts)))[:2]
        move = planned(number, f"d{number}", source, destination)
        plan.append(move)
        fate = draw(st.sampled_from(["moved", "stayed", "running_twice", "refused", "nothing", "elsewhere", None]))
        if fate == "refused":
            refused.append(refusal(move))
        elif fate != "nothing":
            figures = {"total_ms": draw(_FIGURES), "stop_ms": draw(_FIGURES), "bytes": draw(_FIGURES)}
            way = {"source": source, "destination": destination, "end_state": fate}
            line = {"timeline": {"source_suspended": draw(_FIGURES)}}
            told = {**result(number, f"d{number}", draw(_SECONDS) + hosts[source]), **way, **figures, **line}
            results += [told] * draw(st.integers(1, 2))
    looks = {host: host_info(1000, [], clock=ahead) for host, ahead in hosts.items()}
    return Left(plan, results, refused, before=looks if draw(st.booleans()) else {}, after=looks)


@given(left=left_by_a_run(), lasts=st.floats(0, 3000))
def test_every_move_is_there_once_sums_agree_and_times_are_inside_the_run(left: Left, lasts: float) -> None:
    """Whatever figures the hosts have told, and whatever their clocks say."""
    made = build(run_of("", "", "", {}, BEGAN, BEGAN + lasts, left), left)
    told = collections.Counter((move.uuid, move.source, move.destination) for move in made.moves)
    assert told == {(move["uuid"], move["source"], move["destination"]): 1 for move in left.planned}
    totals, run = made.totals, made.run
    assert sum(totals.counts.values()) == totals.moves == len(made.moves)
    here = [move for move in made.moves if move.outcome != records.ALREADY_THERE]
    assert totals.bytes == sum(move.bytes or 0 for move in here)
    assert totals.stop_ms == sum(move.stop_ms or 0 for move in here)
    assert (totals.stop_longest_ms or 0) == max((move.stop_ms or 0 for move in here), default=0)
    assert totals.attention == sum(move.attention for move in made.moves)
    for move in made.moves:
        if move.began_s is None or (move.ended_s is not None and move.ended_s < run.began_s):
            continue
        last = run.ended_s if move.ended_s is None else move.ended_s
        assert move.began_s <= last <= run.ended_s
        assert move.adopted or run.began_s <= move.began_s
        assert move.stop_began_s is None or move.began_s <= move.stop_began_s <= run.ended_s
    assert Report.from_result(json.loads(json.dumps(made.to_result(), allow_nan=False))) == made


def keys(value: t.Any) -> t.Any:
    """Return the keys of a document, with those of the first one in each list."""
    if isinstance(value, dict):
        return {key: keys(each) for key, each in value.items()}
    if isinstance(value, list):
        return [keys(value[0])] if value else []
    return None


def test_the_json_keeps_its_keys() -> None:
    """Programs read it. A key that goes, or means something else, takes another number of the format."""
    remark = dict.fromkeys(("code", "severity", "host", "domain", "message", "remedy"))
    memory = dict.fromkeys(("total_mib", "free_mib", "dom0_mib", "domains_mib", "domains"))
    move = dict.fromkeys(
        (
            *("name", "uuid", "source", "destination", "outcome", "end_state", "owner", "runs_on", "settled", "reason"),
            *("session", "method", "transport", "adopted", "superseded", "attention", "times", "began_s", "ended_s"),
            *("total_ms", "stop_began_s", "stop_ms", "stop_measured", "left_paused", "bytes", "link_losses"),
            *("error", "treatment"),
        )
    )
    left = Left([], [failed(1, "a", 5, remarks=[{"code": "x"}])], [], [{"code": "x"}], {"xen1": host_info(1, [])}, {})
    made = report(left)
    assert records.FORMAT == 1
    assert keys(json.loads(json.dumps(made.to_result()))) == {
        **dict.fromkeys(("format", "summary")),
        "run": {
            **dict.fromkeys(("title", "by", "reference", "began_s", "ended_s")),
            "selected": [{"what": None, "values": [None]}],
        },
        "totals": {
            **dict.fromkeys(("moves", "adopted", "attention", "bytes", "total_ms", "stop_ms")),
            **dict.fromkeys(("stop_longest_ms", "stop_longest_name")),
            "counts": dict.fromkeys(records.OUTCOMES),
        },
        "moves": [{**move, "error": remark, "reasons": [], "remarks": [remark]}],
        "hosts": [{"host": None, "before": memory, "after": None, "trouble": None}],
        "blockers": [remark],
    }


@pytest.mark.parametrize("ahead", [0.0, 90_000.0, -3600.0])
def test_a_host_whose_clock_is_wrong_is_put_right(ahead: float) -> None:
    """Of what the source's clock says is taken how far it was off when the host was asked."""
    told = result(1, "a", 40 + ahead)
    move = only(report(Left(results=[told], before={"xen1": host_info(1, [], clock=ahead)})))
    assert (move.times, move.adopted) == ("known", False)
    assert move.began_s == pytest.approx(BEGAN + 40, abs=1) and move.ended_s == pytest.approx(BEGAN + 83, abs=1)


def test_a_clock_that_nobody_has_compared_is_doubted() -> None:
    """The bar stays inside the run, and the report says whose clock it was."""
    move = only(report(Left(results=[result(1, "a", 90_000)])))
    assert (move.times, move.began_s, move.outcome) == ("clipped", BEGAN + 460, "moved")


def test_what_an_earlier_run_began_or_ended_is_told_apart() -> None:
    """One that was taken over began before this run; one that had ended adds nothing to the sums."""
    taken, over = result(1, "a", -30), result(2, "b", -300)
    made = report(Left(results=[taken, over]))
    moves = {move.name: move for move in made.moves}
    assert moves["a"].adopted and moves["a"].outcome == "moved" and moves["a"].began_s == BEGAN - 30
    assert moves["b"].outcome == "already_there" and not moves["b"].adopted
    assert made.totals.bytes == taken["bytes"]
    always = result(3, "c", 0, session=None, began_s=None, total_ms=None, stop_ms=None, bytes=None)
    assert only(report(Left(results=[always]))).outcome == "already_there"


def test_a_rehearsal_needs_nobody() -> None:
    """It was to stay, and says so; one that has come to no end of its own is a move that stayed."""
    well = failed(1, "a", 5, error=None, rehearsed=True)
    move = only(report(Left(results=[well])))
    assert (move.outcome, move.attention, words.outcome(move)) == ("stayed", False, "\u2713 rehearsed")
    move = only(report(Left(results=[failed(1, "a", 5, rehearsed=False)])))
    assert (move.outcome, move.attention, words.outcome(move)) == ("stayed", True, "\u2717 stayed")


def test_a_later_attempt_makes_good() -> None:
    """Then nobody needs to look at the first one; both are told. A second half that fails is not made good."""
    again = result(1, "a", 60, session="f" * 16, destination="xen3")
    made = report(Left(results=[failed(1, "a", 5), again], refused=[refusal(planned(1, "a", "xen1", "xen2"))]))
    assert [(move.outcome, move.superseded, move.attention) for move in made.moves] == [
        ("stayed", True, False),
        ("moved", False, False),
        ("refused", True, False),
    ]
    half = refusal(planned(1, "a", "xen3", "xen2"))
    assert report(Left(results=[again], refused=[half])).totals.attention == 1


@pytest.mark.parametrize(
    "other",
    [
        {"settled": False, "reason": "It runs on xen2, but xen1 still has a--migratedaway."},
        {"error": {"code": "moved_not_alive", "host": "xen2", "msg": "xen2: a has moved and is not alive"}},
    ],
)
def test_a_move_that_is_not_in_order_needs_somebody(other: Document) -> None:
    """It has moved, and that is not all."""
    move = only(report(Left(results=[result(1, "a", 5, **other)])))
    assert (move.outcome, move.attention) == ("moved", True)


def test_checks_that_refused_nothing_are_no_refusals() -> None:
    """The check of a move that was done comes with it; a move that was not come to has none."""
    move = planned(1, "a")
    accepted = {**move, "check": {"action": "migrate", "findings": [{"code": "mtu_smaller", "severity": "warning"}]}}
    made = report(Left([move], [result(1, "a", 5)], [accepted, {**move, "check": {}}]))
    assert only(made).outcome == "moved"
    made = report(Left([move], [{}], [{**move, "check": {}}]))
    assert only(made).outcome == "not_done"


def test_outcomes_by_host_may_be_of_any_kind() -> None:
    """A run of many rounds keeps what came of each move in one place: results, refusals, and whatever else failed."""
    plan = [planned(number, name) for number, name in enumerate(("a", "b", "c", "d"))]
    lost = {"failed": True, "msg": "Failed to connect to the host via ssh", "code": "out_of_reach"}
    outcomes = {
        "a@xen1": result(0, "a", 5),
        "b@xen1": {"failed": True, **refusal(plan[1])["check"]},
        "c@xen1": lost,
        "unplanned@xen3": lost,
    }
    made = report(Left(plan, outcomes=outcomes))
    moves = {move.name: move for move in made.moves}
    assert {name: move.outcome for name, move in moves.items()} == {
        **{"a": "moved", "b": "refused", "c": "not_done", "d": "not_done", "unplanned": "not_done"},
    }
    assert moves["b"].destination == "xen2" and moves["b"].reasons[0].code == "not_enough_memory"
    assert moves["c"].error and moves["c"].error.message == lost["msg"] and moves["d"].error is None
    assert moves["unplanned"].source == "xen3"


def test_what_came_of_several_rounds_is_told_together() -> None:
    """A move is called the same in each: what was tried again is two attempts, and the first was made good."""
    first, again = planned(0, "a"), planned(1, "b")
    failed = result(1, "b", 5, end_state="stayed", owner="source", error={"code": "unreachable", "msg": "no route"})
    rounds = [
        {"planned": [first, again], "outcomes": {"a@xen1": result(0, "a", 5), "b@xen1": failed}},
        {"planned": [again], "outcomes": {"b@xen1": result(1, "b", 50, session="f" * 16)}},
        {"planned": [planned(2, "c")], "outcomes": {"c@xen1": {"failed": True, "msg": "Failed to connect"}}},
    ]
    made = report(Left(rounds=rounds), lasts_s=1000)
    assert [(move.name, move.outcome, move.superseded) for move in made.moves] == [
        ("a", "moved", False),
        ("b", "stayed", True),
        ("b", "moved", False),
        ("c", "not_done", False),
    ]
    assert made.totals.attention == 1


def test_blockers_are_told_as_a_plan_has_them() -> None:
    """With what speaks against each other host."""
    reasons = [{"host": "xen2", "code": "bridge_missing", "message": "no xenbr1."}]
    blocker = {
        "uuid": uuid_of(1),
        "name": "a",
        "host": "xen1",
        "code": "nowhere",
        "why": "No host.",
        "reasons": reasons,
    }
    (told,) = report(Left(blockers=[blocker])).blockers
    assert (told.domain, told.host, told.message) == ("a", "xen1", "No host.\nxen2: no xenbr1.")


def test_a_refusal_tells_all_its_reasons_and_what_was_no_reason_apart() -> None:
    """As the check has found them."""
    found = [{"code": code, "severity": severity, "message": "."} for code, severity in _FOUND]
    move = only(report(Left(refused=[refusal(planned(1, "a"), *found)])))
    assert [reason.code for reason in move.reasons] == ["bridge_missing", "disk_missing"]
    assert [remark.code for remark in move.remarks] == ["mtu_smaller"]
    bare = {"name": "a", "uuid": uuid_of(1), "source": "xen1", "code": "never_move", "msg": "it has the tag."}
    move = only(report(Left(refused=[bare])))
    assert (move.reasons[0].code, move.reasons[0].message, move.destination) == ("never_move", "it has the tag.", None)


_FOUND = (("bridge_missing", "error"), ("mtu_smaller", "warning"), ("disk_missing", "error"))


def test_a_file_of_a_refused_move_is_a_refusal() -> None:
    """``migrate_result_path`` of one that the check refused has no figures."""
    found = [{"code": "bridge_missing", "severity": "error", "host": "xen2", "message": "no xenbr0."}]
    told = {"domain": "a", "source": "xen1", "destination": "xen2", "end_state": "refused", "findings": found}
    move = only(report(Left(results=[told])))
    assert (move.name, move.outcome, move.reasons[0].message) == ("a", "refused", "no xenbr0.")


def test_memory_before_and_after() -> None:
    """Without dom0's own in that of the domains; a host that did not answer is told with its words."""
    before = {"xen1": host_info(512, [1024, 2048]), "xen2": {"unreachable": True, "msg": "no route"}}
    first, second = report(Left(before=before, after={"xen1": host_info(3584, [])})).hosts
    assert first.before and first.before.to_result() == {
        **{"total_mib": 5632, "free_mib": 512, "dom0_mib": 2048, "domains_mib": 3072, "domains": 2},
    }
    assert first.after and (first.after.domains, first.after.free_mib) == (0, 3584)
    assert (second.before, second.after, second.trouble) == (None, None, "before: no route")


def test_a_run_that_nobody_timed_began_when_the_first_host_was_asked() -> None:
    """The controller's clock of that moment is in what ``host_info`` returned."""
    left = Left(before={"a": host_info(1, [], BEGAN - 5), "b": host_info(1, [], BEGAN - 9)})
    assert run_of("", "", "", {}, None, BEGAN + 1, left).began_s == BEGAN - 9
    assert run_of("", "", "", {}, None, BEGAN, Left(results=[result(1, "a", -7)])).began_s == BEGAN - 7
    assert run_of("", "", "", {}, None, BEGAN, Left()).began_s == BEGAN


def test_nothing_to_move() -> None:
    """The second identical run has a report, too."""
    made = report(Left())
    assert (made.summary, made.totals.moves) == ("There was nothing to move.", 0)
