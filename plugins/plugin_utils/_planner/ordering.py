# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find an order that never needs more than there is (pure; private to the collection)."""

from __future__ import annotations

import random
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._planner.board import Board, Layout

# A step: a domain and the host that it goes to.
Step = tuple[int, int]

# How often it is tried with another choice between equals.
_TRIES = 12


def order(board: Board, ends: t.Sequence[int]) -> list[Step] | None:
    """Return an order that brings each domain to its host of ``ends``, or None when none was found.

    Domains that leave the hosts that are emptied go last: they make room for nobody. Where the others wait for each
    other in a circle, one steps aside to a third host.
    """
    leavers = [guest for guest in board.leavers if ends[guest] != board.at[guest]]
    movers = [guest for guest in board.free_to_move if ends[guest] != board.at[guest]]
    best: list[Step] | None = None
    for seed in range(_TRIES):
        steps = _attempt(board, ends, movers, seed)
        if steps is not None and (best is None or _cost(board, steps) < _cost(board, best)):
            best = steps
        if best is not None and len(best) == len(movers):
            break
    if best is None:
        return None
    return best + [(guest, ends[guest]) for guest in leavers]


def _cost(board: Board, steps: t.Sequence[Step]) -> int:
    return sum(board.size[guest] for guest, dummy in steps)


def _attempt(board: Board, ends: t.Sequence[int], movers: t.Sequence[int], seed: int) -> list[Step] | None:
    layout, chance, steps = Layout(board), random.Random(seed), []
    waiting = [guest for guest in movers if layout.where[guest] != ends[guest]]
    aside = 0
    while waiting:
        ready = [guest for guest in waiting if layout.fits(guest, ends[guest])]
        step: Step | None = None
        if ready:
            awaited: dict[int, int] = {}
            for guest in waiting:
                awaited[ends[guest]] = awaited.get(ends[guest], 0) + board.size[guest]
            guest = max(ready, key=lambda g: (_lack(layout, awaited, g), board.size[g], seed and chance.random(), -g))
            step = (guest, ends[guest])
        elif aside < 2 * len(movers) + 4:
            step = _aside(layout, ends, waiting, chance if seed else None)
            aside += 1
        if step is None:
            return None
        layout.put(*step)
        steps.append(step)
        waiting = [guest for guest in board.free_to_move if layout.where[guest] != ends[guest]]
    return steps


def _lack(layout: Layout, awaited: t.Mapping[int, int], guest: int) -> int:
    """Return how much is missing where the domain is now, for those that want to go there."""
    here = layout.where[guest]
    return max(0, awaited.get(here, 0) - layout.free[here])


def _aside(
    layout: Layout, ends: t.Sequence[int], waiting: t.Sequence[int], chance: random.Random | None
) -> Step | None:
    """Return the smallest step aside that lets one of those that wait go where it is to go."""
    board, found = layout.board, []
    for host in sorted({ends[guest] for guest in waiting}):
        smallest = min(board.size[guest] for guest in waiting if ends[guest] == host)
        for guest in sorted(layout.on[host] & set(board.free_to_move)):
            for other in board.ways[guest]:
                if other != host and layout.fits(guest, other):
                    enough = layout.free[host] + board.size[guest] >= smallest
                    moving = guest in waiting
                    rank = chance.random() if chance else 0.0
                    found.append((not enough, not moving, rank, board.size[guest], layout.free[other], guest, other))
    if not found:
        return None
    best = min(found)
    return best[-2], best[-1]
