# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner that moves as little memory as can be, by OR-tools CP-SAT (private to the collection).

The solver says where everything is in the end; the order that leads there is found as for the planner without it. It is
asked only where somebody has to make room and there is too much to try everything.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils._planner import ordering
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.board import Board, Item
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.planner import Found, Steps, solve_builtin
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.puzzle import Puzzle

SECONDS = 40.0
# An end for which no order is found is forbidden, and another one looked for, so many times.
_ROUNDS = 6
# With more variables than this a model takes a minute to make; then only so many hosts are looked at for what makes
# room, and what is found is good, but not proven to be the best.
_WIDE, _NARROW = 20000, 10


class SolverMissing(Dom0XenError):
    """OR-tools is not installed where Ansible runs."""

    code = "planner_missing"


class Outcome(t.NamedTuple):
    """What the solver said: where each piece is, or None; ``closed``: there is none that costs less."""

    places: dict[int, int] | None
    closed: bool


@dataclasses.dataclass
class Model:
    """The final placement as a model of CP-SAT; ``at`` has for each piece a variable for each host."""

    cp: t.Any
    puzzle: Puzzle
    at: list[dict[int, t.Any]]
    costs: list[t.Any]
    seconds: float
    narrow: bool = False

    def solve(self) -> Outcome:
        """Return the cheapest placement."""
        solver = self.cp.CpSolver()
        solver.parameters.max_time_in_seconds = max(1.0, self.seconds)
        solver.parameters.random_seed = 0
        status = solver.solve(self.model)
        self.seconds -= solver.wall_time
        if status not in (self.cp.OPTIMAL, self.cp.FEASIBLE):
            return Outcome(None, status == self.cp.INFEASIBLE)
        places = {
            piece: next(host for host, variable in choices.items() if solver.boolean_value(variable))
            for piece, choices in enumerate(self.at)
        }
        return Outcome(places, status == self.cp.OPTIMAL)

    def hint(self, ends: t.Sequence[int]) -> None:
        """Begin with these hosts of the domains."""
        for piece, choices in enumerate(self.at):
            for host, variable in choices.items():
                self.model.add_hint(variable, ends[self.puzzle.pieces[piece].guests[0]] == host)

    def forbid(self, places: t.Mapping[int, int]) -> None:
        """Rule out that the pieces that make room do so in just this way."""
        home = self.puzzle.home
        moved = [p for p in range(self.puzzle.must, len(home)) if places[p] != home[p]]
        self.model.add(sum(self.at[p][places[p]] for p in moved) <= len(moved) - 1)

    def __post_init__(self) -> None:
        self.model: t.Any = self.cp.CpModel()


def solver(seconds: float = SECONDS) -> t.Callable[[Board], Found]:
    """Return the planner. Raises SolverMissing."""
    cp = _cp_sat()

    def solve(board: Board) -> Found:
        known = solve_builtin(board)
        if known.proven:
            return known
        items = board.items(board.at)
        if items is None:
            return known
        return _solve(cp, board, items, known.steps, seconds)

    return solve


def _cp_sat() -> t.Any:
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        raise SolverMissing(
            "planner=optimal needs the Python library ortools (OR-tools) where Ansible runs.",
            remedy=f"Install it there ({sys.executable} -m pip install ortools), or use planner=builtin.",
        ) from None
    return cp_model


def _solve(cp: t.Any, board: Board, items: t.Sequence[Item], best: Steps | None, seconds: float) -> Found:
    extra = None if best is None else _cost(board, best) - board.bound
    ends = None if best is None else _ends(board, best)
    model = _model(cp, board, items, extra, ends, seconds)
    if ends is not None:
        model.hint(ends)
    sure = not model.narrow and not board.befriended & set(board.free_to_move)
    for dummy in range(_ROUNDS):
        outcome = model.solve()
        if outcome.places is None:
            # Nothing is cheaper than the best so far, or, without one, there is nothing at all.
            return Found(best, sure and outcome.closed)
        ends = list(board.at)
        for piece, host in outcome.places.items():
            for guest in model.puzzle.pieces[piece].guests:
                ends[guest] = host
        order = ordering.order(board, ends)
        cost = sum(board.size[guest] for guest, end in enumerate(ends) if end != board.at[guest])
        if order is not None and (best is None or _cost(board, order) < _cost(board, best)):
            best = order
        if order is not None and _cost(board, order) == cost:
            return Found(best, sure and outcome.closed)
        sure = False
        model.forbid(outcome.places)
        if model.seconds <= 1:
            break
    return Found(best, False)


def _ends(board: Board, steps: Steps) -> list[int]:
    ends = list(board.at)
    for guest, host in steps:
        ends[guest] = host
    return ends


def _ways(board: Board, item: Item, narrow: bool) -> t.Sequence[int]:
    """Return the hosts that are looked at for a piece; with ``narrow`` those with the most room."""
    if not narrow:
        return item.targets
    return sorted(item.targets, key=lambda host: (-board.free[host], host))[:_NARROW]


def _cost(board: Board, steps: Steps) -> int:
    return sum(board.size[guest] for guest, dummy in steps)


def _model(
    cp: t.Any, board: Board, items: t.Sequence[Item], extra: int | None, ends: t.Sequence[int] | None, seconds: float
) -> Model:
    puzzle = Puzzle(board, items)
    made = Model(cp, puzzle, [], [], seconds)
    made.narrow = sum(len(item.targets) for item in puzzle.pieces) > _WIDE
    model, unit = made.model, math.gcd(*board.size, *board.free) or 1
    due = set(puzzle.due)
    for piece, item in enumerate(puzzle.pieces):
        home = puzzle.home[piece]
        # Whatever is larger than all that the best plan so far moves in vain stays where it is.
        fixed = piece not in due and extra is not None and item.size > extra
        known = () if ends is None else (ends[item.guests[0]],)
        hosts = sorted(
            {*_ways(board, item, made.narrow and piece not in due), *known, *(() if piece in due else (home,))}
        )
        hosts = [home] if fixed else hosts
        choices = {host: model.new_bool_var("") for host in hosts}
        made.at.append(choices)
        model.add_exactly_one(choices.values())
        if piece not in due and not fixed:
            made.costs.append((item.size // unit, choices[home].negated()))
    _capacities(made, board, unit)
    _apart(made, board)
    total = cp.LinearExpr.weighted_sum(
        [variable for dummy, variable in made.costs], [cost for cost, dummy in made.costs]
    )
    if extra is not None:
        model.add(total <= extra // unit)
    model.minimize(total)
    return made


def _capacities(made: Model, board: Board, unit: int) -> None:
    puzzle, model = made.puzzle, made.model
    for host in (h for h, is_open in enumerate(board.open) if is_open):
        arriving = [p for p, choices in enumerate(made.at) if host in choices]
        freed = [p for p in range(len(puzzle.home)) if puzzle.home[p] == host]
        room = board.free[host] + sum(puzzle.pieces[p].size for p in freed)
        there = [made.at[p][host] for p in arriving]
        weighted = made.cp.LinearExpr.weighted_sum
        model.add(weighted(there, [puzzle.pieces[p].size // unit for p in arriving]) <= room // unit)
        cpus = board.vfree[host] + sum(puzzle.pieces[p].vcpus for p in freed)
        if cpus < sum(puzzle.pieces[p].vcpus for p in arriving):
            model.add(weighted(there, [puzzle.pieces[p].vcpus for p in arriving]) <= cpus)


def _apart(made: Model, board: Board) -> None:
    """None arrives where another one is of those that are kept apart; two that are together already may stay so."""
    puzzle, model = made.puzzle, made.model
    of = {guest: piece for piece, item in enumerate(puzzle.pieces) for guest in item.guests}
    for guest, piece in of.items():
        for foe in board.foes[guest]:
            other = of.get(foe)
            for host, variable in made.at[piece].items():
                if host == puzzle.home[piece]:
                    continue
                if other is None:
                    if board.at[foe] == host:
                        model.add(variable == 0)
                elif host in made.at[other]:
                    model.add_at_most_one([variable, made.at[other][host]])
