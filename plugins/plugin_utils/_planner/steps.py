# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From steps to moves: what each must wait for, and why it is made (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._planner.board import Board, Layout
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.ordering import Step
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import (
    EMPTIES,
    GOES_WHERE_WANTED,
    MAKES_ROOM,
    STEPS_ASIDE,
    Move,
    OrderBroken,
)


def shortened(board: Board, steps: t.Sequence[Step]) -> list[Step]:
    """Return the steps without those that turn out to be needless: a domain that moves twice may go at once."""
    kept = list(steps)
    changed = True
    while changed:
        changed = False
        for index, (guest, host) in enumerate(kept):
            later = next((i for i in range(index + 1, len(kept)) if kept[i][0] == guest), None)
            if later is None:
                continue
            end = kept[later][1]
            at_once = [*kept[:index], (guest, end), *kept[index + 1 : later], *kept[later + 1 :]]
            at_last = [*kept[:index], *kept[index + 1 :]]
            for shorter in (at_last, at_once):
                shorter = [step for step in shorter if step != (guest, board.at[guest])] if end == host else shorter
                if _holds(board, shorter):
                    kept, changed = shorter, True
                    break
            if changed:
                break
    return kept


def _holds(board: Board, steps: t.Sequence[Step]) -> bool:
    layout = Layout(board)
    for guest, host in steps:
        if host == layout.where[guest] or not layout.fits(guest, host):
            return False
        layout.put(guest, host)
    return board.settled(layout.where)


def sequence(board: Board, steps: t.Sequence[Step]) -> list[Step]:
    """Return the steps with those that leave an emptied host at the end, the biggest first, ``last`` behind others."""
    before = [step for step in steps if board.at[step[0]] not in board.empty]
    leaving = [step for step in steps if board.at[step[0]] in board.empty]
    leaving.sort(key=lambda step: (board.guests[step[0]].last, -board.size[step[0]], step[0]))
    return before + leaving


def moves(board: Board, steps: t.Sequence[Step]) -> tuple[Move, ...]:
    """Return the order with, for each step, those that must have ended before it begins.

    A step has room once they have ended, even if all those before it that arrive at the same host have begun, and none
    of the others that leave that host has ended. So whatever keeps to it may do any number at a time.
    """
    found: list[Move] = []
    layout = Layout(board)
    gone: list[list[int]] = [[] for dummy in board.hosts]
    came: list[list[int]] = [[] for dummy in board.hosts]
    freed: dict[int, tuple[int, int, int]] = {}
    latest: dict[int, int] = {}
    departures: dict[int, list[int]] = {}
    for number, (guest, host) in enumerate(steps, 1):
        here = layout.where[guest]
        if not layout.fits(guest, host):
            raise OrderBroken(
                f"{board.guests[guest].name} does not fit on {board.hosts[host]} at its turn.", step=number
            )
        after = {latest[guest]} if guest in latest else set()
        after |= {earlier for earlier in gone[host] if freed[earlier][0] in board.foes[guest]}
        room = board.free[host] - sum(board.size[other] for other in came[host]) - board.size[guest]
        cpus = board.vfree[host] - sum(board.vcpus[other] for other in came[host]) - board.vcpus[guest]
        for earlier in sorted(gone[host], key=lambda n: (n not in after, n)):
            if room >= 0 and cpus >= 0 and earlier not in after:
                break
            after.add(earlier)
            room, cpus = room + freed[earlier][1], cpus + freed[earlier][2]
        if board.guests[guest].last and here in board.empty:
            after |= {n for n in departures.get(here, []) if not board.guests[freed[n][0]].last}
        code, why = _why(board, layout, steps, number, guest, host)
        names = board.guests[guest], board.hosts[here], board.hosts[host]
        found.append(
            Move(
                number,
                names[0].id,
                names[0].name,
                names[1],
                names[2],
                board.size[guest],
                code,
                why,
                tuple(sorted(after)),
            )
        )
        layout.put(guest, host)
        freed[number] = (guest, board.size[guest], board.vcpus[guest])
        gone[here].append(number)
        came[host].append(guest)
        departures.setdefault(here, []).append(number)
        latest[guest] = number
    return tuple(found)


def _why(board: Board, layout: Layout, steps: t.Sequence[Step], number: int, guest: int, host: int) -> tuple[str, str]:
    here, name = layout.where[guest], board.hosts[host]
    last_step = not any(other == guest for other, dummy in steps[number:])
    if here in board.empty:
        fitting = [other for other in board.ways[guest] if layout.fits(guest, other)]
        if len(board.ways[guest]) == 1:
            return EMPTIES, f"{name} is the only host that it could go to"
        if len(fitting) == 1:
            return EMPTIES, f"{name} is the only host with room for it now"
        if host == max(fitting, key=lambda h: (layout.free[h] * board.weight[h], -h)):
            return EMPTIES, f"{name} has the most room of {len(fitting)} hosts that could take it"
        return EMPTIES, f"{name} is one of {len(fitting)} hosts that could take it"
    if board.ends[guest] is not None and last_step and not board.is_home(guest, here):
        return GOES_WHERE_WANTED, f"it is wanted on {name}"
    next_in = next((other for other, there in steps[number:] if there == here and other != guest), None)
    made_for = board.guests[next_in].name if next_in is not None else "others"
    if last_step:
        return MAKES_ROOM, f"makes room on {board.hosts[here]} for {made_for}"
    return STEPS_ASIDE, f"steps aside to {name} for a while, for {made_for} to go to {board.hosts[here]}"
