# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames cut, damaged, repeated or left out on their way: what was sent so far or a FrameError, in any pieces."""

from __future__ import annotations

import json
import typing as t

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError, LinkError
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import (
    HEADER,
    MAX_DATA,
    Frame,
    FrameReader,
    Kind,
    encode_header,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.introduction import Introduction, objection
from ansible_collections.dom0.xen.plugins.module_utils._link.order import Incoming, Outgoing

SENT = st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=8)
SIZES = st.lists(st.integers(1, 50), max_size=40)
Content = tuple[Kind, int, bytes]
WORDS = st.sampled_from(["0123456789abcdef", "f" * 16, "", "1"])


def numbered(payloads: t.Sequence[bytes]) -> bytes:
    """The frames as they leave."""
    outgoing = Outgoing(1 << 30)
    return b"".join(bytes(buffer) for payload in payloads for buffer in outgoing.data(payload))


def read(data: bytes, sizes: t.Sequence[int]) -> tuple[list[Content], bool]:
    """The frames in ``data``, which comes in pieces of these sizes, and whether an error ended them."""
    reader, wanted = FrameReader(), list(sizes)
    found: list[Content] = []
    while data:
        target = reader.target()
        assert 0 < len(target) <= MAX_DATA
        count = min(len(target), len(data), wanted.pop(0) if wanted else len(data))
        target[:count] = data[:count]
        data = data[count:]
        try:
            frame = reader.filled(count)
        except FrameError:
            return found, True
        if frame is not None:
            found.append((frame.kind, frame.number, bytes(frame.payload)))
    return found, False


@given(payloads=SENT, length=st.integers(0, 700), sizes=SIZES)
def test_truncated(payloads: list[bytes], length: int, sizes: list[int]) -> None:
    """A connection that breaks gives the frames that were whole, and nothing of the one that was not."""
    data = numbered(payloads)
    found, failed = read(data[:length], sizes)
    whole = [(Kind.DATA, number, payload) for number, payload in enumerate(payloads)]
    ends = [len(numbered(payloads[: number + 1])) for number in range(len(payloads))]
    assert not failed
    assert found == whole[: sum(end <= length for end in ends)]


@given(
    payloads=SENT,
    changes=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), min_size=1, max_size=3),
    sizes=SIZES,
)
def test_damaged(payloads: list[bytes], changes: list[tuple[int, int]], sizes: list[int]) -> None:
    """Damage is read the same in any pieces, and changes nothing before it."""
    data = bytearray(numbered(payloads))
    for place, bits in changes:
        data[place % len(data)] ^= bits
    found, failed = read(bytes(data), sizes)
    assert (found, failed) == read(bytes(data), [])
    first = min(place % len(data) for place, dummy in changes)
    unharmed = sum(len(numbered(payloads[: number + 1])) <= first for number in range(len(payloads)))
    assert found[:unharmed] == [(Kind.DATA, number, payloads[number]) for number in range(unharmed)]


@given(payloads=SENT, order=st.lists(st.integers(0, 7), max_size=40))
def test_any_order_of_numbered_frames(payloads: list[bytes], order: list[int]) -> None:
    """Frames repeated, left out or in another order: a prefix of what was sent, each once, or a FrameError."""
    incoming, taken = Incoming(1 << 20), []
    try:
        for index in order:
            number = index % len(payloads)
            if incoming.accept(Frame(Kind.DATA, number, payloads[number])):
                taken.append(payloads[number])
    except FrameError:
        assert incoming.expected == len(taken) < len(payloads)
    assert taken == payloads[: len(taken)]


@given(expected=st.integers(-3, 12), acknowledged=st.integers(-1, 12), sent=st.integers(0, 8))
def test_any_position(expected: int, acknowledged: int, sent: int) -> None:
    """Whatever position a peer claims, it gets exactly the frames from there on, or a FrameError."""
    outgoing = Outgoing(1 << 20)
    for number in range(sent):
        outgoing.data(b"%d" % number)
    try:
        outgoing.acknowledged(acknowledged)
        replayed = [bytes(buffers[-1]) for buffers in outgoing.replay(expected)]
    except FrameError:
        assert acknowledged > sent or not max(acknowledged, 0) <= expected <= sent
    else:
        assert replayed == [b"%d" % number for number in range(expected, sent)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["version", "session", "nonce", "peer_nonce", "expected", "reason"])


@given(kind=st.sampled_from(list(Kind)), document=st.dictionaries(FIELDS, JSON | st.just(1) | WORDS))
def test_any_introduction(kind: Kind, document: dict[str, t.Any]) -> None:
    """It is complete and says what it holds, or a link error of ours says what is wrong with it."""
    try:
        found = Introduction.decode(Frame(kind, 0, json.dumps(document).encode()), Kind.HELLO)
    except LinkError as exc:
        assert exc.code in ("link_frame", "link_refused") and len(exc.message) < 400
    else:
        assert kind is Kind.HELLO and document["version"] == 1
        assert (found.session, found.nonce) == (document["session"], document["nonce"])
        assert found.expected >= 0


@given(
    mine=st.builds(Introduction, WORDS, WORDS, st.none() | WORDS, st.just(0)),
    theirs=st.builds(Introduction, WORDS, WORDS, st.none() | WORDS, st.just(0)),
)
def test_only_the_two_processes_of_one_session(mine: Introduction, theirs: Introduction) -> None:
    """A connection carries the link if and only if both belong to the session, and know each other or nobody yet."""
    allowed = objection(mine, theirs) is None
    assert allowed == (
        theirs.session == mine.session
        and mine.peer_nonce in (None, theirs.nonce)
        and theirs.peer_nonce in (None, mine.nonce)
    )


HEADERS = st.builds(
    lambda kind, reserved, length, number: bytes([kind]) + reserved + length.to_bytes(4, "big") + number,
    st.sampled_from([*Kind, 0, 99]),
    st.just(bytes(3)) | st.binary(min_size=3, max_size=3),
    st.integers(0, 3) | st.integers(0, (1 << 32) - 1),
    st.binary(min_size=8, max_size=8),
)


@given(header=HEADERS)
def test_any_header(header: bytes) -> None:
    """Sixteen bytes of anything ask for no more memory than a frame may have."""
    reader = FrameReader()
    reader.target()[:] = header
    try:
        frame = reader.filled(16)
    except FrameError:
        return
    kind, length, number = HEADER.unpack(header)
    assert header == encode_header(Kind(kind), length, number)
    assert frame is not None or len(reader.target()) == length <= MAX_DATA
