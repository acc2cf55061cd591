# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both ends of a real link over loopback: real TLS, real sockets, and a network in between that can be broken."""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import select
import selectors
import socket
import ssl
import struct
import tempfile
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.dom0.xen.plugins.module_utils._link import tls
from ansible_collections.dom0.xen.plugins.module_utils._link.cover import Cover
from ansible_collections.dom0.xen.plugins.module_utils._link.dialer import Dialer
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkLost, Unreachable
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Frame, Kind
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._link.listener import Listener
from ansible_collections.dom0.xen.plugins.module_utils._link.route import Direct, Route
from ansible_collections.dom0.xen.plugins.plugin_utils._credentials import Credentials, make_credentials

SESSION = "0123456789abcdef"
PORTS = range(0, 1)
PIECE = 65536


@functools.cache
def credentials(who: str) -> Credentials:
    """Credentials of ``who``, made once."""
    return make_credentials(who)


def context(mine: Credentials, *, server: bool, peer: str) -> ssl.SSLContext:
    """A context of the link for these credentials."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("certificate.pem", "key.pem")]
        for path, content in zip(paths, (mine.certificate.encode(), mine.key), strict=True):
            with open(path, "wb") as handle:
                handle.write(content)
        return tls.context(server=server, certificate=paths[0], key=paths[1], peer_certificate=peer)


def reset(sock: socket.socket) -> None:
    """Close a socket so that the other end sees a reset."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def cover(mine: Credentials, *, server: bool, peer: str, plain: bool = False) -> Cover:
    """A cover of the link for these credentials."""
    return Cover(context(mine, server=server, peer=peer), peer, server, plain)


class Clock:
    """The monotonic clock, which a test may push forward."""

    def __init__(self) -> None:
        self.skew = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return time.monotonic() + self.skew


@dataclass
class Way:
    """One direction through the network: what has been taken from one end and not yet given to the other."""

    source: socket.socket
    target: socket.socket
    held: bytearray = field(default_factory=bytearray)
    seen: bytearray = field(default_factory=bytearray)
    passed: int = 0


class Network:
    """Passes bytes between the dialer and the listener; ``budgets`` says after how many each connection breaks.

    A budget is (bytes from the dialer, bytes to the dialer, whether the end is a reset); ``None`` never breaks.
    """

    def __init__(self, target: int) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)
        self._target = target
        self.port: int = self._listening.getsockname()[1]
        self.budgets: list[tuple[int | None, int | None, bool]] = []
        self.ways: list[tuple[Way, Way, tuple[int | None, int | None, bool]]] = []
        self.connections = 0
        self.stalled = {"up": False, "down": False}

    def step(self) -> None:
        """Move what can be moved now."""
        with contextlib.suppress(BlockingIOError):
            near = self._listening.accept()[0]
            far = socket.create_connection(("127.0.0.1", self._target))
            near.setblocking(False)
            far.setblocking(False)
            budget = self.budgets.pop(0) if self.budgets else (None, None, False)
            self.ways.append((Way(near, far), Way(far, near), budget))
            self.connections += 1
        for entry in list(self.ways):
            up, down, (most_up, most_down, as_reset) = entry
            alive = [
                self._move(way, most) if not self.stalled[name] else True
                for name, way, most in (("up", up, most_up), ("down", down, most_down))
            ]
            if not all(alive):
                self.ways.remove(entry)
                for sock in (up.source, up.target):
                    (reset if as_reset else socket.socket.close)(sock)

    def cut(self) -> None:
        """Break every connection now."""
        for up, _down, _budget in self.ways:
            reset(up.source)
            reset(up.target)
        self.ways.clear()

    def retarget(self, port: int) -> None:
        """Let new connections end somewhere else."""
        self._target = port

    def close(self) -> None:
        """Break everything and take no more connections."""
        self.cut()
        self._listening.close()

    def _move(self, way: Way, most: int | None) -> bool:
        try:
            if len(way.held) < PIECE:
                data = way.source.recv(PIECE)
                if not data:
                    return False
                way.held += data
                way.seen += data
        except BlockingIOError:
            pass
        except OSError:
            return False
        room = len(way.held) if most is None else min(len(way.held), most - way.passed)
        if way.held and room <= 0:
            return False
        try:
            count = way.target.send(way.held[:room]) if room else 0
        except BlockingIOError:
            return True
        except OSError:
            return False
        way.passed += count
        del way.held[:count]
        return True


@contextlib.contextmanager
def no_descriptor_left() -> t.Iterator[None]:
    """Let this process open nothing more."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


class Ends:
    """A dialer and a listener with their links, and what has arrived at each."""

    def __init__(
        self,
        *,
        network: bool = False,
        window: int = 1 << 20,
        session: str = SESSION,
        sender: str = "sender",
        receiver: str = "receiver",
        plain: bool = False,
        route: t.Callable[[Ends], Route] | None = None,
    ) -> None:
        """``sender`` and ``receiver`` say whose credentials each end shows; they always expect these two.

        ``route`` makes the dialer's way, when the listener and the network are there.
        """
        self.clock = Clock()
        self.far_clock = Clock()
        self.near = Link(self.clock, window=window)
        self.far = Link(self.far_clock, lambda: {"phase": "streaming"}, window=window)
        pinned_sender, pinned_receiver = credentials("sender").certificate, credentials("receiver").certificate
        self.listener = Listener(
            self.far,
            session=SESSION,
            address="127.0.0.1",
            ports=PORTS,
            cover=cover(credentials(receiver), server=True, peer=pinned_sender, plain=plain),
            clock=self.far_clock,
        )
        self.network = Network(self.listener.port) if network else None
        port = self.network.port if self.network else self.listener.port
        self.dialer = Dialer(
            self.near,
            session=session,
            route=route(self) if route else Direct("127.0.0.1", port),
            cover=cover(credentials(sender), server=False, peer=pinned_receiver, plain=plain),
            clock=self.clock,
        )
        self.arrived_far: list[Frame] = []
        self.arrived_near: list[Frame] = []
        self.unreachable: list[Unreachable] = []
        self.use_at_once = True

    def __enter__(self) -> Ends:
        """Nothing to do."""
        return self

    def __exit__(self, *dummy: object) -> None:
        """Close everything."""
        self.dialer.close()
        self.listener.close()
        self.near.detach()
        self.far.detach()
        if self.network is not None:
            self.network.close()

    def until(self, done: t.Callable[[], bool], seconds: float = 20.0) -> None:
        """Let both ends and the network work until ``done``."""
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError("nothing came of it")
            self.step()

    def connect(self) -> None:
        """Bring the link up at both ends."""
        self.until(lambda: self.near.up and self.far.up)

    def step(self) -> None:
        """One turn of both ends' loops, waiting as they ask to."""
        self._wait()
        if self.network is not None:
            self.network.step()
        self._near_turn()
        self._far_turn()

    def far_data(self) -> bytes:
        """All stream bytes that arrived at the listener's end."""
        return b"".join(bytes(frame.payload) for frame in self.arrived_far if frame.kind is Kind.DATA)

    def near_messages(self) -> list[t.Any]:
        """All messages that arrived at the dialer's end."""
        return [frame.document() for frame in self.arrived_near]

    def _near_turn(self) -> None:
        try:
            self.dialer.progress()
            arrived = self.near.progress()
            self.near.tick()
        except LinkLost:
            return
        except Unreachable as exc:
            self.unreachable.append(exc)
            return
        for frame in arrived:
            self.arrived_near.append(frame)
            self.near.use(frame)
        self.near.acknowledge()

    def _far_turn(self) -> None:
        self.listener.accept()
        self.listener.progress()
        try:
            arrived = self.far.progress()
            self.far.tick()
        except LinkLost:
            return
        for frame in arrived:
            self.arrived_far.append(frame)
            if self.use_at_once:
                self.far.use(frame)
        self.far.acknowledge()

    def _wait(self) -> None:
        poll = select.poll()
        current = self.near.connection or self.dialer
        watched = [(self.listener.fileno(), selectors.EVENT_READ), (current.fileno(), current.interest())]
        watched += [(guest.fileno(), guest.interest()) for guest in self.listener.guests]
        if self.far.connection is not None:
            watched.append((self.far.connection.fileno(), self.far.connection.interest()))
        for fd, events in watched:
            if fd >= 0:
                mask = select.POLLIN if events & selectors.EVENT_READ else 0
                poll.register(fd, mask | (select.POLLOUT if events & selectors.EVENT_WRITE else 0))
        waits = [self.dialer.wait(), self.listener.wait(), 0.002 if self.network else 0.5]
        poll.poll(int(1000 * min(wait for wait in waits if wait is not None)) + 1)
