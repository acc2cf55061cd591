# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How good and how quick the planner is (``make bench-plan``): it reports, and asserts nothing.

Small fleets are compared with trying every order of moves, fleets of ten hosts with the best that OR-tools proves, and
fleets of 1,000 domains on 100 hosts with the best that it finds in its time. Fleets are filled up to a share of what
stays when the hosts are empty; from 0.95 on somebody has to make room.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._planner import optimal
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.planner import plan
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import OPTIMAL, Answer, Question
from ansible_collections.dom0.xen.tests.bench import small_fleets
from ansible_collections.dom0.xen.tests.bench.plan_questions import fleet
from ansible_collections.dom0.xen.tests.unit.playbooks.user import ROOT

RESULT = ROOT / "build" / "bench" / "plan.json"
_FILLED = (0.8, 0.9, 0.95, 0.98)


def _timed(asked: Question, solver: t.Any = None) -> tuple[Answer, float, float]:
    """Return the answer with processor and wall time in seconds."""
    began = time.process_time(), time.monotonic()
    answer = plan(asked, solver, OPTIMAL) if solver else plan(asked)
    return answer, time.process_time() - began[0], time.monotonic() - began[1]


def _fleets(size: tuple[int, int, int], seeds: int, seconds: float) -> list[dict[str, t.Any]]:
    """Plan fleets of so many hosts, domains, and hosts to be emptied."""
    rows = []
    for filled in _FILLED:
        for seed in range(seeds):
            asked = fleet(seed, *size, filled=filled)
            quick, cpu_s, wall_s = _timed(asked)
            row = {
                **{"hosts": size[0], "domains": size[1], "emptied": size[2], "filled": filled, "seed": seed},
                "builtin": _figures(quick, cpu_s, wall_s),
            }
            if seconds:
                best, cpu_s, wall_s = _timed(asked, optimal.solver(seconds))
                row["optimal"] = _figures(best, cpu_s, wall_s)
                if quick.shortage is None and best.moved_mib:
                    row["gap"] = round(quick.moved_mib / best.moved_mib - 1, 4)
                    row["proven"] = best.moved_mib == best.bound_mib
            rows.append(row)
            print(json.dumps(row), flush=True)
    return rows


def _figures(answer: Answer, cpu_s: float, wall_s: float) -> dict[str, t.Any]:
    return {
        **{"cpu_s": round(cpu_s, 2), "wall_s": round(wall_s, 2), "moves": len(answer.moves)},
        **{"moved_mib": answer.moved_mib, "bound_mib": answer.bound_mib, "possible": answer.shortage is None},
    }


def _gaps(rows: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    gaps = [row["gap"] for row in rows if "gap" in row]
    proven = [row["gap"] for row in rows if row.get("proven")]
    return {
        "fleets": len(rows),
        "gap_largest": max(gaps, default=None),
        "gap_mean": round(statistics.mean(gaps), 4) if gaps else None,
        "proven": len(proven),
        "gap_largest_proven": max(proven, default=None),
        "missed": sum(r["optimal"]["possible"] and not r["builtin"]["possible"] for r in rows if "optimal" in r),
        "builtin_slowest_cpu_s": max(row["builtin"]["cpu_s"] for row in rows),
        "optimal_slowest_wall_s": max((r["optimal"]["wall_s"] for r in rows if "optimal" in r), default=None),
    }


def main() -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=5000, help="small fleets")
    parser.add_argument("--seeds", type=int, default=3, help="fleets of each kind")
    parser.add_argument("--seconds", type=float, default=optimal.SECONDS, help="for OR-tools, 0 to leave it out")
    options = parser.parse_args()
    tried = small_fleets.compare(options.cases)
    print(json.dumps(tried), flush=True)
    medium = _fleets((10, 60, 2), options.seeds, options.seconds)
    large = _fleets((100, 1000, 5), options.seeds, options.seconds)
    result = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "small": tried,
        "medium": {**_gaps(medium), "rows": medium},
        "large": {**_gaps(large), "rows": large},
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{RESULT}: {json.dumps({key: _short(result[key]) for key in ('small', 'medium', 'large')})}")


def _short(part: t.Any) -> t.Any:
    return {key: value for key, value in part.items() if key != "rows"}


if __name__ == "__main__":
    main()
