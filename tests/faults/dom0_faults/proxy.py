# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network between sender and receiver: it can be cut, can stall, both ways or one, or vanish for a while."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import threading
import time

_PIECE = 256 * 1024
_RESET = struct.pack("ii", 1, 0)


class _Pair:
    """One connection: the sender's end and the receiver's."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near, self.far = near, far
        self.stalled: set[socket.socket] = set()
        self.waiting = {near: b"", far: b""}

    def other(self, end: socket.socket) -> socket.socket:
        return self.far if end is self.near else self.near


class Proxy:
    """Forwards from a port of its own to the receiver's."""

    def __init__(self, port: int, listen: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self._target = port
        self._listener = socket.create_server(listen)
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[_Pair] = []
        self._dark_until = 0.0
        self._lock = threading.Lock()
        self._wake, self._woken = os.pipe()
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def up(self) -> bool:
        """Whether a connection is open."""
        return bool(self._pairs)

    def cut(self) -> None:
        """Reset every connection, as a router that lost its memory does; new ones work."""
        with self._lock:
            for pair in list(self._pairs):
                self._drop(pair, reset=True)

    def stall(self, out: bool = True, back: bool = True) -> None:
        """Let open connections carry nothing more from the sender (``out``), to it (``back``); new ones work."""
        with self._lock:
            for pair in self._pairs:
                pair.stalled |= ({pair.near} if out else set()) | ({pair.far} if back else set())

    def vanish(self, seconds: float) -> None:
        """Carry nothing at all for a while; what was open then breaks."""
        with self._lock:
            self._dark_until = time.monotonic() + seconds

    def close(self) -> None:
        """End it."""
        self._over = True
        os.write(self._woken, b"x")
        self._thread.join(5)
        for pair in list(self._pairs):
            self._drop(pair)
        self._listener.close()
        os.close(self._wake)
        os.close(self._woken)

    def _run(self) -> None:
        while not self._over:
            with self._lock, selectors.DefaultSelector() as selector:
                selector.register(self._wake, selectors.EVENT_READ)
                dark = self._dark()
                if not dark:
                    selector.register(self._listener, selectors.EVENT_READ)
                    for pair in self._pairs:
                        self._watch(selector, pair)
                self._lock.release()
                try:
                    events = selector.select(0.02)
                finally:
                    self._lock.acquire()
                for key, mask in events:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif isinstance(key.data, _Pair) and key.data in self._pairs:
                        self._move(key.data, key.fileobj, mask)  # type: ignore[arg-type]

    def _dark(self) -> bool:
        if not self._dark_until:
            return False
        if time.monotonic() < self._dark_until:
            return True
        self._dark_until = 0.0
        for pair in list(self._pairs):
            self._drop(pair, reset=True)
        return False

    @staticmethod
    def _watch(selector: selectors.BaseSelector, pair: _Pair) -> None:
        for end in (pair.near, pair.far):
            mask = 0
            if end not in pair.stalled and not pair.waiting[pair.other(end)]:
                mask |= selectors.EVENT_READ
            if pair.waiting[end] and pair.other(end) not in pair.stalled:
                mask |= selectors.EVENT_WRITE
            if mask:
                selector.register(end, mask, pair)

    def _accept(self) -> None:
        near, dummy = self._listener.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self._target), timeout=2)
        except OSError:
            near.close()
            return
        near.setblocking(False)
        far.setblocking(False)
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pairs.append(_Pair(near, far))

    def _move(self, pair: _Pair, end: socket.socket, mask: int) -> None:
        other = pair.other(end)
        try:
            if mask & selectors.EVENT_WRITE and other not in pair.stalled:
                pair.waiting[end] = pair.waiting[end][end.send(pair.waiting[end]) :]
            if mask & selectors.EVENT_READ and end not in pair.stalled and not pair.waiting[other]:
                data = end.recv(_PIECE)
                if not data:
                    self._drop(pair)
                    return
                pair.waiting[other] = data
        except BlockingIOError:
            return
        except OSError:
            self._drop(pair, reset=True)

    def _drop(self, pair: _Pair, reset: bool = False) -> None:
        if pair in self._pairs:
            self._pairs.remove(pair)
        for end in (pair.near, pair.far):
            if reset:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.close()
