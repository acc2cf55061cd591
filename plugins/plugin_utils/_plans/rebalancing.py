# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spread the load of a fleet, as far as it is worth its moves (pure; private to the collection).

A host's load is the share of its memory that is in use, where one with twice the weight counts as one with twice the
memory. What a move costs is the memory that it sends, and that a guest stands still for it; so it has to earn: with
each move the load must come nearer to even by more than a share of what it sends. Below a threshold nothing is moved at
all.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._planner import steps, verify
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.board import Board, Layout
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import Answer, Question
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.asking import Stage, ask, stage
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import Wish, as_plan
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import REBALANCE, Plan

_WHY = "evens the load"


@dataclasses.dataclass(frozen=True)
class Limits:
    """``threshold_percent``: how far the fullest and the emptiest host may be apart before anything is done.

    ``cost_percent``: a move must bring the fullest and the emptiest of its two hosts nearer to each other by more than
    this much for each per cent of a host's memory that it sends. At most ``moves`` are made.
    """

    threshold_percent: float = 10.0
    cost_percent: float = 1.0
    moves: int = 20


def rebalance(fleet: Fleet, wish: Wish, settings: Settings, limits: Limits) -> Plan:
    """Return a plan that spreads the load; one without moves where it is even enough. Raises as :func:`stage`."""
    found = stage(fleet, (), settings)
    question = ask(found, room=True, leave=False)
    answer = spread(question, _capacities(found), limits)
    return as_plan(found, question, answer, wish, REBALANCE)


def _capacities(found: Stage) -> dict[str, int]:
    """Return what each host has for domains: what is free, and what they take."""
    taken: dict[str, int] = {host.name: 0 for host in found.hosts}
    for uuid, (here, dummy) in found.domains.items():
        taken[here] += found.sizes[uuid]
    return {host.name: max(1, taken[host.name] + host.free_mib - host.reserve_mib) for host in found.hosts}


def spread(question: Question, capacity: t.Mapping[str, int], limits: Limits) -> Answer:
    """Return the moves, each the one that evens the load the most for the memory that it sends."""
    board = Board(question)
    layout = Layout(board)
    order: list[tuple[int, int]] = []
    memory = [capacity[name] for name in board.hosts]
    room = _weighed(memory, board.weight)
    moved: set[int] = set()
    bound = {guest for group in board.friends for guest in group}
    while len(order) < limits.moves:
        load = [(memory[host] - layout.free[host]) / room[host] for host in range(len(room))]
        # What is moved once has earned its rest, and what is kept together is left together.
        best = max(_gains(board, layout, load, room, moved | bound, limits), default=None)
        if best is None:
            break
        guest, host = best[-2], best[-1]
        layout.put(guest, host)
        order.append((guest, host))
        moved.add(guest)
    moves = tuple(dataclasses.replace(move, why=_WHY) for move in steps.moves(board, order))
    verify.carry_out(question, moves)
    total = sum(move.size_mib for move in moves)
    return Answer("builtin", moves, (), (), None, total, 0)


def _weighed(memory: t.Sequence[int], weight: t.Sequence[float]) -> list[float]:
    """Return for how much memory each host counts: by its weight among those of all, so that equal ones change nothing.

    What has no weight takes nothing, and gives as one of a middling weight.
    """
    some = [each for each in weight if each > 0]
    middling = sum(some) / len(some) if some else 1.0
    return [each * (by / middling if by > 0 else 1.0) for each, by in zip(memory, weight, strict=True)]


def _gains(
    board: Board,
    layout: Layout,
    load: t.Sequence[float],
    room: t.Sequence[float],
    stays: t.Container[int],
    limits: Limits,
) -> t.Iterator[tuple[float, int, int, int]]:
    """Give the gain for each MiB of each move that is worth it, with the domain and its host last."""
    # A host without weight takes only what no other can, and here all have a place already.
    receiving = [host for host, is_open in enumerate(board.open) if is_open and board.weight[host] > 0]
    if not receiving:
        return
    emptiest = min(load[host] for host in receiving)
    for guest in board.free_to_move:
        here, size = layout.where[guest], board.size[guest]
        if guest in stays or (load[here] - emptiest) * 100 <= limits.threshold_percent:
            continue
        for host in board.ways[guest]:
            if host == here or host not in receiving or not layout.fits(guest, host):
                continue
            apart = load[here] - load[host]
            then = abs((load[here] - size / room[here]) - (load[host] + size / room[host]))
            if load[host] + size / room[host] > load[here]:
                continue  # On a host that counts for less it would weigh more than it does here.
            gain = (apart - then) * 100
            cost = size / room[here] * 100
            if apart * 100 > limits.threshold_percent and gain > cost * limits.cost_percent:
                yield round(gain / size, 9), -size, guest, host
