# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast the stream of a guest moves that writes its memory (pure; private to the collection)."""

from __future__ import annotations

import typing as t

# From fewer bytes nothing is told.
LEAST = 256 * 1024
# What is told from rounds after the first takes so many. The first is made of much that packs well, such as zeros.
ENOUGH = 1024 * 1024
# What the destination has used before its xl takes memory: until then that may wait for its lock, or make room.
BEGINS = 1024 * 1024


class _Sum(t.NamedTuple):
    stream: int
    way: int
    seconds: float


class Speed:
    """Adds up what the destination has used, and the time in which anything was on its way or could have been."""

    def __init__(self) -> None:
        self._sum = self._begun = _Sum(0, 0, 0.0)
        self._looked: float | None = None
        self._moves = False
        self._rounds: list[_Sum] = []

    def look(self, now: float, stream: int, way: int, moves: bool, rounds: int) -> None:
        """Take note of the totals at ``now``, in seconds.

        ``stream`` are the bytes that the destination has used, ``way`` what was sent for them, ``rounds`` how many
        rounds have begun. ``moves``: from now on there is something to move. Between two rounds there is not, when all
        has been used.
        """
        passed = now - self._looked if self._looked is not None and self._moves else 0.0
        self._sum = _Sum(stream, way, self._sum.seconds + passed)
        self._looked, self._moves = now, moves
        if stream < BEGINS:
            self._begun = self._sum
        while len(self._rounds) < rounds:
            self._rounds.append(self._sum)

    @property
    def rate(self) -> float | None:
        """Bytes of the stream a second, ``None`` while nothing tells.

        From the latest rounds after the first that have brought enough. Otherwise what the network has carried, as if
        nothing could be packed.
        """
        for begun in reversed(self._rounds[1:]):
            moved, seconds = self._sum.stream - begun.stream, self._sum.seconds - begun.seconds
            if moved >= ENOUGH and seconds > 0:
                return moved / seconds
        moved, seconds = self._sum.way - self._begun.way, self._sum.seconds - self._begun.seconds
        return moved / seconds if moved >= LEAST and seconds > 0 else None
