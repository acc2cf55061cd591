# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of frame numbers, kept as intervals: a guest of any size is one interval or a few."""

from __future__ import annotations

import typing as t
from array import array
from bisect import bisect_left, bisect_right

INTERVALS_MAX = 65536
"""How many intervals are kept, 16 bytes each. A stream of Xen's own sender needs one."""


class PfnSet:
    """Count distinct frame numbers.

    :attr:`exact` becomes False when more than ``INTERVALS_MAX`` intervals would be needed; from then on frames that
    touch no known interval are counted each time they are added.
    """

    def __init__(self, intervals_max: int = INTERVALS_MAX) -> None:
        self.exact = True
        self._max = intervals_max
        # Sorted, disjoint and not adjacent: interval n holds starts[n] <= pfn < ends[n].
        self._starts: array[int] = array("Q")
        self._ends: array[int] = array("Q")

    def __len__(self) -> int:
        return sum(self._ends) - sum(self._starts)

    def covers(self, first: int, last: int) -> bool:
        """Whether all frames from ``first`` to ``last`` are known, which one look-up answers."""
        index = bisect_right(self._starts, first) - 1
        return index >= 0 and last < self._ends[index]

    def add_range(self, first: int, last: int) -> int:
        """Add the frames from ``first`` to ``last`` and return how many of them are new."""
        starts, ends = self._starts, self._ends
        begin, end = first, last + 1
        if ends and ends[-1] == begin:  # the first round: every record goes on where the one before it ended
            ends[-1] = end
            return end - begin
        # The intervals [low, high) overlap or touch the new one and are merged with it.
        low = bisect_left(ends, begin)
        high = bisect_right(starts, end)
        known = 0
        if low < high:
            for index in range(low, high):
                known += max(0, min(end, ends[index]) - max(begin, starts[index]))
            begin = min(begin, starts[low])
            end = max(end, ends[high - 1])
        elif len(starts) >= self._max:
            self.exact = False
            return last + 1 - first
        starts[low:high] = array("Q", (begin,))
        ends[low:high] = array("Q", (end,))
        return last + 1 - first - known

    def add_each(self, pfns: t.Iterable[int]) -> int:
        """Add frames in any order and return how many are new."""
        ordered = sorted(set(pfns))
        added = 0
        start = 0
        for index in range(1, len(ordered) + 1):
            if index == len(ordered) or ordered[index] != ordered[index - 1] + 1:
                added += self.add_range(ordered[start], ordered[index - 1])
                start = index
        return added
