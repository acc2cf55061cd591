# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thread that serves sockets and timers."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import selectors
import socket
import time
import typing as t


class Connection:
    """A non-blocking stream socket with an output buffer."""

    def __init__(self, loop: Loop, peer: socket.socket, received: t.Callable[[Connection, bytes], None]) -> None:
        self._loop = loop
        self._peer = peer
        self._received = received
        self._output = bytearray()
        self.closed: list[t.Callable[[], None]] = []
        peer.setblocking(False)
        loop.watch(peer, selectors.EVENT_READ, self._ready)

    def send(self, data: bytes) -> None:
        """Queue bytes, and send what the socket takes now."""
        if self._peer.fileno() < 0:
            return
        self._output += data
        self._flush()

    def _flush(self) -> None:
        try:
            while self._output:
                del self._output[: self._peer.send(self._output)]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._output else 0)
        self._loop.watch(self._peer, events, self._ready)

    def _ready(self, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush()
        if not events & selectors.EVENT_READ or self._peer.fileno() < 0:
            return
        try:
            data = self._peer.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._received(self, data)
        else:
            self.close()

    def close(self) -> None:
        """Close the socket, and tell those who asked to know."""
        if self._peer.fileno() < 0:
            return
        self._loop.forget(self._peer)
        self._peer.close()
        for callback in self.closed:
            callback()


class Loop:
    """Selector and timers."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, t.Callable[[], None]]] = []
        self._order = itertools.count()

    def watch(self, item: socket.socket | int, events: int, callback: t.Callable[[int], None]) -> None:
        """Call back with the events that are ready on a socket or descriptor."""
        try:
            self._selector.modify(item, events, callback)
        except KeyError:
            self._selector.register(item, events, callback)

    def forget(self, item: socket.socket) -> None:
        """Stop watching a socket."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(item)

    def later(self, seconds: float, callback: t.Callable[[], None]) -> None:
        """Call back after a time."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), callback))

    def listen(self, path: str, received: t.Callable[[Connection], t.Callable[[Connection, bytes], None]]) -> None:
        """Accept connections on a Unix socket; ``received`` makes the receiver of each."""
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        server.bind(path)
        server.listen(128)
        server.setblocking(False)

        def accept(dummy: int) -> None:
            with contextlib.suppress(BlockingIOError):
                peer, dummy_address = server.accept()
                connection = Connection(self, peer, lambda c, d: handler(c, d))  # pylint: disable=unnecessary-lambda
                handler = received(connection)

        self.watch(server, selectors.EVENT_READ, accept)

    def _is_watched(self, item: t.Any) -> bool:
        # A callback of the same round may have closed the socket; a closed one has no number to be looked up by.
        return isinstance(item, int) or (item.fileno() >= 0 and item in self._selector.get_map())

    def run(self) -> t.NoReturn:
        """Serve until the process ends."""
        while True:
            timeout = None
            if self._timers:
                timeout = max(0.0, self._timers[0][0] - time.monotonic())
            for key, events in self._selector.select(timeout):
                if self._is_watched(key.fileobj):
                    key.data(events)
            while self._timers and self._timers[0][0] <= time.monotonic():
                heapq.heappop(self._timers)[2]()
