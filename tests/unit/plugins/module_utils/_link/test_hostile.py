# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer that has the right certificate and breaks the rules costs a connection, never memory nor the process."""

from __future__ import annotations

import json
import math
import os
import socket
import time
import tracemalloc
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._link.connection import Connection
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError, LinkLost
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import (
    MAX_DEPTH,
    Frame,
    Kind,
    encode_document,
    encode_header,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.introduction import Introduction
from ansible_collections.dom0.xen.plugins.module_utils._link.link import HELD_LIMIT
from ansible_collections.dom0.xen.plugins.module_utils._link.order import FRAME_COST, Incoming
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link import loopback
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.test_peers import client, listen

MIB = 1 << 20


def nested(levels: int) -> bytes:
    """A JSON object of that many levels."""
    return b'{"a":' * levels + b"1" + b"}" * levels


def raw(ends: Ends) -> Connection:
    """The dialer's connection, to send what its link would not."""
    ends.connect()
    assert ends.near.connection is not None
    return ends.near.connection


def serve(ends: Ends, seconds: float, until: t.Callable[[], bool] = lambda: False) -> None:
    """Let the listener's end alone work, as the receiver's loop does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not until():
        for frame in ends.far.progress():
            ends.far.use(frame)
        ends.far.acknowledge()
        ends.far.tick()


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 100_000])
@pytest.mark.parametrize("kind", [Kind.HELLO, Kind.WELCOME, Kind.MESSAGE, Kind.PING])
def test_nested_documents(depth: int, kind: Kind) -> None:
    """What can just be read would end the process where it is written again, a few calls deeper."""
    with pytest.raises(FrameError):
        Frame(kind, 0, nested(depth)).document()
    assert Frame(kind, 0, nested(MAX_DEPTH)).document() == json.loads(nested(MAX_DEPTH))
    with pytest.raises(FrameError):
        Introduction.decode(Frame(kind, 0, b'{"version":' + b"[" * depth + b"]" * depth + b"}"), kind)


@pytest.mark.parametrize("kind", [Kind.PING, Kind.DATA])
def test_peer_that_never_reads(kind: Kind) -> None:
    """Whatever it asks for, one answer of each sort waits for it, not one for every question."""
    with Ends() as ends, client(ends, "sender", receive_buffer=4096) as sock:
        sock.send(Introduction(loopback.SESSION, "1" * 16, None, 0).encode(Kind.HELLO))
        while not ends.far.up:
            listen(ends)
        far = ends.far.connection
        assert far is not None
        with socket.socket(fileno=os.dup(far.fileno())) as own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        waiting = 0
        for number in range(3000):
            data = encode_header(Kind.DATA, 1, number) + b"x"
            sock.send(data if kind is Kind.DATA else encode_document(kind, {"sent": 1.0}))
            for frame in ends.far.progress():
                ends.far.use(frame)
            ends.far.acknowledge()
            waiting = max(waiting, len(far._out))
        assert far.received_bytes > 50_000
        assert 0 < waiting <= 4


def test_more_than_the_window() -> None:
    """A sender that does not wait for acknowledgements is stopped before the receiver's memory is full of its data."""
    with Ends() as ends:
        connection = raw(ends)
        ends.use_at_once = False
        number, piece = 0, bytes(MIB // 4)
        with pytest.raises(FrameError, match="have not been used"):
            while number < 200:
                connection.send(encode_header(Kind.DATA, len(piece), number), piece)
                number += 1
                while connection.queued_bytes > connection.sent_bytes:
                    connection.progress(readable=False)
                    ends.arrived_far += ends.far.progress()
                ends.arrived_far += ends.far.progress()
            ends.arrived_far += ends.far.progress()
        assert 0 < len(ends.far_data()) <= HELD_LIMIT


def test_many_tiny_frames_are_bounded_by_what_they_cost() -> None:
    """A frame of one byte costs hundreds, so it is not counted as one."""
    incoming, number = Incoming(HELD_LIMIT), 0
    with pytest.raises(FrameError, match="have not been used"):
        while number < HELD_LIMIT:
            incoming.accept(Frame(Kind.DATA, number, b"x"))
            number += 1
    assert HELD_LIMIT // (FRAME_COST + 1) - 1 <= number <= HELD_LIMIT // FRAME_COST


def test_what_is_used_makes_room() -> None:
    """The bound is on what is held, not on what a session carries."""
    incoming, payload = Incoming(4 * FRAME_COST), bytes(FRAME_COST)
    for number in range(100):
        incoming.accept(Frame(Kind.DATA, number, payload))
        if number % 2:
            incoming.use(number)
    incoming.accept(Frame(Kind.DATA, 100, payload))
    incoming.accept(Frame(Kind.DATA, 101, payload))
    with pytest.raises(FrameError):
        incoming.accept(Frame(Kind.DATA, 102, payload))


@pytest.mark.parametrize(
    "answer",
    [
        {"sent": -1e308, "now": 1.0},
        {"sent": 1e308, "now": 1.0},
        {"sent": math.inf, "now": 1.0},
        {"sent": -math.inf, "now": 1.0},
        {"sent": "now", "now": 1e308},
        {"sent": "now", "now": -math.inf},
        {"sent": None, "now": True, "figures": []},
    ],
    ids=str,
)
def test_figures_that_cannot_be_true(answer: dict[str, t.Any]) -> None:
    """A clock or a round trip of ages would end the process in the next calculation; it is no measurement."""
    with Ends() as ends:
        ends.connect()
        ends.until(lambda: ends.near.offset is not None)
        ends.near.clocks.offset = None
        far = ends.far.connection
        assert far is not None
        if answer["sent"] == "now":
            answer = {**answer, "sent": ends.clock()}
        text = json.dumps(answer).replace("Infinity", "1e999").encode()
        far.send(encode_header(Kind.PONG, len(text)) + text)
        ends.far.send_message({"type": "behind it"})
        ends.until(lambda: bool(ends.arrived_near))
        assert ends.near.offset is None
        for size in (1, 70_000):
            ends.near.send_data(bytes(size))
            ends.until(lambda: ends.near.delivered)


@pytest.mark.parametrize("sent", [b'"' + b"x" * 200_000 + b'"', b"[" * 20 + b"]" * 20, b"1e999", b"1" * 4000])
def test_only_a_time_is_given_back(sent: bytes) -> None:
    """The answer to a PING cannot be made large, nor something that the peer of an honest end could not read."""
    with Ends() as ends:
        connection = raw(ends)
        text = b'{"sent":' + sent + b"}"
        before = connection.received_bytes
        connection.send(encode_header(Kind.PING, len(text)) + text)
        ends.near.send_message({"type": "behind it"})
        ends.until(lambda: ends.near.delivered)
        assert 0 < connection.received_bytes - before < 2000


def test_payload_memory_is_bounded() -> None:
    """However large the frames are, a whole connection of them is handled in the memory of a few."""
    with Ends() as ends:
        connection = raw(ends)
        payload, number = bytes(MIB), 0
        tracemalloc.start()
        try:
            while number < 64:
                connection.send(encode_header(Kind.DATA, len(payload), number), payload)
                number += 1
                while connection.queued_bytes > connection.sent_bytes:
                    connection.progress(readable=False)
                    serve(ends, 0.001)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 16 * MIB


def test_introduction_in_the_middle() -> None:
    """A second introduction on the same connection ends it, whoever sends it."""
    with Ends() as ends:
        connection = raw(ends)
        connection.send(Introduction("x" * 16, "1" * 16, None, 0).encode(Kind.HELLO))
        with pytest.raises((FrameError, LinkLost)):
            ends.until(lambda: False)
