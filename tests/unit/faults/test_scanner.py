# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and writes end exactly at the named positions of a stream."""

from __future__ import annotations

from dom0_double.stream import records
from dom0_faults.inside.scanner import Scanner, Words

CONFIG = b'{"c_info": {}}\0'
PAGES = [b"p" * 24, b"q" * 40]
STREAM = b"".join(
    [
        records.xl_header(CONFIG),
        records.libxl_header(),
        records.libxc_headers("pvh", 4, 17),
        *[records.record(records.PAGE_DATA, page) for page in PAGES],
        records.record(records.HVM_CONTEXT, b"h" * 9),
        records.record(records.END),
        records.record(records.LIBXL_END),
        b"g" * 44,
    ]
)


def _positions(stream: bytes) -> dict[str, int]:
    scanner, found, at = Scanner(), {}, 0
    while at < len(stream):
        piece = stream[at : at + scanner.room]
        at += len(piece)
        for name in scanner.take(piece):
            assert name not in found
            found[name] = at
    return found


def test_positions_are_where_the_parts_are() -> None:
    """First byte, half and last of header, configuration and pages; the end, and what follows it."""
    found = _positions(STREAM)
    start = 48
    assert [found[f"header.{at}"] for at in ("first", "half", "last")] == [1, 24, 48]
    assert found["config.first"] == start + 1 and found["config.last"] == start + 4 + len(CONFIG)
    first = STREAM.index(PAGES[0])
    assert [found[f"page1.{at}"] for at in ("first", "half", "last")] == [first + 1, first + 12, first + 24]
    assert found["page2.last"] == STREAM.index(PAGES[1]) + 40
    assert found["END"] == len(STREAM) - 44
    assert found["permission.last"] == len(STREAM)


def test_words_are_found_one_after_the_other() -> None:
    """The answers of xl come on one pipe."""
    words, at, found = Words([("banner", 10), ("status", 1)]), 0, []
    while at < 11:
        piece = b"x" * min(words.room, 11 - at)
        at += len(piece)
        found += [(name, at) for name in words.take(piece)]
    assert found == [("banner.first", 1), ("banner.half", 5), ("banner.last", 10), ("status", 11)]
