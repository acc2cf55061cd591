# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try everything, the cheapest first, where there is little to try (pure; private to the collection).

Domains of hosts that are emptied need no turn in this: those hosts receive nothing, so that what leaves them makes room
for nobody, and in any order that works they can as well go last, and once. What is searched are the moves of the others
that make room, or that bring them where they are wanted; a domain may take several steps.
"""

from __future__ import annotations

import heapq

from ansible_collections.dom0.xen.plugins.plugin_utils._planner import packing
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.board import Board, Layout

# A step: a domain and the host that it goes to.
Steps = list[tuple[int, int]]

# So many states are looked at before it gives up.
_STATES = 40000


def search(board: Board, states: int = _STATES) -> tuple[Steps | None, bool]:
    """Return the order that moves the least memory, or None, and whether that is proven: that nothing was left out."""
    layout, complete = Layout(board), True
    movers = board.free_to_move
    start = tuple(layout.where[guest] for guest in movers)
    best = {start: 0}
    before: dict[tuple[int, ...], tuple[tuple[int, ...], int, int]] = {}
    queue = [(_ahead(board, start), 0, start)]
    done = set()
    while queue:
        dummy, spent, state = heapq.heappop(queue)
        if state in done:
            continue
        done.add(state)
        if len(done) > states:
            return None, False
        _set(layout, movers, state)
        if board.settled(layout.where, leavers=False):
            items = board.items(layout.where)
            if items is not None:
                places, all_tried = packing.search(layout, items)
                complete = complete and all_tried
                if places is not None:
                    steps = [(guest, host) for item, host in zip(items, places, strict=True) for guest in item.guests]
                    return _way(before, state) + steps, complete
        for index, guest in enumerate(movers):
            for host in board.ways[guest]:
                if host == state[index] or not layout.fits(guest, host):
                    continue
                following = (*state[:index], host, *state[index + 1 :])
                cost = spent + board.size[guest]
                if cost < best.get(following, cost + 1):
                    best[following] = cost
                    before[following] = (state, guest, host)
                    heapq.heappush(queue, (cost + _ahead(board, following), cost, following))
    return None, complete


def _ahead(board: Board, state: tuple[int, ...]) -> int:
    """Return what must still be moved at least."""
    return sum(
        board.size[guest]
        for guest, host in zip(board.free_to_move, state, strict=True)
        if not board.is_home(guest, host)
    )


def _set(layout: Layout, movers: list[int], state: tuple[int, ...]) -> None:
    for guest in layout.board.leavers:
        if layout.where[guest] != layout.board.at[guest]:
            layout.put(guest, layout.board.at[guest])
    for guest, host in zip(movers, state, strict=True):
        if layout.where[guest] != host:
            layout.put(guest, host)


def _way(before: dict[tuple[int, ...], tuple[tuple[int, ...], int, int]], state: tuple[int, ...]) -> Steps:
    steps = []
    while state in before:
        state, guest, host = before[state]
        steps.append((guest, host))
    return steps[::-1]
