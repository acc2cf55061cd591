# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of PAGE_DATA records, against a plain reading of each entry."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._wire import errors, pages
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

PFN = st.one_of(st.integers(0, 2000), st.integers(0, (1 << 52) - 1), st.just((1 << 52) - 1))
ENTRY = st.tuples(st.sampled_from(streams.WITH_DATA + streams.WITHOUT_DATA), PFN)
COUNTS = st.one_of(st.integers(1, 40), st.sampled_from([1022, 1023, 1024]))


def packed(entries: list[streams.Entry]) -> bytes:
    """The array of entries as it is in the record."""
    return b"".join(struct.pack("<Q", kind << 60 | pfn) for kind, pfn in entries)


def length(entries: list[streams.Entry]) -> int:
    """The length of the record's body."""
    return 8 + 8 * len(entries) + 4096 * sum(1 for kind, dummy in entries if kind in streams.WITH_DATA)


@given(entries=st.lists(ENTRY, min_size=1, max_size=60))
def test_any_entries(entries: list[streams.Entry]) -> None:
    """Counts must be exact: they place every later byte of the stream."""
    frames = [pfn for dummy, pfn in entries]
    batch = pages.inspect(packed(entries), length(entries), 0)
    assert batch.entries == len(entries)
    assert batch.pages == sum(1 for kind, dummy in entries if kind in streams.WITH_DATA)
    assert (batch.first, batch.last) == (frames[0], frames[-1])
    assert batch.contiguous == (frames == list(range(frames[0], frames[0] + len(frames))))
    assert pages.pfns(packed(entries)) == frames
    assert pages.strictly_ascending(packed(entries)) == (frames == sorted(set(frames)))


@given(first=st.integers(0, (1 << 52) - 1024), count=COUNTS, data=st.data())
def test_contiguous_entries_of_any_type(first: int, count: int, data: st.DataObject) -> None:
    """Types must not hide that frames follow each other, nor may one displaced frame be missed."""
    kinds = data.draw(st.lists(st.sampled_from(streams.WITH_DATA + streams.WITHOUT_DATA), min_size=1, max_size=7))
    entries = [(kinds[index % len(kinds)], first + index) for index in range(count)]
    assert pages.inspect(packed(entries), length(entries), 0).contiguous
    assert pages.strictly_ascending(packed(entries))
    if count > 2:
        index = data.draw(st.integers(1, count - 2))
        other = data.draw(PFN.filter(lambda pfn: pfn != first + index))
        entries[index] = (entries[index][0], other)
        assert not pages.inspect(packed(entries), length(entries), 0).contiguous


@given(count=COUNTS, data=st.data())
def test_ascending_with_gaps(count: int, data: st.DataObject) -> None:
    """Rounds of dirty pages have gaps; two equal or swapped frames must still be seen, wherever they are."""
    step = data.draw(st.integers(2, 1 << 20))
    frames = [7 + index * step for index in range(count)]
    assert pages.strictly_ascending(packed(streams.normal(frames)))
    if count > 1:
        index = data.draw(st.integers(1, count - 1))
        frames[index] = frames[index - 1] - data.draw(st.integers(0, 7))
        assert not pages.strictly_ascending(packed(streams.normal(frames)))


@pytest.mark.parametrize("index", [0, 1, 500, 1023])
@pytest.mark.parametrize("wrong", [kind << 60 for kind in (5, 6, 7, 8)] + [1 << bit for bit in range(52, 60)])
def test_reserved_types_and_bits_are_refused(index: int, wrong: int) -> None:
    """A misread type would shift everything behind it."""
    entries = list(range(1024))
    entries[index] |= wrong
    with pytest.raises(errors.PageDataEntry, match=f"entry {index} ") as caught:
        pages.inspect(struct.pack("<1024Q", *entries), 8 + 8 * 1024 + 4096 * 1024, 99)
    assert caught.value.position == 99


@pytest.mark.parametrize("kind", range(16))
def test_whole_record_of_one_type(kind: int) -> None:
    """Nearly all records of round 0 are such, and take a short way: the same rules hold on it."""
    entries = [(kind, (1 << 51) + index) for index in range(1024)]
    if kind not in streams.WITH_DATA + streams.WITHOUT_DATA:
        with pytest.raises(errors.PageDataEntry, match="entry 0 "):
            pages.inspect(packed(entries), length(entries), 7)
        return
    batch = pages.inspect(packed(entries), length(entries), 7)
    assert batch == (1024, 1024 if kind in streams.WITH_DATA else 0, 1 << 51, (1 << 51) + 1023, True)
    with pytest.raises(errors.PageDataArithmetic):
        pages.inspect(packed(entries), length(entries) + 4096, 7)


@given(entries=st.lists(ENTRY, min_size=1, max_size=20), off=st.integers(-20000, 20000).filter(bool))
def test_wrong_length_is_refused(entries: list[streams.Entry], off: int) -> None:
    """Length, count and types must agree, or the next record would be looked for in a page."""
    with pytest.raises(errors.PageDataArithmetic):
        pages.inspect(packed(entries), length(entries) + off, 0)


@pytest.mark.parametrize(("count", "size"), [(0, 16), (1025, 8 + 1025 * 8), (0xFFFFFFFF, 4096), (3, 31)])
def test_wrong_count_is_refused(count: int, size: int) -> None:
    """A count decides how much is kept in memory."""
    with pytest.raises(errors.PageDataArithmetic):
        pages.decode_count(struct.pack("<II", count, 0), size, 0)


def test_reserved_word_is_refused() -> None:
    """A later Xen may give it a meaning that we do not know."""
    with pytest.raises(errors.PageDataEntry):
        pages.decode_count(struct.pack("<II", 1, 1), 16, 0)
