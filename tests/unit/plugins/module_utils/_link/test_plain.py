# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Over the transport tcp: who may come in is decided as over TLS, and what follows is what was sent."""

from __future__ import annotations

import contextlib
import random
import socket
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError, PeerNotPinned
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Kind
from ansible_collections.dom0.xen.plugins.module_utils._link.introduction import Introduction
from ansible_collections.dom0.xen.plugins.module_utils._link.plain_socket import LAST_WORD
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link import loopback
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends

NOISE = random.Random(3).randbytes(3_000_000)


def test_both_ways_and_readable() -> None:
    """Everything arrives once and in order; the stream crosses the network as it is, the introduction too."""
    with Ends(plain=True, network=True, window=8 << 20) as ends:
        ends.connect()
        ends.near.send_data(NOISE)
        ends.far.send_message({"type": "ready"})
        ends.until(lambda: len(ends.far_data()) == len(NOISE) and bool(ends.near_messages()))
        assert ends.far_data() == NOISE
        assert ends.near_messages() == [{"type": "ready"}]
        assert ends.network is not None
        seen = bytes(ends.network.ways[0][0].seen)
        assert NOISE[1000:2000] in seen and loopback.SESSION.encode() in seen
        # The handshake comes first, and its last word is still encrypted.
        assert seen[:3] == b"\x16\x03\x01" and LAST_WORD not in seen


def test_resumption() -> None:
    """After every break, wherever it falls, the link goes on, and nothing is lost or doubled."""
    with Ends(plain=True, network=True, window=8 << 20) as ends:
        assert ends.network is not None
        # Within the handshake, within the last words, and in the middle of frames.
        ends.network.budgets = [(300, None, False), (None, 900, True), (1500, None, True), (700_000, None, True)]
        ends.near.send_data(NOISE)
        ends.until(lambda: ends.far_data() == NOISE)
        assert ends.network.connections == 5


@pytest.mark.parametrize("who", ["receiver", "somebody"])
def test_an_intruder_with_another_certificate(who: str) -> None:
    """It is refused before a frame of it is read, and the dialer learns why."""
    with Ends(plain=True, sender=who) as ends:
        with pytest.raises(PeerNotPinned):
            ends.until(lambda: False)
        ends.until(lambda: ends.listener.refused > 0)
        assert not ends.far.up


def test_a_false_receiver() -> None:
    """It gets nothing of the stream."""
    with Ends(plain=True, receiver="somebody") as ends:
        ends.near.send_data(NOISE)
        with pytest.raises(PeerNotPinned):
            ends.until(lambda: False)
        assert not ends.near.up


def test_an_intruder_who_knows_all_that_was_said() -> None:
    """Whoever has read the introduction on the network is not let in with it."""
    said = Introduction(loopback.SESSION, "0" * 16, None, 0).encode(Kind.HELLO)
    with Ends(plain=True) as ends, socket.create_connection(("127.0.0.1", ends.listener.port)) as stranger:
        stranger.sendall(said)
        while not ends.listener.refused:
            ends.listener.accept()
            ends.listener.progress()
        assert not ends.far.up


@pytest.mark.parametrize("plain_end", ["sender", "receiver"])
def test_neither_end_is_talked_out_of_encryption(plain_end: str) -> None:
    """Where one end was told tls and the other tcp the link stays down, and nothing is said in plain."""
    with Ends(plain=plain_end == "receiver", network=True) as ends:
        ends.dialer._cover = loopback.cover(
            loopback.credentials("sender"),
            server=False,
            peer=loopback.credentials("receiver").certificate,
            plain=plain_end == "sender",
        )
        assert ends.network is not None
        ends.near.send_data(NOISE)
        passed: list[t.Any] = []

        def failed() -> bool:
            passed.extend(way for ways in (ends.network.ways if ends.network else ()) for way in ways[:2])
            return bool(ends.unreachable)

        with contextlib.suppress(FrameError):
            ends.until(failed)
        assert passed and not ends.near.up and not ends.far.up
        assert all(loopback.SESSION.encode() not in bytes(way.seen) for way in passed)
