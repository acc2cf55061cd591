# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why there is no order, and what would help (pure; private to the collection)."""

from __future__ import annotations

import copy
import math
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._planner.board import Board
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.puzzle import Puzzle
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import GROUPS, MEMORY, ORDER, VCPUS, Shortage

_ANY = 1 << 40
# So many hosts are told in a sentence.
_TOLD = 4
# Up to so many hosts each is asked about by itself.
_FEW = 8


class Answered(t.Protocol):
    """What a solver tells."""

    @property
    def steps(self) -> list[tuple[int, int]] | None:
        """The steps, or None."""

    @property
    def proven(self) -> bool:
        """Whether there are none."""


Solve = t.Callable[[Board], Answered]


def beyond(board: Board) -> bool:
    """Say whether it is sure that there is no order, whatever makes room for whom.

    For the hosts that some of the leavers may go to: those leavers need more than is free there, with all that could
    leave these hosts gone.
    """
    for ways in {board.ways[guest] for guest in board.leavers}:
        need = sum(board.size[guest] for guest in board.leavers if set(board.ways[guest]) <= set(ways))
        hosts = set(ways)
        out = sum(
            board.size[guest]
            for guest in board.free_to_move
            if board.at[guest] in hosts and not set(board.ways[guest]) <= hosts
        )
        if need > sum(max(0, board.free[host]) for host in hosts) + out:
            return True
    return False


def hardest(board: Board) -> int:
    """Return the leaver that finds room the least likely: the one that lacks the most, then the biggest.

    Where none leaves, it is one that is wanted elsewhere: the smallest without which the others have the memory, else
    the biggest.
    """
    if board.leavers:
        return max(board.leavers, key=lambda guest: (_lack(board, guest), board.size[guest], -guest))
    wanted = board.misplaced
    hosts = {host for guest in wanted for host in _ways(board, guest)}
    lacking = sum(board.size[guest] for guest in wanted) - sum(max(0, board.free[host]) for host in hosts)
    enough = [guest for guest in wanted if board.size[guest] >= lacking > 0]
    if enough:
        return min(enough, key=lambda guest: (board.size[guest], guest))
    return max(wanted, key=lambda guest: (board.size[guest], -guest))


def _ways(board: Board, guest: int) -> list[int]:
    """Return where a domain could be in the end."""
    leaves = guest in board.leavers
    return [host for host in board.ways[guest] if leaves or board.is_home(guest, host)]


def _lack(board: Board, guest: int) -> int:
    return max(0, board.size[guest] - max(board.free[host] for host in board.ways[guest]))


def of_one(board: Board, guest: int) -> str:
    """Return for people why one domain stays."""
    most = max(_ways(board, guest), key=lambda host: (board.free[host], -host))
    which = "the emptiest of those that it could go to" if guest in board.leavers else "where it is wanted"
    if board.size[guest] <= board.free[most]:
        foes = sorted(board.guests[foe].name for foe in board.foes[guest] if board.at[foe] == most)
        if foes:
            return f"it is kept apart from {foes[0]}, which is on {board.hosts[most]}, {which}."
        if board.vcpus[guest] > board.vfree[most]:
            more = max(0, board.vfree[most])
            return f"it has {board.vcpus[guest]} vCPUs, and {board.hosts[most]}, {which}, may have {more} more."
    return (
        f"it needs {mib(board.size[guest])}, and {board.hosts[most]}, {which}, has"
        f" {mib(max(0, board.free[most]))} free before the others arrive."
    )


def explain(board: Board, proven: bool, solve: Solve) -> Shortage:
    """Return what would help: more memory on one host, else more vCPUs, else other groups."""
    relaxed = _with(board, None, memory=_ANY)
    if solve(relaxed).steps is None:
        if solve(_with(board, None, memory=_ANY, vcpus=_ANY)).steps is not None:
            return _vcpus(board, proven, solve)
        return _groups(board, proven)
    few = proven and len(_receiving(board)) <= _FEW
    each = _each(board, MEMORY, solve) if few else _roughly(board)
    if not each:
        names = [board.hosts[host] for host in _receiving(board)]
        told = ", ".join(names[:_TOLD]) + (f" and {len(names) - _TOLD} more" if len(names) > _TOLD else "")
        proof = "more memory on one host alone would not do" if few else "no order was found that has room at each step"
        why = f"{proof}; {told} are too full."
        return Shortage(MEMORY, 0, tuple(names), {}, proven, why)
    return _told(board, MEMORY, each, proven and few)


def _receiving(board: Board) -> list[int]:
    ways = {host for guest in (*board.leavers, *board.misplaced) for host in board.ways[guest]}
    ways |= {host for guest in board.free_to_move for host in board.ways[guest]} if len(board.hosts) <= _FEW else set()
    return sorted(ways)


def _told(board: Board, resource: str, each: dict[str, int], proven: bool) -> Shortage:
    least = min(each.values())
    hosts = tuple(name for name, missing in each.items() if missing == least)
    named = ", ".join(hosts[:_TOLD]) + (f" and {len(hosts) - _TOLD} more" if len(hosts) > _TOLD else "")
    amount = mib(least) if resource == MEMORY else f"{least} vCPUs"
    on = f"any of {named}" if len(hosts) > 1 else named
    rest = [f"{name}: {mib(m) if resource == MEMORY else m}" for name, m in each.items() if m != least]
    others = f" (or on {'; '.join(rest[:_TOLD])})" if rest and len(each) <= _FEW else ""
    why = f"needs {amount} more on {on}{others}" if proven else f"{amount} more on {on} would do{others}"
    return Shortage(resource, least, hosts, each, proven, f"{why}.")


def _each(board: Board, resource: str, solve: Solve) -> dict[str, int]:
    """Return for each host that would do how much more it needs at least, to the unit of all sizes."""
    values = board.size if resource == MEMORY else board.vcpus
    had = board.free if resource == MEMORY else [v for v in board.vfree if v < _ANY]
    unit = math.gcd(*values, *had) or 1
    top = -(-(sum(values) + max(0, -min(had, default=0))) // unit)
    found = {}
    for host in _receiving(board):
        low, high = 0, top

        def enough(units: int, host: int = host) -> bool:
            more = {"memory": units * unit} if resource == MEMORY else {"vcpus": units * unit}
            return solve(_with(board, host, **more)).steps is not None

        if not enough(high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle, high)
        found[board.hosts[host]] = high * unit
    return found


def _roughly(board: Board) -> dict[str, int]:
    """Return for each host how much more would do if all that finds no room, with others making room, went there."""
    items = board.items(board.at)
    if items is None:
        return {}
    puzzle = Puzzle(board, items)
    due = sorted(puzzle.due, key=lambda piece: (-puzzle.pieces[piece].size, piece))
    left = [puzzle.pieces[piece] for piece in due if not puzzle.insert(piece)]
    if not left:
        return {}
    hosts = set(left[0].targets).intersection(*(item.targets for item in left))
    need = sum(item.size for item in left)
    return {board.hosts[host]: max(1, need - max(0, puzzle.free[host])) for host in sorted(hosts)}


def _vcpus(board: Board, proven: bool, solve: Solve) -> Shortage:
    each = _each(board, VCPUS, solve) if proven and len(_receiving(board)) <= _FEW else {}
    if each:
        return _told(board, VCPUS, each, proven)
    why = "there are too few vCPUs left on the hosts that could receive (see the option for vCPUs per processor)."
    return Shortage(VCPUS, 0, tuple(board.hosts[host] for host in _receiving(board)), {}, proven, why)


def _groups(board: Board, proven: bool) -> Shortage:
    names = [group.name for group in board.question.groups]
    if not names:
        why = "there is no order even with any amount of memory and vCPUs: see where the domains may go."
        return Shortage(ORDER, 0, (), {}, proven, why)
    why = f"with what is to be kept together and apart ({', '.join(names[:_TOLD])}) there is no order."
    return Shortage(GROUPS, 0, (), {}, proven, why)


def _with(board: Board, only: int | None, memory: int = 0, vcpus: int = 0) -> Board:
    """Return the board with more on one host, or on all."""
    other = copy.copy(board)
    other.free = [value + memory if only in (None, host) else value for host, value in enumerate(board.free)]
    other.vfree = [value + vcpus if only in (None, host) else value for host, value in enumerate(board.vfree)]
    return other


def mib(value: int) -> str:
    """Return an amount of memory for people."""
    if value >= 1024 and value % 1024 == 0:
        return f"{value // 1024} GiB"
    return f"{value / 1024:.1f} GiB" if value >= 10240 else f"{value} MiB"
