# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies of records pass by in pieces of any size, and what is looked at in them is found all the same."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._image.bodies import Body, Pages
from ansible_collections.dom0.xen.plugins.module_utils._wire.events import Record

CUTS = st.lists(st.integers(0, 1 << 20), max_size=8)


def ranges(size: int, cuts: list[int]) -> list[tuple[int, int]]:
    """``size`` bytes in pieces."""
    places = sorted({0, size, *(cut % (size + 1) for cut in cuts)})
    return list(itertools.pairwise(places))


@given(
    kinds=st.lists(st.sampled_from(("zero", "first", "middle", "last", "full")), max_size=6),
    missing=st.integers(0, 4096),
    cuts=CUTS,
)
def test_pages_of_zeros(kinds: list[str], missing: int, cuts: list[int]) -> None:
    """One byte anywhere in a page makes it another one; a page that is cut off is none."""
    marked = {
        "zero": {},
        "first": {0: 1},
        "middle": {2047: 255},
        "last": {4095: 1},
        "full": dict.fromkeys(range(4096), 7),
    }
    pages = [bytes(marked[kind].get(place, 0) for place in range(4096)) for kind in kinds]
    data = b"".join(pages)
    data = data[: max(0, len(data) - missing)]
    seen = Pages()
    for begin, end in ranges(len(data), cuts):
        seen.take(data, begin, end)
    whole = len(data) // 4096
    assert (seen.whole, seen.zero) == (whole, kinds[:whole].count("zero"))


@given(body=st.binary(max_size=60), padding=st.binary(max_size=7), keep=st.integers(0, 80), cuts=CUTS)
def test_any_body(body: bytes, padding: bytes, keep: int, cuts: list[int]) -> None:
    """Its beginning, its zeros behind the head, its last byte, and whether zeros follow."""
    seen = Body(Record(0, "libxl", 2, "X", len(body)), keep)
    data = body + padding
    for begin, end in ranges(len(data), cuts):
        seen.take(data, begin, end)
    assert seen.head == body[:keep]
    assert seen.nuls == body[8:].count(0)
    assert seen.last == (body[-1] if body else None)
    assert seen.padded == (not any(padding))
