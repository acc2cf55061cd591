# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stream parser on streams that are cut, damaged or hostile: named errors, bounded memory, no loop over pages."""

from __future__ import annotations

import struct
import sys
import tracemalloc
import types
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._wire import errors, events
from ansible_collections.dom0.xen.plugins.module_utils._wire.parser import StreamParser
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

HEAD = streams.xl_header(streams.config())
IN_LIBXC = HEAD + streams.libxl_header() + streams.frame(1) + streams.libxc_headers(2)
LIBXC_DONE = IN_LIBXC + streams.frame(0)
PERMITTED = streams.SMALL["pvh"] + streams.GO


@pytest.mark.parametrize("kind", ["pvh", "hvm", "pv", "remus"])
def test_truncation_at_each_byte(kind: str) -> None:
    """An incomplete guest must never pass for a whole one, wherever the source dies."""
    data = streams.SMALL[kind]
    for length in range(len(data)):
        parser = StreamParser()
        parser.feed(data[:length])
        with pytest.raises(errors.TruncatedStream) as caught:
            parser.finish()
        assert caught.value.position == length
        with pytest.raises(errors.TruncatedStream):
            parser.feed(data[length:])


@pytest.mark.parametrize("shown", range(45))
def test_truncated_permission(shown: int) -> None:
    """No permission is what xl save leaves out; half of one is a source that died."""
    parser = StreamParser()
    parser.feed(streams.SMALL["pvh"] + streams.GO[:shown])
    if shown in (0, 44):
        parser.finish()
    else:
        with pytest.raises(errors.TruncatedStream):
            parser.finish()


@pytest.mark.parametrize(
    ("data", "error", "position"),
    [
        (HEAD + b"LibxlFmX" + bytes(8), errors.BadMagic, len(HEAD)),
        (HEAD + struct.pack(">QII", 0x4C6962786C466D74, 3, 0), errors.UnsupportedHeader, len(HEAD) + 8),
        (HEAD + streams.libxl_header(1), errors.UnsupportedHeader, len(HEAD) + 12),
        (IN_LIBXC[:-40] + bytes(40), errors.BadMagic, len(IN_LIBXC) - 40),
        (IN_LIBXC[:-40] + streams.libxc_headers(2, version=4), errors.UnsupportedHeader, len(IN_LIBXC) - 28),
        (IN_LIBXC[:-40] + streams.libxc_headers(2, version=1), errors.UnsupportedHeader, len(IN_LIBXC) - 28),
        (IN_LIBXC[:-40] + streams.libxc_headers(3), errors.UnsupportedHeader, len(IN_LIBXC) - 16),
        (IN_LIBXC[:-12] + b"\x0d" + IN_LIBXC[-11:], errors.UnsupportedHeader, len(IN_LIBXC) - 12),
        (IN_LIBXC[:-24] + b"\x00\x01" + IN_LIBXC[-22:], errors.UnsupportedHeader, len(IN_LIBXC) - 24),
        (IN_LIBXC[:-22] + b"\x01" + IN_LIBXC[-21:], errors.UnsupportedHeader, len(IN_LIBXC) - 24),
        (IN_LIBXC[:-20] + b"\x01" + IN_LIBXC[-19:], errors.UnsupportedHeader, len(IN_LIBXC) - 24),
        (IN_LIBXC[:-10] + b"\x01" + IN_LIBXC[-9:], errors.UnsupportedHeader, len(IN_LIBXC) - 12),
        (IN_LIBXC + streams.frame(0x13), errors.UnknownRecord, len(IN_LIBXC)),
        (LIBXC_DONE + streams.frame(6), errors.UnknownRecord, len(LIBXC_DONE)),
        (IN_LIBXC + struct.pack("<II", 9, (128 << 20) + 1), errors.RecordTooLong, len(IN_LIBXC)),
        (IN_LIBXC + struct.pack("<II", 0x80000001, 0xFFFFFFFF), errors.RecordTooLong, len(IN_LIBXC)),
        (LIBXC_DONE + struct.pack("<II", 3, (128 << 20) + 1), errors.RecordTooLong, len(LIBXC_DONE)),
        (IN_LIBXC + struct.pack("<II", 1, 8 + 1025 * 4104), errors.RecordTooLong, len(IN_LIBXC)),
        (IN_LIBXC + struct.pack("<IIII", 1, 24, 1025, 0), errors.PageDataArithmetic, len(IN_LIBXC)),
        (IN_LIBXC + struct.pack("<IIII", 1, 16, 0, 0), errors.PageDataArithmetic, len(IN_LIBXC)),
        (IN_LIBXC + struct.pack("<IIIIQ", 1, 16, 1, 0, 7), errors.PageDataArithmetic, len(IN_LIBXC)),
        (IN_LIBXC + struct.pack("<IIIIQ", 1, 16, 1, 0, 5 << 60), errors.PageDataEntry, len(IN_LIBXC)),
        (IN_LIBXC + streams.frame(0, bytes(8)), errors.RecordLength, len(IN_LIBXC)),
        (IN_LIBXC + streams.frame(7, bytes(4095)), errors.RecordLength, len(IN_LIBXC)),
        (IN_LIBXC + streams.frame(1, bytes(8)), errors.RecordLength, len(IN_LIBXC)),
        (IN_LIBXC + streams.frame(0x0A, bytes(16)), errors.RecordLength, len(IN_LIBXC)),
        (LIBXC_DONE + streams.frame(1), errors.RecordOrder, len(LIBXC_DONE)),
        (LIBXC_DONE + streams.frame(4), errors.RecordOrder, len(LIBXC_DONE)),
        (HEAD + streams.libxl_header() + streams.frame(0), errors.RecordOrder, len(HEAD) + 16),
        (IN_LIBXC + streams.frame(0x0E) + streams.frame(0), errors.RecordOrder, len(IN_LIBXC) + 8),
        (streams.SMALL["pvh"] + b"domain is mine", errors.BadPermission, len(streams.SMALL["pvh"]) + 10),
        (streams.SMALL["pvh"] + b"\0", errors.BadPermission, len(streams.SMALL["pvh"])),
        (PERMITTED + b"more", errors.TrailingData, len(PERMITTED)),
    ],
)
def test_damage_is_named_and_placed(data: bytes, error: type[errors.StreamError], position: int) -> None:
    """The person who reads the message must learn what is wrong, and where; cutting must not change it."""
    parser = StreamParser()
    with pytest.raises(error) as caught:
        parser.feed(data)
    assert caught.value.position == position
    with pytest.raises(error):
        parser.feed(b"")
    with pytest.raises(error):
        parser.finish()
    again = StreamParser()
    with pytest.raises(error) as caught:
        for index in range(len(data)):
            again.feed(data[index : index + 1])
    assert caught.value.position == position


def test_longest_records_are_accepted() -> None:
    """The limits are Xen's own, not one less."""
    parser = StreamParser()
    parser.feed(IN_LIBXC + streams.page_data(streams.normal(range(1024))))
    parser.feed(struct.pack("<II", 9, 128 << 20))
    assert parser.phase == "libxc"


@given(
    kind=st.sampled_from(sorted(streams.SMALL)),
    changes=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=4),
    size=st.integers(1, 20000),
)
def test_damaged_streams(kind: str, changes: list[tuple[int, int]], size: int) -> None:
    """Any damage gives a named error, or a stream whose figures still agree; and no other exception."""
    data = bytearray(streams.SMALL[kind] + streams.GO)
    for place, value in changes:
        data[place % len(data)] = value
    parser = StreamParser()
    found: list[events.Event] = []
    stream = 0
    try:
        for begin in range(0, len(data), size):
            parsed = parser.feed(data[begin : begin + size])
            found += parsed.events
            stream += parsed.stream_bytes
        parser.finish()
    except errors.StreamError as exc:
        assert exc.code != errors.StreamError.code
        assert 0 <= exc.position <= len(data)
    else:
        assert parser.phase == "permission"
        assert stream == parser.stream_end == len(data) - 44
    for event in found:
        if isinstance(event, events.PageData):
            assert 0 <= event.pages <= event.entries <= 1024
            assert event.size == 16 + 8 * event.entries + 4096 * event.pages


@given(data=st.binary(max_size=400), begin=st.sampled_from([b"", HEAD, IN_LIBXC, LIBXC_DONE]))
def test_noise(data: bytes, begin: bytes) -> None:
    """Random bytes at any stage end in a named error."""
    parser = StreamParser()
    with pytest.raises(errors.StreamError):
        parser.feed(begin + data)
        parser.finish()


def big_stream(megabytes: int, size: int) -> t.Iterator[memoryview]:
    """A stream of that much memory in chunks of ``size`` bytes, made without holding it."""
    record = streams.page_data(streams.normal(range(1024)))
    yield memoryview(IN_LIBXC)
    for number in range(megabytes // 4):
        header = memoryview(streams.page_data(streams.normal(range(number * 1024, number * 1024 + 1024)))[: 16 + 8192])
        yield header
        pages = memoryview(record)[16 + 8192 :]
        for begin in range(0, len(pages), size):
            yield pages[begin : begin + size]


@pytest.mark.parametrize("size", [4096, 1 << 18, 1 << 22])
def test_pages_are_not_kept(size: int) -> None:
    """Both ends of a migration must stay small whatever the guest's size: no page is copied or buffered."""
    parser = StreamParser()
    peak = 0
    for chunk in big_stream(32, size):
        tracemalloc.start()
        parser.feed(chunk)
        peak = max(peak, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert parser.position > 32 << 20
    assert peak < 100_000


def test_long_records_are_not_kept() -> None:
    """A device model's state of 100 MiB passes through without being held."""
    parser = StreamParser()
    parser.feed(LIBXC_DONE + struct.pack("<II", 3, 100 << 20))
    chunk = bytes(1 << 20)
    tracemalloc.start()
    for number in range(100):
        assert not parser.feed(chunk).events, number
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000
    parser.feed(streams.frame(0))
    parser.finish()


def test_announced_lengths_reserve_nothing() -> None:
    """Memory follows what arrived, not what a header promises."""
    begin = streams.xl_header(b" " * 1000000)[:60]
    tracemalloc.start()
    parser = StreamParser()
    parser.feed(begin)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000


def test_common_path_has_no_loop_over_pages() -> None:
    """dom0 may be slow: a full record costs a fixed number of lines of Python, not one for each of its 1024 pages."""
    record = streams.page_data(streams.normal(range(1024)))
    parser = StreamParser()
    parser.feed(IN_LIBXC)
    lines = 0

    def trace(frame: types.FrameType, event: str, arg: object) -> t.Any:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        parser.feed(record)
    finally:
        sys.settrace(before)
    assert 10 < lines < 150
