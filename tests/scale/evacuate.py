# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts are emptied for real: what a move costs the controller, how that grows, and how long all takes.

Each stream is held to a rate, which is the link's. The moves cannot be over before the bytes of the busiest host have
gone through its slots at that rate: for each source its bytes by departures, for each destination its bytes by
arrivals, for all of them the bytes by forks; the largest of these is the bound. The makespan is from the first move's
beginning to the last one's end; the engine's own work in a move, and what lies between two moves of a slot, is what
it may have more.
"""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.dom0.xen.tests.scale.figures import Figure, Part
from ansible_collections.dom0.xen.tests.scale.fleet import MEMORY_MIB, Run, fleet

SIZE = 100
EACH_S = 60.0
SLOTS = 2
CPU_S = 2.0
WATCHED = 0.01
GROWTH = 1.2
MAKESPAN = 1.25
SOURCES = tuple(f"xen{number}" for number in range(1, 6))
DESTINATIONS = tuple(f"xen{number}" for number in range(6, 11))
# Nothing but the two limits of each host holds a move back.
FORKS = SLOTS * len(SOURCES) + 2


def bound_s(moves: t.Sequence[t.Mapping[str, t.Any]], rate: float, slots: int, forks: int) -> float:
    """Return the least seconds for moves with ``source``, ``destination`` and ``bytes``, at so many bytes a second."""
    lanes: dict[tuple[str, str], int] = collections.Counter()
    for move in moves:
        for end in ("source", "destination"):
            lanes[end, move[end]] += move["bytes"]
    busiest = max(lanes.values(), default=0) / slots
    longest = max((move["bytes"] for move in moves), default=0)
    most: float = max(busiest, longest, sum(move["bytes"] for move in moves) / forks)
    return most / rate


def measure(size: int = SIZE, each_s: float = EACH_S) -> Part:
    """Empty five hosts of a tenth of the domains, and five hosts of all of them."""
    few = _evacuate(max(len(SOURCES), size // 10), each_s)
    many = _evacuate(size, each_s)
    pairs = (few["controller_cpu_per_move_s"], many["controller_cpu_per_move_s"])
    more = size - few["domains"]
    figures = (
        Figure("moves_done", many["moves"], least=size),
        Figure("left_on_the_hosts", few["left"] + many["left"], most=0),
        Figure("domains_not_exactly_once", few["not_once"] + many["not_once"], most=0),
        Figure("moved_more_than_once", few["twice"] + many["twice"], most=0),
        Figure("exit_status", max(few["status"], many["status"]), most=0),
        Figure("controller_cpu_per_move_s", pairs[1]),
        Figure("controller_cpu_per_move_less_watching_s", many["cpu_less_watching_s"], most=CPU_S),
        Figure("controller_cpu_growth", pairs[1] / pairs[0] if all(pairs) else None, most=GROWTH),
        # What the run itself costs, however many moves it has, hides growth; this does not have it.
        Figure("controller_cpu_of_a_further_move_s", (many["cpu_s"] - few["cpu_s"]) / more if more > 0 else None),
        Figure("modules_cpu_per_move_s", many["modules_cpu_per_move_s"]),
        Figure("wall_per_move_s", many["wall_s"] / size),
        Figure("makespan_s", many["makespan_s"]),
        Figure("makespan_bound_s", many["bound_s"]),
        Figure("makespan_to_bound", many["ratio"], most=MAKESPAN),
    )
    asked = {"domains": size, "sources": len(SOURCES), "destinations": len(DESTINATIONS)}
    return Part("evacuate", figures, {**asked, "slots": SLOTS, "forks": FORKS, "each_s": each_s}, (few, many))


def _evacuate(size: int, each_s: float) -> dict[str, t.Any]:
    rate = MEMORY_MIB / 2 * 2**20 / each_s
    with fleet((*SOURCES, *DESTINATIONS)) as found:
        found.fill(SOURCES, size)
        for host in SOURCES:
            found.site[host].configure(save_rate=round(rate))
        limits = ("-e", f"migrate_departures={SLOTS}", "-e", f"migrate_arrivals={SLOTS}")
        run = found.empty(SOURCES, "--forks", str(FORKS), *limits)
        moves = [move for move in found.moves() if move["end_state"] == "moved"]
        if run.status:
            print(run.log[-6000:], flush=True)
        row = {
            **_costs(run, moves, size),
            **_times(moves, rate),
            "left": found.left_on(SOURCES),
            "not_once": found.not_once(),
            "twice": found.moved_twice(),
        }
        print(row, flush=True)
        return row


def _costs(run: Run, moves: t.Sequence[t.Mapping[str, t.Any]], size: int) -> dict[str, t.Any]:
    watched = sum(move["total_ms"] or 0 for move in moves) / 1000
    done = len(moves)
    return {
        **{"domains": size, "moves": done, "status": run.status, "wall_s": run.wall_s, "watched_s": watched},
        **{"cpu_s": run.controller_cpu_s, "modules_cpu_s": run.modules_cpu_s},
        "controller_cpu_per_move_s": run.controller_cpu_s / done if done else None,
        "modules_cpu_per_move_s": run.modules_cpu_s / done if done else None,
        "cpu_less_watching_s": (run.controller_cpu_s - WATCHED * watched) / done if done else None,
    }


def _times(moves: t.Sequence[t.Mapping[str, t.Any]], rate: float) -> dict[str, t.Any]:
    if not moves:
        return {"makespan_s": None, "bound_s": None, "ratio": None}
    ends = [move["began_s"] + move["total_ms"] / 1000 for move in moves]
    makespan = max(ends) - min(move["began_s"] for move in moves)
    bound = bound_s(moves, rate, SLOTS, FORKS)
    return {"makespan_s": makespan, "bound_s": bound, "ratio": makespan / bound}
