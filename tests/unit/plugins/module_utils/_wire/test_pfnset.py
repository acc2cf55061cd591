# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting distinct frames by intervals, against a plain set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._wire.pfnset import PfnSet

RANGE = st.tuples(st.integers(0, 200), st.integers(0, 30))


@given(ranges=st.lists(RANGE, max_size=40), probe=RANGE)
def test_ranges(ranges: list[tuple[int, int]], probe: tuple[int, int]) -> None:
    """Overlapping, touching, containing: the count of new frames is exact, and so is what is known."""
    frames = PfnSet()
    plain: set[int] = set()
    for first, more in ranges:
        span = set(range(first, first + more + 1))
        assert frames.add_range(first, first + more) == len(span - plain)
        plain |= span
    assert len(frames) == len(plain)
    assert frames.exact
    first, more = probe
    assert frames.covers(first, first + more) == set(range(first, first + more + 1)).issubset(plain)


@given(lots=st.lists(st.lists(st.integers(0, 60), max_size=20), max_size=10))
def test_single_frames(lots: list[list[int]]) -> None:
    """Any order, and twice the same."""
    frames = PfnSet()
    plain: set[int] = set()
    for lot in lots:
        assert frames.add_each(lot) == len(set(lot) - plain)
        plain |= set(lot)


def test_neighbours_become_one() -> None:
    """A guest must stay one interval, whatever order its parts came in."""
    frames = PfnSet()
    for first in (0, 20, 10, 12, 8, 40, 2, 14, 38):
        frames.add_range(first, first + 1)
    assert frames.covers(0, 3)
    assert frames.covers(8, 15)
    assert frames.covers(38, 41)
    assert not frames.covers(3, 8)
    assert len(frames) == 18


def test_largest_frame() -> None:
    """The format allows 52 bits."""
    frames = PfnSet()
    assert frames.add_range(0, (1 << 52) - 1) == 1 << 52
    assert frames.covers((1 << 52) - 1, (1 << 52) - 1)


def test_too_many_intervals() -> None:
    """A hostile stream cannot make the set grow; the count is then said to be inexact, and is never too low."""
    frames = PfnSet(intervals_max=10)
    assert sum(frames.add_range(2 * number, 2 * number) for number in range(10)) == 10
    exact = [frames.exact]
    assert frames.add_range(100, 100) == 1
    assert frames.add_range(100, 100) == 1
    exact.append(frames.exact)
    assert exact == [True, False]
    assert frames.add_range(0, 18) == 9
    assert len(frames) == 19
