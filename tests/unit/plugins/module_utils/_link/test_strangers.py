# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strangers who knock, trickle or crowd cost a bounded piece of memory and time, and the session's peer goes on."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import socket
import ssl
import time
import tracemalloc
import typing as t
import weakref
from contextlib import ExitStack

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._link import listener as listener_module
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Frame, Kind, encode_header
from ansible_collections.dom0.xen.plugins.module_utils._link.introduction import Introduction
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link import loopback
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.test_peers import client, connects, listen

MIB = 1 << 20
CROWD, AT_ONCE = 10_000, 100


def client_hello() -> bytes:
    """The first flight of an honest client."""
    context = loopback.context(
        loopback.credentials("sender"), server=False, peer=loopback.credentials("receiver").certificate
    )
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


def knock(ends: Ends) -> socket.socket:
    """A TCP connection to the listener."""
    return socket.create_connection(("127.0.0.1", ends.listener.port), timeout=10)


def resident() -> int:
    """Bytes of memory that this process has in use, OpenSSL's included."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def descriptors() -> int:
    """How many descriptors this process has."""
    return len(os.listdir("/proc/self/fd"))


def trickle(ends: Ends, send: t.Callable[[bytes], object], data: bytes, pause: float) -> int:
    """Send byte by byte with ``pause`` seconds in between, until the listener has had enough; return how many went."""
    for number in range(len(data)):
        if ends.listener.refused:
            return number
        with contextlib.suppress(OSError):
            send(data[number : number + 1])
        listen(ends)
        ends.far_clock.skew += pause
    return len(data)


def test_handshake_that_trickles() -> None:
    """Each byte is progress, and none buys more time: the limit counts from the connection's first moment."""
    with Ends() as ends, knock(ends) as sock:
        sent = trickle(ends, sock.send, client_hello(), pause=0.2)
        assert sent <= listener_module.GUEST_SECONDS / 0.2 + 2
        assert ends.listener.refused == 1 and not ends.listener.guests
        connects(ends)


def test_introduction_that_trickles() -> None:
    """The same for one who has shaken hands with the right certificate and then takes its time."""
    with Ends() as ends, client(ends, "sender") as sock:
        hello = Introduction(loopback.SESSION, "1" * 16, None, 0).encode(Kind.HELLO)
        sent = trickle(ends, sock.send, hello, pause=0.2)
        assert sent <= listener_module.GUEST_SECONDS / 0.2 + 2
        assert ends.listener.refused == 1 and not ends.far.up
        connects(ends)


@pytest.mark.parametrize(
    "flood",
    [
        b"\x14\x03\x03\x00\x01\x01",
        b"\x16\x03\x01\x00\x00",
        b"\x15\x03\x03\x00\x02\x01\x5a",
        b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff" + bytes(0x4000 - 4),
    ],
    ids=["change cipher spec", "empty handshake", "warning alerts", "endless hello"],
)
@pytest.mark.parametrize("begin", [b"", client_hello()], ids=["at once", "after a hello"])
def test_flood_inside_the_handshake(begin: bytes, flood: bytes) -> None:
    """Records that mean nothing do not keep the receiver in one turn of its loop, nor in memory."""
    with Ends() as ends, knock(ends) as sock:
        sock.setblocking(False)
        before, longest = resident(), 0.0
        with contextlib.suppress(OSError):
            sock.send(begin)
            for _dummy in range(200):
                with contextlib.suppress(BlockingIOError):
                    sock.send(flood * (MIB // 4 // len(flood)))
                started = time.monotonic()
                listen(ends)
                longest = max(longest, time.monotonic() - started)
        assert ends.listener.refused == 1 and not ends.listener.guests
        assert longest < 5.0
        assert resident() - before < 8 * MIB
        connects(ends)


def test_crowd_that_stalls_in_the_handshake_is_small() -> None:
    """As many as are held at once, each with as much of a handshake as OpenSSL keeps, fit into a few MiB."""
    piece = b"\x16\x03\x01\x40\x00" + b"\x01\x01\xff\xf0" + bytes(0x4000 - 4)
    with Ends() as ends, ExitStack() as stack:
        listen(ends)
        before = resident()
        for _dummy in range(2 * listener_module.GUEST_LIMIT):
            sock = stack.enter_context(knock(ends))
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                sock.send(piece + piece[:5] + bytes(0x4000))
            listen(ends)
        assert 0 < len(ends.listener.guests) <= listener_module.GUEST_LIMIT
        assert resident() - before < 16 * MIB
        connects(ends)


def test_crowd_during_a_transfer() -> None:
    """10,000 connections without a certificate, a hundred at once, hold few descriptors; the transfer goes on."""
    with Ends(window=4 * MIB) as ends:
        ends.connect()
        for link in (ends.near, ends.far):
            link.open_window()
        payload, sent = os.urandom(16 * 1024), 0
        base, memory = descriptors(), resident()
        longest = most = 0.0
        for _dummy in range(CROWD // AT_ONCE):
            with ExitStack() as stack:
                for number in range(AT_ONCE):
                    sock = stack.enter_context(knock(ends))
                    if number % 3 == 0:
                        sock.send(b"GET / HTTP/1.1\r\n\r\n" if number % 2 else client_hello_once())
                started = time.monotonic()
                ends.near.send_data(payload)
                sent += 1
                ends.until(lambda: ends.near.delivered)
                longest = max(longest, time.monotonic() - started)
                # Nobody can say how the kernel treats a connection that does not fit into the backlog.
                while ends.listener.refused + len(ends.listener.guests) < AT_ONCE * sent:
                    ends.step()
                most = max(most, descriptors() - base - AT_ONCE)
        assert len(ends.arrived_far) == sent and ends.far_data() == payload * sent
        assert ends.near.losses == ends.far.losses == 0
        assert most <= listener_module.GUEST_LIMIT
        assert longest < 5.0
        assert resident() - memory < 32 * MIB
        ends.far_clock.skew += listener_module.GUEST_SECONDS + 1
        ends.until(lambda: not ends.listener.guests)
        assert descriptors() <= base
        assert ends.listener.refused == CROWD


def test_stranger_holds_no_buffers_of_the_peer() -> None:
    """Before anybody is known a connection takes tens of KiB, not the hundreds that a transfer needs."""
    with Ends() as ends, ExitStack() as stack:
        listen(ends)
        tracemalloc.start()
        try:
            for _dummy in range(listener_module.GUEST_LIMIT):
                stack.enter_context(knock(ends))
            while len(ends.listener.guests) < listener_module.GUEST_LIMIT:
                listen(ends)
            assert tracemalloc.get_traced_memory()[0] < 40_000 * listener_module.GUEST_LIMIT
        finally:
            tracemalloc.stop()


def test_stranger_is_forgotten_at_once() -> None:
    """What a dropped connection held is free without a garbage collection, which may not come for thousands of them."""
    with Ends() as ends:
        gc.collect()
        gc.disable()
        try:
            gone = []
            for sent in (b"", b"GET / HTTP/1.1\r\n\r\n"):
                with knock(ends) as sock:
                    while not ends.listener.guests:
                        ends.listener.accept()
                    gone += [weakref.ref(guest) for guest in ends.listener.guests]
                    sock.send(sent)
                while ends.listener.guests:
                    listen(ends)
            assert [reference() for reference in gone] == [None, None]
        finally:
            gc.enable()


_HELLO: list[bytes] = []


def client_hello_once() -> bytes:
    """The same hello again and again, which costs the stranger nothing and the listener a key exchange."""
    if not _HELLO:
        _HELLO.append(client_hello())
    return _HELLO[0]


def test_only_the_migration_address_is_listened_on() -> None:
    """A receiver of one network cannot be reached through another, and not at all when its session is over."""
    with Ends() as ends:
        port = ends.listener.port
        for address in ("127.0.0.2", "::1"):
            with pytest.raises(OSError):
                socket.create_connection((address, port), timeout=5)
        knock(ends).close()
        ends.connect()
        ends.listener.close()
        with pytest.raises(ConnectionRefusedError):
            knock(ends)


def test_second_peer_after_a_loss() -> None:
    """While the peer is away another process with its credentials does not take its place; the peer comes back."""
    with Ends(network=True) as ends:
        assert ends.network is not None
        ends.connect()
        ends.network.cut()
        for _dummy in range(5):
            listen(ends)
            with contextlib.suppress(Exception):
                ends.far.progress()
        assert not ends.far.up
        with client(ends, "sender") as sock:
            sock.send(Introduction(loopback.SESSION, "1" * 16, None, 0).encode(Kind.HELLO))
            deadline = time.monotonic() + 5
            while not ends.listener.refused and time.monotonic() < deadline:
                listen(ends)
            sock.setblocking(True)
            assert b"another process" in sock.recv(4096)
        ends.near.send_data(b"memory")
        ends.until(lambda: ends.far_data() == b"memory")


def test_one_connection_at_a_time() -> None:
    """The same process may connect again, and its older connection ends with that: it never has two."""
    with Ends() as ends:
        hello, before = Introduction(loopback.SESSION, "1" * 16, None, 0).encode(Kind.HELLO), descriptors()
        with ExitStack() as stack:
            socks = [stack.enter_context(client(ends, "sender")) for _dummy in range(8)]
            for number, sock in enumerate(socks):
                sock.send(hello)
                deadline = time.monotonic() + 5
                while ends.far.losses < number or not ends.far.up:
                    assert time.monotonic() < deadline
                    listen(ends)
            ends.far.progress()
            for number, sock in enumerate(socks):
                sock.setblocking(True)
                sock.settimeout(0.2)
                with contextlib.suppress(OSError):
                    sock.send(encode_header(Kind.DATA, 1, 0) + b"%d" % number)
            deadline = time.monotonic() + 5
            arrived: list[Frame] = []
            while not arrived and time.monotonic() < deadline:
                arrived = ends.far.progress()
            assert [bytes(frame.payload) for frame in arrived] == [b"7"]
            assert descriptors() - before - len(socks) == 1
