# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames come out as they went in whatever the pieces, and nothing else is taken for a frame."""

from __future__ import annotations

import tracemalloc
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import (
    HEADER,
    MAX_CONTROL,
    MAX_DATA,
    BufferPool,
    Frame,
    FrameReader,
    Kind,
    encode_document,
    encode_header,
)

NUMBERS = st.integers(0, (1 << 64) - 1)
DOCUMENTS = st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=20), max_size=4)
DATA_FRAMES = st.tuples(st.just(Kind.DATA), NUMBERS, st.binary(min_size=1, max_size=300))
CONTROL_FRAMES = st.tuples(
    st.sampled_from([kind for kind in Kind if kind not in (Kind.DATA, Kind.ACK)]), NUMBERS, st.binary(max_size=100)
)
BARE_FRAMES = st.tuples(st.just(Kind.ACK), NUMBERS, st.just(b""))


def read(data: bytes, sizes: t.Sequence[int] = ()) -> list[Frame]:
    """Read frames as a connection would, which delivers ``sizes`` bytes at a time and then whatever there is."""
    reader, frames, wanted = FrameReader(), [], list(sizes)
    while data:
        target = reader.target()
        count = min(len(target), len(data), max(1, wanted.pop(0)) if wanted else len(data))
        target[:count] = data[:count]
        data = data[count:]
        frame = reader.filled(count)
        if frame is not None:
            frames.append(frame)
    return frames


@given(
    frames=st.lists(DATA_FRAMES | CONTROL_FRAMES | BARE_FRAMES, max_size=8),
    sizes=st.lists(st.integers(1, 40), max_size=60),
)
def test_any_chunking_gives_the_same_frames(frames: list[tuple[Kind, int, bytes]], sizes: list[int]) -> None:
    """Kind, number and payload survive every way of cutting the bytes."""
    data = b"".join(encode_header(kind, len(payload), number) + payload for kind, number, payload in frames)
    assert [(frame.kind, frame.number, bytes(frame.payload)) for frame in read(data, sizes)] == frames


@given(
    lengths=st.lists(st.integers(BufferPool.SIZE // 2 - 1, BufferPool.SIZE + 1), min_size=1, max_size=8),
    held=st.sets(st.integers(0, 7)),
)
@settings(max_examples=20)
def test_memory_is_not_used_again_while_somebody_holds_it(lengths: list[int], held: set[int]) -> None:
    """A frame, or any view of its payload, keeps its content while others come and go."""
    reader, kept = FrameReader(), {}
    for number, length in enumerate(lengths):
        content = bytes([number]) * length
        data = memoryview(encode_header(Kind.DATA, length, number) + content)
        frame = None
        while data:
            target = reader.target()
            target[:] = data[: len(target)]
            data = data[len(target) :]
            frame = reader.filled(len(target))
        assert frame is not None and frame.payload == content
        if number in held:
            kept[number] = frame.payload if number % 2 else memoryview(frame.payload)[100:]
    for number, view in kept.items():
        assert set(bytes(view)) == {number}


def test_memory_is_used_again() -> None:
    """What nobody holds any more serves the next frame."""
    pool = BufferPool()
    first = pool.take(BufferPool.SIZE)
    first[0] = 77
    other = pool.take(BufferPool.SIZE)
    assert other[0] == 0
    del first
    assert pool.take(BufferPool.SIZE)[0] == 77


@given(document=DOCUMENTS, number=NUMBERS)
def test_documents_survive(document: dict[str, t.Any], number: int) -> None:
    """A message is read as it was written."""
    (frame,) = read(encode_document(Kind.MESSAGE, document, number))
    assert (frame.document(), frame.number) == (document, number)


@given(data=st.binary(max_size=400))
def test_anything_else_is_refused_by_name(data: bytes) -> None:
    """Random bytes give frames or FrameError, nothing else."""
    try:
        for frame in read(data):
            frame.document()
    except FrameError:
        pass


@pytest.mark.parametrize(
    "header",
    [
        HEADER.pack(Kind.DATA, MAX_DATA + 1, 0),
        HEADER.pack(Kind.MESSAGE, MAX_CONTROL + 1, 0),
        HEADER.pack(Kind.ACK, 1, 0),
        HEADER.pack(Kind.DATA, 0, 0),
        HEADER.pack(99, 0, 0),
        b"\x05\x00\x01\x00" + HEADER.pack(Kind.PING, 0, 0)[4:],
    ],
    ids=[
        "data over its limit",
        "message over its limit",
        "acknowledgement with a payload",
        "empty data",
        "unknown kind",
        "reserved bytes",
    ],
)
def test_bad_headers_are_refused(header: bytes) -> None:
    """A header that breaks the rules is never followed."""
    with pytest.raises(FrameError):
        read(header)


def test_memory_is_not_taken_before_the_length_was_checked() -> None:
    """A header that announces 4 GiB costs nothing."""
    tracemalloc.start()
    try:
        with pytest.raises(FrameError):
            read(HEADER.pack(Kind.DATA, 0xFFFFFFFF, 0))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "payload",
    [b"[1]", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 100_000, b"null", b'{"sent":NaN}'],
    ids=lambda value: repr(value[:8]),
)
def test_documents_that_are_none(payload: bytes) -> None:
    """What is not a JSON object, or nested so deep that reading it would end the process, is a FrameError."""
    with pytest.raises(FrameError):
        Frame(Kind.MESSAGE, 0, payload).document()


def test_own_documents_are_bounded_too() -> None:
    """What the peer would refuse is not sent."""
    with pytest.raises(FrameError):
        encode_document(Kind.MESSAGE, {"text": "x" * MAX_CONTROL})


def test_the_last_words_of_xl_fit_into_a_message() -> None:
    """16 KiB of output that JSON has to escape byte by byte still reach the peer."""
    assert read(encode_document(Kind.MESSAGE, {"stderr": ["\x01\ufffd" * 8192]}))
