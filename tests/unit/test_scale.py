# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bench of large fleets reckons, and that it says no where a bound is missed."""

from __future__ import annotations

import json
import pathlib

import pytest

from ansible_collections.dom0.xen.tests.scale.evacuate import bound_s
from ansible_collections.dom0.xen.tests.scale.figures import Figure, Part, merge
from ansible_collections.dom0.xen.tests.scale.fleet import cpu_of
from ansible_collections.dom0.xen.tests.scale.gate import own, times
from ansible_collections.dom0.xen.tests.scale.plan import SMALL, measure, orders


@pytest.mark.parametrize(
    ("figure", "kept"),
    [
        (Figure("a", 2.0, most=2.0), True),
        (Figure("a", 2.1, most=2.0), False),
        (Figure("a", 1, least=2), False),
        (Figure("a", None), True),
        (Figure("a", None, most=1), False),
    ],
)
def test_a_bound(figure: Figure, kept: bool) -> None:
    """The bound itself keeps it; where nothing was measured, nothing was shown."""
    assert figure.kept is kept and ("MISSED" in figure.line()) is not kept


def test_one_missed_bound_is_one_too_many(tmp_path: pathlib.Path) -> None:
    """Also one that an earlier run of another part has missed; a part that is measured anew replaces its figures."""
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(merge(path, [Part("gate", (Figure("a", 2, most=1),), {})])))
    after = merge(path, [Part("plan", (Figure("b", 1, most=1),), {})])
    assert set(after["parts"]) == {"gate", "plan"} and after["parts"]["plan"]["kept"] and not after["kept"]
    assert merge(path, [Part("gate", (Figure("a", 1, most=1),), {})])["kept"]
    assert not Part("gate", (), {}).kept, "nothing was measured"


def _move(source: str, destination: str, size: int) -> dict[str, object]:
    return {"source": source, "destination": destination, "bytes": size}


@pytest.mark.parametrize(
    ("moves", "forks", "expected"),
    [
        ([_move("xen1", "xen2", 100)] * 4, 9, 20.0),
        ([_move("xen1", "xen2", 100), _move("xen1", "xen3", 100)] * 2, 9, 20.0),
        ([_move("xen1", "xen2", 100), _move("xen3", "xen2", 100)] * 4, 9, 40.0),
        ([_move("xen1", "xen2", 100), _move("xen3", "xen4", 100)] * 4, 2, 40.0),
        ([_move("xen1", "xen2", 300)], 9, 30.0),
        ([], 9, 0.0),
    ],
    ids=["source", "source-of-two", "destination", "forks", "one", "none"],
)
def test_the_least_time_for_moves(moves: list[dict[str, object]], forks: int, expected: float) -> None:
    """At ten bytes a second and two slots: the busiest end, the forks, or the longest move."""
    assert bound_s(moves, 10.0, 2, forks) == expected


def test_what_a_shell_says_of_times() -> None:
    """Its own and its children's, user and system."""
    assert cpu_of("0m0.250s 0m0.500s\n1m1.000s 0m0.250s\n") == 62.0


def test_time_at_the_gate() -> None:
    """The caller's own by the log, all of it by the journal; who never came through has none."""
    log = 'msg: "AT-GATE a began 10.5"\nAT-GATE b began 11.0\nAT-GATE a ended 12.75\n'
    assert own(log) == {"a": (10.5, 12.75)}
    steps = [("ready", 1.0), ("permission_held", 2.0), ("gate_tasks_started", 2.25), ("commit_requested", 5.0)]
    journal = "\n".join(json.dumps({"step": step, "monotonic_s": at, "unix_s": at + 8.0}) for step, at in steps)
    assert times(journal, (10.5, 12.75)) == {
        **{"held_s": 3.0, "own_s": 2.25, "beyond_s": 0.75},
        **{"until_noticed_s": 0.25, "until_own_s": 0.25, "until_permitted_s": 0.25},
    }
    assert times(journal.rsplit("\n", 1)[0], (10.5, 12.75)) is None


def test_a_few_orders_are_not_enough() -> None:
    """All that could be found were, and the part says no all the same: so many were not to be compared."""
    figures = {figure.name: figure for figure in orders(40).figures}
    assert (figures["fleets_compared"].value, figures["fleets_compared"].kept) == (40, False)
    assert all(figures[name].value == 0 for name in ("missed", "invented", "overcommitted"))
    assert figures["fleets_compared"].least == SMALL and figures["feasible"].value


def test_plans_are_timed_with_their_checks() -> None:
    """As the playbook makes them; the planner alone is a part of it."""
    figures = {figure.name: figure for figure in measure(40, 1).figures}
    assert figures["with_checks_slowest_s"].value and figures["with_checks_left_over"].value == 0
