# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams after any surgery: cut out, put in twice, exchanged, overwritten, ended early, and read in any pieces.

What may pass to xl is always the beginning of what came, never the permission; what is wrong is named the same way
however the bytes were cut.
"""

from __future__ import annotations

import typing as t

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._wire import errors, events, header
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import StreamError
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import AnswerMatcher
from ansible_collections.dom0.xen.plugins.module_utils._wire.parser import PERMITTED, StreamParser
from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import RoundTracker
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

PLACE = st.integers(0, 1 << 20)
CUTS = st.lists(PLACE, max_size=8)
KINDS = st.sampled_from(sorted(streams.SMALL))
# Lengths and types are 32-bit words; these are where their meaning changes.
WORDS = (0, 1, 7, 8, 15, 16, 0x13, 1024, 1025, 4096, 128 << 20, (128 << 20) + 1, 1 << 31, 0xFFFFFFFF)
SURGERY = st.one_of(
    st.tuples(st.just("remove"), PLACE, st.integers(1, 64)),
    st.tuples(st.just("repeat"), PLACE, st.integers(1, 5000)),
    st.tuples(st.just("overwrite"), PLACE, st.integers(0, 255)),
    st.tuples(st.just("word"), PLACE, st.sampled_from(WORDS)),
    st.tuples(st.just("exchange"), PLACE, PLACE),
    st.tuples(st.just("end"), PLACE, st.just(0)),
)
Surgery = tuple[str, int, int]


def operated(data: bytes, operations: t.Iterable[Surgery]) -> bytes:
    """The stream after these operations."""
    for what, first, second in operations:
        place = first % (len(data) or 1)
        if what == "remove":
            data = data[:place] + data[place + second :]
        elif what == "repeat":
            data = data[: place + second] + data[place:]
        elif what == "overwrite":
            data = data[:place] + bytes([second]) + data[place + 1 :]
        elif what == "word":
            place &= ~3
            data = data[:place] + second.to_bytes(4, "little") + data[place + 4 :]
        elif what == "exchange":
            other = second % (len(data) or 1)
            low, high = min(place, other) & ~7, max(place, other) & ~7
            data = data[:low] + data[high : high + 8] + data[low + 8 : high] + data[low : low + 8] + data[high + 8 :]
        else:
            data = data[:place]
    return data


class Outcome(t.NamedTuple):
    """What came of a stream: what was found, how many bytes may pass to xl, and how it ended."""

    found: list[events.Event]
    passed: int
    ended: tuple[str, int] | None


def follow(data: bytes, cuts: t.Iterable[int]) -> Outcome:
    """Read it in pieces."""
    parser, tracker = StreamParser(), RoundTracker()
    found: list[events.Event] = []
    passed = 0
    try:
        for piece in streams.pieces(data, cuts):
            parsed = parser.feed(piece)
            found += parsed.events
            passed += parsed.stream_bytes
            tracker.update(parsed.events, parser.position, 0.0)
        parser.finish()
    except StreamError as exc:
        assert exc.code != StreamError.code
        return Outcome(found, passed, (exc.code, exc.position))
    assert tracker.distinct <= tracker.entries and tracker.pages <= tracker.entries
    return Outcome(found, passed, None)


@given(kind=KINDS, operations=st.lists(SURGERY, min_size=1, max_size=4), cuts=CUTS)
def test_any_surgery(kind: str, operations: list[Surgery], cuts: list[int]) -> None:
    """The same end in any pieces, and byte by byte nothing is found later or passed further than in one."""
    data = operated(streams.SMALL[kind] + streams.GO, operations)
    single = follow(data, range(len(data)))
    for one in (follow(data, ()), follow(data, cuts)):
        assert one.ended == single.ended
        assert one.found == single.found[: len(one.found)]
        assert one.passed <= single.passed
        if one.ended is None:
            assert one == single
    if single.ended is None:
        assert data[single.passed :] in (b"", streams.GO)


@given(kind=KINDS, operations=st.lists(SURGERY, max_size=3), cuts=CUTS)
def test_nothing_passes_that_is_no_stream(kind: str, operations: list[Surgery], cuts: list[int]) -> None:
    """What may pass ends where libxl's END ends: not one byte of a permission, intact or not, is ever part of it."""
    data = operated(streams.SMALL[kind] + streams.GO, operations)
    outcome = follow(data, cuts)
    ends = [event.position for event in outcome.found if isinstance(event, events.StreamEnd)]
    assert len(ends) <= 1
    if ends:
        assert outcome.passed == ends[0]
    given_permission = [event for event in outcome.found if isinstance(event, events.Permission)]
    assert not given_permission or data[ends[0] : ends[0] + 44] == streams.GO


@given(begin=KINDS, rest=KINDS, first=PLACE, second=PLACE, cuts=CUTS)
def test_two_streams_joined(begin: str, rest: str, first: int, second: int, cuts: list[int]) -> None:
    """The end of one guest behind the beginning of another: an end that is named, or records that fit together."""
    head, tail = streams.SMALL[begin] + streams.GO, streams.SMALL[rest] + streams.GO
    data = head[: first % len(head)] + tail[second % len(tail) :]
    assert follow(data, ()).ended == follow(data, cuts).ended


TALK = streams.BANNER + streams.READY + streams.REPORT + b"\x06" + streams.GO


@given(operations=st.lists(SURGERY, max_size=3), cuts=CUTS)
def test_answers_after_any_surgery(operations: list[Surgery], cuts: list[int]) -> None:
    """What the receiving xl says is understood the same in any pieces, or refused; never half of it as a whole."""

    def listen(pieces: t.Iterable[bytes]) -> tuple[list[object], str | None]:
        matcher, found = AnswerMatcher(), list[object]()
        try:
            for piece in pieces:
                found += matcher.feed(piece)
            matcher.finish()
        except (errors.UnexpectedAnswer, errors.TruncatedAnswer) as exc:
            return found, exc.code
        return found, None

    data = operated(TALK, operations)
    single, ended = listen(streams.pieces(data, range(len(data))))
    found, other = listen(streams.pieces(data, cuts))
    assert ended == other and found == single[: len(found)]
    if ended is None:
        assert data == TALK or data == TALK[:127] + b"\0"


@given(text=st.binary(max_size=200) | st.text(max_size=200).map(str.encode), operations=st.lists(SURGERY, max_size=3))
def test_any_configuration(text: bytes, operations: list[Surgery]) -> None:
    """A configuration has an identity, or is refused by name: it decides which domain a receiver lets in."""
    for candidate in (text, operated(streams.config(), operations)):
        try:
            found = header.config_identity(candidate)
        except Dom0XenError as exc:
            assert exc.code == errors.BadConfig.code
        else:
            assert found.name and len(found.uuid) == 36 and found.memory_max_kib >= 0


@given(length=st.integers(0, 1 << 32), kind=st.integers(0, (1 << 32) - 1), libxl=st.booleans())
def test_any_record_header(length: int, kind: int, libxl: bool) -> None:
    """Eight bytes of anything where a record begins: bounded by Xen's own limit, or refused."""
    data = streams.xl_header(streams.config()) + streams.libxl_header()
    data += b"" if libxl else streams.frame(1) + streams.libxc_headers(2)
    parser = StreamParser()
    parser.feed(data)
    try:
        parsed = parser.feed((kind | length << 32).to_bytes(9, "little")[:8])
    except StreamError:
        return
    assert length & 0xFFFFFFFF <= 128 << 20
    assert parsed.events or kind == 1
    assert parser.phase != PERMITTED
