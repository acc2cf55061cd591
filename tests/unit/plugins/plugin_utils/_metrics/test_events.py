# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a run, of the results of its tasks."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._metrics.events import (
    Application,
    Course,
    Evacuation,
    Failure,
    Maintenance,
    Migration,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._metrics.tally import Changes

HOST = "centos@xen1"
VERDICT = "dom0.xen.migration_verdict"
CHECK = "dom0.xen.migration_check"
MOVED: dict[str, t.Any] = {
    "end_state": "moved",
    "domain": {"uuid": "u", "name": "centos", "memory_kib": 5},
    "source": "xen1",
    "destination": "xen2",
    "session": "a" * 16,
    "method": "live",
    "transport": "tls",
    "bytes": 1024,
    "rounds": [{}, {}],
    "link_losses": 0,
    "began_s": 1795448672.57,
    "total_ms": 34117,
    "stop_ms": 367,
    "msg": "told to people",
    "invocation": {"module_args": {"password": "hunter2"}},
}
STAYED = {**MOVED, "end_state": "stayed", "stop_ms": None, "code": "link_expired"}


def test_a_move_is_kept_with_its_figures_and_nothing_else() -> None:
    """Neither arguments nor messages: what is not named is not there."""
    (event,) = Course().take(HOST, VERDICT, MOVED, failed=False)
    assert event.to_result() == {
        **{"host": HOST, "outcome": "moved", "succeeded": True, "code": None, "uuid": "u", "name": "centos"},
        **{"source": "xen1", "destination": "xen2", "session": "a" * 16, "method": "live", "transport": "tls"},
        **{"bytes": 1024, "rounds": 2, "link_losses": 0, "began_s": 1795448672.57, "total_ms": 34117, "stop_ms": 367},
    }


def test_a_rehearsal_is_no_move_that_stayed() -> None:
    """It was to stay: whoever is alerted by moves that fail is not by this, and its figures are not those of moves."""
    (event,) = Course().take(HOST, VERDICT, {**STAYED, "rehearsed": True, "code": None}, failed=False)
    assert isinstance(event, Migration) and (event.outcome, event.succeeded) == ("rehearsed", True)
    counted = Changes()
    counted.take(event, 0.0)
    assert counted.added == {("dom0_xen_migrations_total", (("method", "live"), ("outcome", "rehearsed"))): 1.0}


def test_a_verdict_that_fails_counts_when_no_other_one_follows() -> None:
    """The role looks again when it has tidied up; one move is one line."""
    course = Course()
    assert course.take(HOST, VERDICT, STAYED, failed=True) == [Failure(HOST, None, "migration_verdict", "link_expired")]
    (event,) = course.take(HOST, VERDICT, MOVED, failed=False)
    assert isinstance(event, Migration) and event.outcome == "moved"
    assert course.end() == []
    course.take(HOST, VERDICT, STAYED, failed=True)
    (event,) = course.end()
    assert isinstance(event, Migration) and (event.outcome, event.code) == ("stayed", "link_expired")


def test_a_move_that_is_made_again_has_not_succeeded_before() -> None:
    """The role minds its verdict only when it does not try again; what was given up is none of those that succeeded."""
    course, given_up = Course(), {**STAYED, "code": "stop_over_budget"}
    assert course.take(HOST, VERDICT, given_up, failed=False, ignored=True) == []
    (event,) = course.take(HOST, CHECK, {"action": "migrate"}, failed=False)
    assert isinstance(event, Migration)
    assert (event.outcome, event.succeeded, event.code) == ("stayed", False, "stop_over_budget")
    (event,) = course.take(HOST, VERDICT, MOVED, failed=False)
    assert isinstance(event, Migration) and event.succeeded and course.end() == []


def test_the_next_move_of_a_play_host_ends_the_one_before() -> None:
    """An evacuation tries a domain again, in a later round."""
    course = Course()
    course.take(HOST, VERDICT, STAYED, failed=True)
    (event,) = course.take(HOST, CHECK, {"action": "migrate"}, failed=False)
    assert isinstance(event, Migration) and event.outcome == "stayed"
    # The same cause in the next try is another failure.
    assert course.take(HOST, VERDICT, STAYED, failed=True)[0].EVENT == "failure"


def test_a_domain_that_was_there_already_was_not_moved() -> None:
    """The figures are those of a move that an earlier run has counted."""
    course = Course()
    assert course.take(HOST, CHECK, {"action": "already_there"}, failed=False) == []
    (event,) = course.take(HOST, VERDICT, MOVED, failed=False)
    assert isinstance(event, Migration)
    assert (event.outcome, event.session, event.bytes, event.name) == ("already_there", None, None, "centos")


def test_a_refusal_is_an_outcome_and_a_failure() -> None:
    """The guest was not touched, and somebody has something to do."""
    refused = {"action": "refuse", "code": "bridge_missing", "findings": []}
    assert Course().take(HOST, CHECK, refused, failed=True) == [
        Migration(HOST, "refused", False, "bridge_missing"),
        Failure(HOST, None, "migration_check", "bridge_missing"),
    ]


def test_a_cause_is_told_once() -> None:
    """By the task that failed first, not again by the verdict."""
    course = Course()
    told = course.take(HOST, "dom0.xen.migration_send", {"code": "link_expired"}, failed=True, on="xen1")
    assert told == [Failure(HOST, "xen1", "migration_send", "link_expired")]
    assert course.take(HOST, VERDICT, STAYED, failed=True) == []
    assert course.unreachable(HOST, "dom0.xen.migration_info", "xen2") == [
        Failure(HOST, "xen2", "migration_info", "unreachable")
    ]
    assert course.take("xen1", "dom0.xen.host_info", {}, failed=True) == [Failure("xen1", None, "host_info", "no_code")]
    assert course.take("xen1", "dom0.xen.host_info", {"code": "x"}, failed=False) == []


@pytest.mark.parametrize(
    ("action", "result", "events"),
    [
        pytest.param(
            "evacuation_result",
            {"complete": True, "hosts": [{"name": "xen1", "empty": True}], "moves": [{}, {}]},
            [Evacuation(True, ("xen1",), (), 2)],
            id="emptied",
        ),
        pytest.param(
            "evacuation_result",
            {"complete": False, "code": "not_empty", "hosts": [{"name": "xen1", "empty": False}], "moves": 7},
            [Evacuation(False, (), ("xen1",), 0), Failure("localhost", None, "evacuation_result", "not_empty")],
            id="not empty, though the task may not fail",
        ),
        pytest.param(
            "maintenance_result",
            {"done": True, "hosts": [{"name": "xen1", "state": "done"}, {"name": "xen2", "state": "not_begun"}]},
            [Maintenance(True, ("xen1",), ("xen2",))],
            id="maintained",
        ),
        pytest.param(
            "moves_compare",
            {"complete": True, "planned": 3, "done": 3},
            [Application(True, 3, 3)],
            id="plan carried out",
        ),
        pytest.param("evacuation_result", {"skipped": True}, [], id="skipped"),
        pytest.param("fleet_known", {"dom0s": []}, [], id="something else"),
    ],
)
def test_summaries(action: str, result: dict[str, t.Any], events: list[t.Any]) -> None:
    """What was asked for as a whole, and whether it was reached, told at the end."""
    course = Course()
    assert course.take("localhost", f"dom0.xen.{action}", result, failed=False) == []
    assert course.end() == events


def summed_up(*results: tuple[str, str, dict[str, t.Any]]) -> list[t.Any]:
    """Return the lines of a run with these results, each of a play host's task."""
    course = Course()
    told = [
        event for host, action, result in results for event in course.take(host, f"dom0.xen.{action}", result, False)
    ]
    return [*told, *course.end()]


def test_a_host_is_emptied_once() -> None:
    """It is looked at by its own row, and at the end by the playbook: dashboards would add both."""
    one: dict[str, t.Any] = {"complete": True, "hosts": [{"name": "xen1", "empty": True}]}
    left = {"complete": False, "code": "not_empty", "hosts": [{"name": "xen2", "empty": False}]}
    both = {"complete": True, "hosts": [*one["hosts"], {"name": "xen2", "empty": True}], "moves": [{}] * 3}
    rows = [("xen1", "evacuation_result", one), ("xen2", "evacuation_result", left)]
    assert summed_up(*rows, ("localhost", "evacuation_result", both)) == [Evacuation(True, ("xen1", "xen2"), (), 3)]
    # Hosts of a maintenance are emptied one after the other, and nobody looks at them together.
    assert summed_up(*rows) == [
        Evacuation(True, ("xen1",), (), 0),
        Evacuation(False, (), ("xen2",), 0),
        Failure("xen2", None, "evacuation_result", "not_empty"),
    ]


def test_a_round_of_an_evacuation_is_no_plan() -> None:
    """Its moves are compared as those of a plan are, round by round; of a plan itself the last word counts."""
    done: dict[str, t.Any] = {"complete": True, "planned": 2, "done": 2}
    undone = {"complete": False, "planned": 2, "done": 1, "code": "moves_left"}
    rounds = [("localhost", "moves_compare", undone), ("localhost", "moves_compare", done)]
    assert summed_up(*rounds) == [Application(True, 2, 2)]
    empty = {"complete": True, "hosts": [{"name": "xen1", "empty": True}], "moves": [{}, {}]}
    assert summed_up(*rounds, ("localhost", "evacuation_result", empty)) == [Evacuation(True, ("xen1",), (), 2)]


def test_a_result_may_be_anything() -> None:
    """A callback that fails would be told with each task."""
    (event,) = Course().take(HOST, VERDICT, {"domain": 7, "rounds": "x", "bytes": "y", "method": []}, failed=False)
    assert isinstance(event, Migration) and (event.outcome, event.bytes, event.name) == ("unknown", None, None)
