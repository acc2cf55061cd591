# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a packed frame stands for is what was packed, byte for byte, and a damaged one is an error with a name."""

from __future__ import annotations

import random
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import MAX_DATA, Frame, Kind
from ansible_collections.dom0.xen.plugins.module_utils._link.order import Incoming
from ansible_collections.dom0.xen.plugins.module_utils._link.packing import packed, zeros
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packed import Method, Unpacker, encode_header
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packer import WAYS, Packer, usable

PAGE = 4096
NOISE = random.Random(1).randbytes(PAGE)

# Pages of a guest and what lies between them: zeros, noise, a byte alone, cut anywhere.
PARTS = st.lists(
    st.one_of(
        st.integers(1, 3 * PAGE).map(bytes),
        st.integers(1, PAGE).map(lambda size: NOISE[:size]),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=12,
).map(b"".join)


def payload(way: str, data: bytes) -> bytes:
    """The payload that a packer sends for ``data``, or none where it goes as it is."""
    header, body = Packer([way]).pack(data)
    return header + body if header else b""


@pytest.mark.parametrize("way", [name for name, method in WAYS.items() if method is not None])
@given(data=PARTS)
def test_the_same_bytes_come_out(way: str, data: bytes) -> None:
    """Whatever the data and wherever they were cut."""
    sent = payload(way, data)
    assert not sent or bytes(Unpacker().unpack(sent)) == data


@given(data=PARTS)
def test_runs_are_all_there_is_of_zeros(data: bytes) -> None:
    """What is left out is nothing but zeros, in order, and no page of zeros stays in."""
    end, kept = 0, b""
    for begin, stop in zeros.runs(data):
        assert end <= begin < stop and not any(data[begin:stop])
        kept += data[end:begin] + b"|"
        end = stop
    assert bytes(PAGE) not in kept + data[end:]


@given(size=st.integers(1, MAX_DATA), body=st.binary(max_size=64), method=st.integers(0, 255))
def test_any_bytes_are_undone_or_refused(size: int, body: bytes, method: int) -> None:
    """A peer that lies ends the connection, and nothing else."""
    try:
        data = Unpacker().unpack(packed.HEADER.pack(method, size) + body)
    except FrameError:
        return
    assert len(data) == size


@pytest.mark.parametrize("way", ["zeros", "zstd1"])
@given(data=st.data())
def test_damage_is_refused_or_changes_no_length(way: str, data: st.DataObject) -> None:
    """A byte that is another than was sent is found, or is in what is carried as it is: TLS answers for that."""
    content = NOISE[:100] + bytes(2 * PAGE) + NOISE[:200] * 3
    sent = bytearray(payload(way, content))
    at = data.draw(st.integers(0, len(sent) - 1))
    sent[at] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(sent)))
    for damaged in (bytes(sent), payload(way, content)[:cut]):
        try:
            found = Unpacker().unpack(damaged)
        except FrameError:
            continue
        assert len(found) == packed.announced(damaged)


@pytest.mark.parametrize("size", [0, MAX_DATA + 1, 2**32 - 1])
def test_no_memory_is_taken_for_more_than_a_frame(size: int) -> None:
    """It is refused before anything is undone."""
    with pytest.raises(FrameError, match="the limit is"):
        Unpacker().unpack(packed.HEADER.pack(Method.ZEROS, size) + zeros.COUNT.pack(0))


def test_reserved_bytes_are_zero() -> None:
    """What a later release means by them is not guessed at."""
    sent = bytearray(payload("zeros", bytes(PAGE)))
    sent[2] = 1
    with pytest.raises(FrameError, match="reserved"):
        Unpacker().unpack(sent)


@pytest.mark.parametrize("size", [1, 100, MAX_DATA])
def test_a_bomb_takes_no_more_than_it_may(size: int) -> None:
    """A zstd frame that unfolds to more than the header says, or asks for a huge window, is refused unopened."""
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes(64 * 1024 * 1024))
    window = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=0)
    stream = zstandard.ZstdCompressor(compression_params=window).compressobj()
    wide = stream.compress(bytes(1024)) + stream.flush()
    tracemalloc.start()
    for body in (bomb, wide):
        with pytest.raises(FrameError):
            Unpacker().unpack(encode_header(Method.ZSTD, size) + body)
    dummy, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


def test_what_is_packed_counts_as_what_it_stands_for() -> None:
    """Small frames that stand for much would fill this end's memory with pieces that nobody has used."""
    incoming = Incoming(4 * MAX_DATA)
    sent = payload("zeros", bytes(MAX_DATA))
    assert len(sent) < 100
    for number in range(3):
        assert incoming.accept(Frame(Kind.PACKED, number, sent))
    with pytest.raises(FrameError, match="not been used"):
        incoming.accept(Frame(Kind.PACKED, 3, sent))


@pytest.mark.parametrize("way", ["zeros", "zstd6"])
def test_what_cannot_be_made_smaller_goes_as_it_is(way: str) -> None:
    """Nobody has to undo what was not worth it."""
    assert Packer([way]).pack(NOISE) == (b"", NOISE)


@pytest.mark.parametrize(
    "wanted, knows, ways",
    [
        ("auto", ("zeros", "zstd"), ["none", "zeros", "zstd1", "zstd3", "zstd6"]),
        ("auto", ("zeros",), ["none", "zeros"]),
        ("auto", (), ["none"]),
        ("auto", ("lz77",), ["none"]),
        ("none", ("zeros", "zstd"), ["none"]),
        ("zeros", ("zeros", "zstd"), ["zeros"]),
        ("zstd3", ("zeros", "zstd"), ["zstd3"]),
        ("zstd3", ("zeros",), ["zeros"]),
        ("zstd3", (), ["none"]),
    ],
)
def test_what_both_ends_know(wanted: str, knows: tuple[str, ...], ways: list[str]) -> None:
    """A peer without zstd, of an older release, or with methods of a later one, gets what it can undo."""
    assert usable(wanted, knows) == ways


def test_a_host_without_zstd(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, uses none, and refuses what it could not undo."""
    sent = payload("zstd1", bytes(PAGE))
    monkeypatch.setattr("ansible_collections.dom0.xen.plugins.module_utils._link.packing.zstd.HAVE_ZSTD", False)
    assert packed.known() == ("zeros",)
    assert usable("auto", ("zeros", "zstd")) == ["none", "zeros"]
    with pytest.raises(FrameError, match="cannot undo"):
        Unpacker().unpack(sent)
