# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which guest frames hold memory and which are holes, as libxl lays guests out on x86."""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import typing as t

#: Frame of the simulated guest's own state (boot id, counter): the first after what firmware would use.
STATE_PFN = 0x20

#: Real guests of Xen 4.17 have a hole here (seen in a captured stream of a PVH guest).
_LOW_HOLE = 0x10
#: Below 4 GiB memory ends here, the rest lies above (tools/libs/light/libxl_x86.c, e820).
_LOW_END = 0xF0000
_ABOVE_4G = 0x100000
#: ACPI tables and the special pages (store, console, ioreq, identity page table) of a PVH guest.
_SPECIAL = ((0xFC000, 0xFC009), (0xFEFF8, 0xFF000))


@dataclasses.dataclass(frozen=True)
class Layout:
    """Ranges ``[first, end)`` of populated frames, ascending, and the size of the physical-to-machine map."""

    ranges: tuple[tuple[int, int], ...]
    p2m_size: int

    @classmethod
    def of(cls, kind: str, pages: int, compact: bool = False) -> t.Self:
        """Return the layout of a ``pv``, ``pvh`` or ``hvm`` guest with a number of 4 KiB pages.

        ``compact`` leaves out the holes up to 4 GiB, which a real HVM or PVH stream spells out with 8 bytes each.
        """
        if kind == "pv" or compact:
            return cls(((0, pages),), pages)
        low_end = min(pages, _LOW_END)
        ranges = [(0, _LOW_HOLE), (_LOW_HOLE + 1, low_end), *_SPECIAL]
        above = pages - low_end
        if above > 0:
            ranges.append((_ABOVE_4G, _ABOVE_4G + above))
        return cls(tuple(ranges), max(end for dummy, end in ranges))

    @classmethod
    def found(cls, pfns: t.Iterable[int]) -> t.Self:
        """Return the layout that a set of populated frames amounts to."""
        ranges: list[list[int]] = []
        for pfn in sorted(pfns):
            if ranges and ranges[-1][1] == pfn:
                ranges[-1][1] = pfn + 1
            else:
                ranges.append([pfn, pfn + 1])
        return cls(tuple((first, end) for first, end in ranges), ranges[-1][1] if ranges else 0)

    @property
    def count(self) -> int:
        """Number of populated frames."""
        return sum(end - first for first, end in self.ranges)

    def _starts(self) -> list[int]:
        return [first for first, dummy in self.ranges]

    def _offsets(self) -> list[int]:
        return [0, *itertools.accumulate(end - first for first, end in self.ranges)]

    def indexer(self) -> t.Callable[[int], int]:
        """Return a function from frame number to index among the populated frames, -1 for a hole."""
        starts, offsets, ranges = self._starts(), self._offsets(), self.ranges

        def index(pfn: int) -> int:
            at = bisect.bisect_right(starts, pfn) - 1
            if at < 0 or pfn >= ranges[at][1]:
                return -1
            return offsets[at] + pfn - starts[at]

        return index

    def pfns(self) -> t.Iterator[int]:
        """Every populated frame, ascending."""
        return itertools.chain.from_iterable(range(first, end) for first, end in self.ranges)

    def populated(self, first: int, end: int) -> list[int]:
        """Return the populated frames of ``[first, end)``."""
        return [
            pfn
            for low, high in self.ranges
            if low < end and high > first
            for pfn in range(max(low, first), min(high, end))
        ]
