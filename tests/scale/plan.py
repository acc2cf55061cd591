# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How quick plans for large fleets are, and how much more memory than the best the built-in planner moves."""

from __future__ import annotations

import math
import statistics
import time
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import Rules
from ansible_collections.dom0.xen.plugins.plugin_utils._planner import optimal
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.planner import Solver, plan
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import BUILTIN, OPTIMAL, Answer, Question
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import Wish, make
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings
from ansible_collections.dom0.xen.tests.bench import small_fleets
from ansible_collections.dom0.xen.tests.bench.plan_questions import fleet
from ansible_collections.dom0.xen.tests.scale.figures import Figure, Part
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet import examples

SIZE = 1000
SEEDS = 3
# From 0.95 on what is free is scattered, and somebody has to make room.
FILLED = (0.8, 0.9, 0.95, 0.98)
# What a domain of 128 MiB takes.
TAKES_MIB = 140
BUILTIN_S = 2.0
OPTIMAL_S = 60.0
GAP = 0.05
# Small fleets, each compared with trying every order.
SMALL = 5000


def orders(cases: int = SMALL) -> Part:
    """Plan so many small fleets, and try every order of each."""
    counts = small_fleets.compare(cases)
    figures = (
        Figure("fleets_compared", counts["cases"], least=SMALL),
        Figure("feasible", counts["feasible"]),
        Figure("missed", counts["feasible"] - counts["found"], most=0),
        Figure("invented", counts["invented"], most=0),
        Figure("overcommitted", counts["overcommitted"], most=0),
        Figure("as_cheap_as_the_best", counts["as_cheap"]),
    )
    return Part("orders", figures, {"fleets": cases})


def measure(size: int = SIZE, seeds: int = SEEDS) -> Part:
    """Plan fleets of so many domains, ten on a host, of which one host in twenty is emptied."""
    hosts = max(4, size // 10)
    rows = [
        _row(fleet(seed, hosts, size, max(1, hosts // 20), filled), filled, seed)
        for filled in FILLED
        for seed in range(seeds)
    ]
    gaps = [row["gap"] for row in rows if row["gap"] is not None]
    at_most = [row["gap_at_most"] for row in rows if row["gap_at_most"] is not None]
    found = [row for row in rows if row["optimal"]["possible"]]
    checked = [_checked(hosts, size, tight) for tight in (False, True)]
    figures = (
        Figure("builtin_slowest_s", max(row["builtin"]["wall_s"] for row in rows), most=BUILTIN_S),
        Figure("builtin_slowest_cpu_s", max(row["builtin"]["cpu_s"] for row in rows)),
        Figure("with_checks_slowest_s", max(row["wall_s"] for row in checked), most=BUILTIN_S),
        Figure("with_checks_left_over", sum(row["left"] for row in checked), most=0),
        Figure("optimal_slowest_s", max(row["optimal"]["wall_s"] for row in rows), most=OPTIMAL_S),
        Figure("gap_median", statistics.median(gaps) if gaps else None),
        Figure("gap_worst", max(gaps, default=None), most=GAP),
        Figure("gap_at_most_by_the_bound", max(at_most, default=None)),
        Figure("fleets_with_a_proven_best", sum(row["proven"] for row in rows)),
        Figure("missed_by_builtin", sum(not row["builtin"]["possible"] for row in found), most=0),
        Figure("fleets_compared", len(gaps), least=1),
    )
    return Part("plan", figures, {"domains": size, "hosts": hosts, "seeds": seeds, "filled": FILLED}, (*rows, *checked))


def _checked(hosts: int, size: int, tight: bool) -> dict[str, t.Any]:
    """Plan by the facts of a fleet, as the playbook does: what may go where is asked of all checks.

    Each host has room for its share of what comes, or for all of it.
    """
    emptied, each_has = max(1, hosts // 20), size // hosts
    comes = emptied * each_has
    free_mib = TAKES_MIB * (math.ceil(comes / (hosts - emptied)) if tight else comes)
    dom0s = []
    for number in range(hosts):
        domains = [f"d{number:04}{each:04}" for each in range(each_has)]
        dom0s.append(examples.dom0(f"xen{number:04}", *domains, free_memory_mib=free_mib))
    empty = tuple(dom0.name for dom0 in dom0s[:emptied])
    began = time.monotonic()
    made = make(Fleet(tuple(dom0s), Rules()), Wish(empty=empty, identity="scale", now_s=examples.ASKED_S), Settings())
    wall_s = round(time.monotonic() - began, 3)
    return {"free_mib": free_mib, "wall_s": wall_s, "moves": len(made.moves), "left": comes - len(made.moves)}


def _row(asked: Question, filled: float, seed: int) -> dict[str, t.Any]:
    quick, quick_times = _timed(asked, None)
    best, best_times = _timed(asked, optimal.solver())
    bound = max(quick.bound_mib, best.bound_mib)
    both = quick.shortage is None and best.shortage is None and best.moved_mib > 0
    return {
        **{"filled": filled, "seed": seed, "builtin": _told(quick, quick_times), "optimal": _told(best, best_times)},
        "gap": quick.moved_mib / best.moved_mib - 1 if both else None,
        # The best that was found in time may not be the best there is; no plan moves less than the bound.
        "gap_at_most": quick.moved_mib / bound - 1 if both and bound else None,
        "proven": both and best.moved_mib == bound,
    }


def _timed(asked: Question, solver: Solver | None) -> tuple[Answer, dict[str, float]]:
    began = time.monotonic(), time.process_time()
    answer = plan(asked, solver, OPTIMAL if solver else BUILTIN)
    ended = time.monotonic(), time.process_time()
    return answer, {"wall_s": ended[0] - began[0], "cpu_s": ended[1] - began[1]}


def _told(answer: Answer, times: t.Mapping[str, float]) -> dict[str, t.Any]:
    return {
        **{key: round(value, 3) for key, value in times.items()},
        **{"moves": len(answer.moves), "moved_mib": answer.moved_mib, "possible": answer.shortage is None},
    }
