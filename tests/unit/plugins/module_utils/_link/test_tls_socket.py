# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is lost, nothing blocks and nothing is believed too early in the socket that gathers TLS records."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import ssl
import time
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkLost, PeerNotPinned
from ansible_collections.dom0.xen.plugins.module_utils._link.tls_socket import (
    HANDSHAKE_PIECE_BYTES,
    PIECE_BYTES,
    TlsSocket,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link import loopback

SECONDS = 10.0

# A ServerHello that ends at once: whoever serves answers it with an alert.
NOT_A_CLIENT = b"\x16\x03\x03\x00\x04\x02\x00\x00\x00"


class Counting(socket.socket):
    """A socket that counts how often the kernel took something."""

    sends = 0

    def send(self, *arguments: t.Any) -> int:
        """Send and count."""
        count = super().send(*arguments)
        self.sends += 1
        return count


@contextlib.contextmanager
def connected() -> t.Iterator[tuple[Counting, Counting]]:
    """Both ends of a TCP connection. They have a time limit: one left as it is fails where it blocks."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        near = stack.enter_context(Counting(socket.AF_INET, socket.SOCK_STREAM))
        near.connect(listening.getsockname())
        accepted = listening.accept()[0]
        far = stack.enter_context(Counting(socket.AF_INET, socket.SOCK_STREAM, fileno=accepted.detach()))
        near.settimeout(SECONDS)
        far.settimeout(SECONDS)
        yield near, far


def context(who: str, *, server: bool) -> ssl.SSLContext:
    """What an end shows that has the credentials of ``who``; it trusts the right peer."""
    peer = loopback.credentials("sender" if server else "receiver").certificate
    return loopback.context(loopback.credentials(who), server=server, peer=peer)


def served(sock: socket.socket, who: str = "receiver") -> TlsSocket:
    """The receiver's end."""
    return TlsSocket(sock, context(who, server=True), server=True)


class Pair:
    """A sender and a receiver."""

    def __init__(self, sockets: tuple[Counting, Counting], sender: str = "sender", receiver: str = "receiver") -> None:
        self.sockets = sockets
        self.near = TlsSocket(sockets[0], context(sender, server=False), server=False)
        self.far = served(sockets[1], receiver)

    def shake_hands(self) -> None:
        """Until both say that it is done."""
        near = far = False
        deadline = time.monotonic() + SECONDS
        while not near or not far:
            assert time.monotonic() < deadline
            near = near or self.near.shake_hands()
            far = far or self.far.shake_hands()

    def verify(self) -> None:
        """Both know each other."""
        self.near.verify_pinned(loopback.credentials("receiver").certificate)
        self.far.verify_pinned(loopback.credentials("sender").certificate)


@contextlib.contextmanager
def pair(sender: str = "sender", receiver: str = "receiver", *, shaken: bool = True) -> t.Iterator[Pair]:
    """A sender and a receiver with these credentials."""
    with connected() as sockets:
        ends = Pair(sockets, sender, receiver)
        if shaken:
            ends.shake_hands()
            ends.verify()
        yield ends


def noise(size: int) -> bytes:
    """Bytes that tell their places."""
    return random.Random(size).randbytes(size)


def wait_for(sock: socket.socket, size: int) -> None:
    """Until so many bytes can be received at once."""
    view, count, deadline = bytearray(size), 0, time.monotonic() + SECONDS
    while count < size:
        assert time.monotonic() < deadline
        with contextlib.suppress(BlockingIOError):
            count = sock.recv_into(view, size, socket.MSG_PEEK)
        time.sleep(0.001)


def hung_up(sock: socket.socket) -> None:
    """Until the kernel knows that the peer has closed or reset the connection."""
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    assert poll.poll(SECONDS * 1000)


def receive(target: TlsSocket, size: int, *, source: TlsSocket | None = None, room: int = 100_000) -> bytes:
    """What arrives, ``room`` bytes at most with one call, until there are ``size``; ``source`` goes on sending."""
    got, view, deadline = bytearray(), memoryview(bytearray(room)), time.monotonic() + SECONDS
    while len(got) < size:
        assert time.monotonic() < deadline
        if source is not None:
            source.flush()
        count = target.read_into(view)
        got += view[:count]
        if not count:
            target.fetch()
    return bytes(got)


def fails(step: t.Callable[[], object]) -> Exception:
    """What ``step`` raises in the end."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            step()
        except (OSError, LinkLost) as exc:
            return exc
    raise AssertionError("nothing was raised")


PIECES = st.lists(st.tuples(st.booleans(), st.integers(1, 70_000)), min_size=1, max_size=6)


@settings(max_examples=25)
@given(PIECES, st.sampled_from([1_000, 16_384, 16_385, 300_000]))
def test_what_is_written_arrives(pieces: list[tuple[bool, int]], room: int) -> None:
    """Pieces of any size reach the other end whole and in order, in both directions, wherever records end."""
    with pair() as ends:
        for up, size in pieces:
            (ends.near if up else ends.far).write(memoryview(noise(size)))
        for source, target, way in ((ends.near, ends.far, True), (ends.far, ends.near, False)):
            wanted = b"".join(noise(size) for up, size in pieces if up is way)
            assert receive(target, len(wanted), source=source, room=room) == wanted
            assert not source.leaving and not target.fetch() and not target.read_into(memoryview(bytearray(1)))


def test_handshake_uses_what_it_fetched() -> None:
    """One call takes each step that can be taken: no selector would tell of what was fetched and left lying."""
    with pair(shaken=False) as ends:
        assert not ends.near.shake_hands()
        wait_for(ends.sockets[1], 1)
        assert not ends.far.shake_hands()
        wait_for(ends.sockets[0], 1)
        assert ends.near.shake_hands()
        wait_for(ends.sockets[1], 1)
        assert ends.far.shake_hands()


def test_data_right_behind_the_handshake() -> None:
    """What came along with the last of the handshake is there although no selector tells of it."""
    with pair(shaken=False) as ends:
        while not ends.near.shake_hands():
            assert not ends.far.shake_hands()
        ends.near.write(memoryview(b"memory"))
        assert ends.near.flush()
        while not ends.far.shake_hands():
            pass
        assert receive(ends.far, 6) == b"memory"


def test_target_is_filled_whatever_the_records() -> None:
    """What was fetched is given out over the ends of records, and what finds no room is there the next time."""
    with pair() as ends:
        for data in (b"one", b"two"):
            ends.near.write(memoryview(data))
        size = ends.near._outgoing.pending
        assert ends.near.flush()
        wait_for(ends.sockets[1], size)
        assert ends.far.fetch() == size
        target = memoryview(bytearray(4))
        assert ends.far.read_into(target) == 4 and bytes(target) == b"onet"
        assert ends.far.read_into(target) == 2 and bytes(target[:2]) == b"wo"


def test_many_records_take_few_system_calls() -> None:
    """A dom0 pays for each call: sixteen records leave with a few."""
    with pair() as ends:
        before = ends.sockets[0].sends
        ends.near.write(memoryview(noise(PIECE_BYTES)))
        while not ends.near.flush():
            ends.far.fetch()
        assert ends.sockets[0].sends - before <= 4


def test_small_pieces_do_not_wait() -> None:
    """A message leaves at once, though the peer has not yet acknowledged what went before."""
    with pair(shaken=False) as ends:
        assert all(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for sock in ends.sockets)


def test_nothing_blocks_without_a_peer_that_talks() -> None:
    """A caller that asks too early is told so at once, in every method."""
    with pair(shaken=False) as ends:
        started = time.monotonic()
        assert ends.far.fetch() == 0
        assert not ends.far.shake_hands()
        assert not ends.near.shake_hands()
        assert ends.near.flush() and not ends.near.leaving
        ends.shake_hands()
        assert ends.near.fetch() == 0
        assert ends.near.read_into(memoryview(bytearray(10))) == 0
        assert time.monotonic() - started < SECONDS / 2


def test_peer_that_does_not_read() -> None:
    """What the kernel does not take is kept and told of, more can be written, and all of it arrives later in order."""
    with pair() as ends:
        wanted = bytearray()
        while ends.near.flush():
            assert not ends.near.leaving and len(wanted) < 1 << 28
            ends.near.write(memoryview(noise(1 << 20)))
            wanted += noise(1 << 20)
        for _dummy in range(3):
            assert not ends.near.flush() and ends.near.leaving
            ends.near.write(memoryview(noise(100_000)))
            wanted += noise(100_000)
        assert receive(ends.far, len(wanted), source=ends.near, room=1 << 20) == wanted
        assert ends.near.flush() and not ends.near.leaving


def test_peer_that_closes_before_the_handshake() -> None:
    """A connection that ends in the handshake is lost, which is no fault of a certificate."""
    with pair(shaken=False) as ends:
        ends.near.close()
        assert isinstance(fails(ends.far.shake_hands), LinkLost)


def test_peer_that_closes() -> None:
    """What it sent before is read; then the connection is lost, and stays so."""
    with pair() as ends:
        ends.near.write(memoryview(noise(50_000)))
        assert ends.near.flush()
        ends.near.close()
        assert receive(ends.far, 50_000) == noise(50_000)
        for _dummy in range(2):
            with pytest.raises(LinkLost, match="closed"):
                ends.far.fetch()
            assert ends.far.read_into(memoryview(bytearray(1))) == 0


def test_peer_that_says_goodbye() -> None:
    """The close that TLS knows is the end as well, not an empty read that would be tried again for ever."""
    with pair() as ends:
        with pytest.raises(ssl.SSLWantReadError):
            ends.near._tls.unwrap()
        assert ends.near.flush()
        with pytest.raises(LinkLost, match="closed"):
            receive(ends.far, 1)


@pytest.mark.parametrize("step", [TlsSocket.fetch, TlsSocket.flush])
def test_peer_that_resets(step: t.Callable[[TlsSocket], object]) -> None:
    """A reset is an error of the socket, in whatever is done next."""
    with pair() as ends:
        ends.far.write(memoryview(b"x"))
        loopback.reset(ends.sockets[0])
        hung_up(ends.sockets[1])
        with pytest.raises(OSError):
            step(ends.far)


def test_what_was_changed_on_the_way() -> None:
    """A record that is not the peer's is an error and gives no byte."""
    with pair() as ends:
        ends.sockets[0].send(b"\x17\x03\x03\x00\x20" + noise(32))
        wait_for(ends.sockets[1], 37)
        assert ends.far.fetch() == 37
        with pytest.raises(ssl.SSLError, match="(?i)bad record mac"):
            ends.far.read_into(memoryview(bytearray(100)))


@pytest.mark.parametrize(("sender", "receiver"), [("somebody", "receiver"), ("sender", "somebody")])
def test_wrong_certificate_is_told_to_the_peer(sender: str, receiver: str) -> None:
    """Whoever shows it learns from an alert that its certificate was the reason, so that it need not try again."""
    with pair(sender, receiver, shaken=False) as ends:
        if receiver == "somebody":
            error = fails(lambda: ends.near.shake_hands() or ends.far.shake_hands())
            ends.near.close()
            alert = fails(ends.far.shake_hands)
        else:
            # The sender is done before the receiver has seen its certificate.
            while not ends.near.shake_hands():
                assert not ends.far.shake_hands()
            error = fails(ends.far.shake_hands)
            ends.far.close()
            alert = fails(lambda: receive(ends.near, 1))
        assert isinstance(error, ssl.SSLCertVerificationError)
        assert isinstance(alert, ssl.SSLError) and "ALERT_UNKNOWN_CA" in alert.reason


def test_alert_that_cannot_leave() -> None:
    """Why the handshake failed is told here even if the peer has gone: the reset would hide the reason."""
    with connected() as (near, far):
        end = served(far)
        near.send(NOT_A_CLIENT)
        wait_for(far, len(NOT_A_CLIENT))
        assert end.fetch() == len(NOT_A_CLIENT)
        loopback.reset(near)
        hung_up(far)
        with pytest.raises(ssl.SSLError, match="(?i)unexpected message"):
            end.shake_hands()
        assert end.leaving


def test_stranger_gets_little_memory() -> None:
    """Before the peer is known one call takes a small piece, however much there is."""
    with connected() as (near, far):
        end = served(far)
        near.send(noise(3 * HANDSHAKE_PIECE_BYTES))
        wait_for(far, 3 * HANDSHAKE_PIECE_BYTES)
        assert end.fetch() == HANDSHAKE_PIECE_BYTES
        with pytest.raises(ssl.SSLError):
            end.shake_hands()
        wait_for(far, 2 * HANDSHAKE_PIECE_BYTES)


def test_pinned_peer_gets_more() -> None:
    """Only the one certificate opens the large piece: a finished handshake does not, and another one does not."""
    with pair(shaken=False) as ends:
        ends.shake_hands()
        # Less than the smallest window that a kernel begins with.
        data = noise(60_000)
        ends.near.write(memoryview(data))
        assert ends.near.flush()
        wait_for(ends.sockets[1], len(data))
        assert ends.far.fetch() == HANDSHAKE_PIECE_BYTES
        for who in ("receiver", "somebody"):
            with pytest.raises(PeerNotPinned):
                ends.far.verify_pinned(loopback.credentials(who).certificate)
        assert ends.far.fetch() == HANDSHAKE_PIECE_BYTES
        ends.far.verify_pinned(loopback.credentials("sender").certificate)
        assert ends.far.fetch() > HANDSHAKE_PIECE_BYTES
        assert receive(ends.far, len(data)) == data


def test_close() -> None:
    """The peer sees the end, and the descriptor is given back."""
    with pair() as ends:
        assert ends.near.fileno() == ends.sockets[0].fileno() >= 0
        ends.near.close()
        assert ends.near.fileno() == -1
        assert isinstance(fails(ends.far.fetch), LinkLost)
