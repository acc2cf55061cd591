# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell which domain goes where, and in which order (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._planner import (
    exact,
    ordering,
    packing,
    puzzle,
    shortage,
    steps,
    verify,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.board import Board, Layout
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import (
    BUILTIN,
    NO_ROOM,
    Answer,
    Blocker,
    Guest,
    Question,
)

Steps = list[ordering.Step]

# A number of placements of the domains that may make room: up to it everything is tried.
_SMALL = 40000
# So often the local search begins anew, and so many looks it may take in all: about a second.
_TRIES, _LOOKS = 12, 8000


@dataclasses.dataclass(frozen=True)
class Found:
    """Steps or none, whether it is proven that there are none that move less, and how much less there might be."""

    steps: Steps | None
    proven: bool


Solver = t.Callable[[Board], Found]


def plan(question: Question, solver: Solver | None = None, planner: str = BUILTIN) -> Answer:
    """Answer a question. Equal questions have equal answers.

    Raises:
        QuestionWrong: the question contradicts itself
        NoDestination: nothing is left that could receive
    """
    solve = solver or solve_builtin
    left_out: dict[Guest, Blocker] = {}
    while True:
        board = Board(question)
        found = solve(board)
        if found.steps is not None or not question.leave or not (board.leavers or board.misplaced):
            break
        guest = shortage.hardest(board)
        here = board.guests[guest]
        left_out[here] = Blocker(here.id, here.name, here.host, NO_ROOM, shortage.of_one(board, guest))
        question = _with(question, dataclasses.replace(here, stop=True, wanted=()))
    # Who had to stay is known only now: of those that were left out before, some may have a place after all.
    for here in list(left_out) if len(left_out) > 1 else ():
        again = _with(question, here)
        other = Board(again)
        tried = solve_builtin(other, hard=False)
        if tried.steps is not None:
            question, board, found = again, other, tried
            del left_out[here]
    stays_ids = {blocker.guest for blocker in left_out.values()}
    stops = tuple(stop for stop in board.stops if stop.guest not in stays_ids)
    blockers = (*board.blockers, *left_out.values())
    if found.steps is None:
        why = shortage.explain(board, found.proven, lambda other: solve_builtin(other, hard=False))
        return Answer(planner, (), stops, blockers, why, 0, board.bound)
    order = steps.sequence(board, steps.shortened(board, found.steps))
    moves = steps.moves(board, order)
    verify.carry_out(question, moves)
    moved = sum(move.size_mib for move in moves)
    return Answer(planner, moves, stops, blockers, None, moved, moved if found.proven else board.bound)


def _with(question: Question, guest: Guest) -> Question:
    """Return the question with this in place of what it said of the domain."""
    return dataclasses.replace(
        question, guests=tuple(guest if other.id == guest.id else other for other in question.guests)
    )


def solve_builtin(board: Board, hard: bool = True) -> Found:
    """Find steps without any help. ``hard``: take some time where it is difficult."""
    if not board.leavers and not board.misplaced:
        return Found([], True)
    simple = _simple(board)
    if simple is not None:
        return Found(simple, True)
    if math.prod(len({*board.ways[guest], board.at[guest]}) for guest in board.free_to_move) <= _SMALL:
        return Found(*exact.search(board))
    if shortage.beyond(board):
        return Found(None, True)
    return Found(_local(board, hard), False)


def _simple(board: Board) -> Steps | None:
    """Return steps where nobody has to make room, which moves as little as can be."""
    if board.misplaced or not board.settled(board.at, leavers=False):
        return None
    items = board.items(board.at)
    if items is None:
        return None
    layout = Layout(board)
    places = packing.spread(layout, items) or packing.tight(layout, items)
    if places is None:
        places, dummy = packing.search(layout, items, steps=400)
    return (
        None if places is None else [(g, host) for item, host in zip(items, places, strict=True) for g in item.guests]
    )


def _local(board: Board, hard: bool) -> Steps | None:
    items = board.items(board.at)
    if items is None:
        return None
    best: tuple[int, Steps] | None = None
    spent = 0
    for seed in range(_TRIES if hard else 1):
        ends, extra, looks = puzzle.solve(board, items, seed, _LOOKS // 4 if hard else 0)
        spent += looks
        if ends is not None and (best is None or extra < best[0]):
            order = ordering.order(board, ends)
            cost = sum(board.size[guest] for guest, dummy in order) - board.bound if order else 0
            if order is not None and (best is None or cost < best[0]):
                best = (cost, order)
        if spent >= _LOOKS or (best is not None and best[0] == 0):
            break
    return best[1] if best else None
