# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small XenStore client for xl: the requests libxl makes while it suspends a guest, and one watch at a time."""

from __future__ import annotations

import pathlib
import select
import socket
import time

from ..machine.messages import Kind, Message, take


class StoreRefused(Exception):
    """XenStore answered with an error; the text is its name."""


class StoreClient:
    """One connection to XenStore."""

    def __init__(self, path: pathlib.Path) -> None:
        self._peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._peer.connect(str(path))
        self._buffer = bytearray()
        self._events = 0

    def _receive(self, timeout: float | None) -> Message | None:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            message = take(self._buffer)
            if message is not None:
                return message
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self._peer], [], [], left)[0]:
                return None
            data = self._peer.recv(65536)
            if not data:
                raise ConnectionError("xenstored has gone")
            self._buffer += data

    def _request(self, kind: Kind, payload: bytes, transaction: int = 0) -> bytes:
        self._peer.sendall(Message(kind, 1, transaction, payload).encode())
        while True:
            message = self._receive(None)
            if message is None or message.kind == Kind.WATCH_EVENT:
                self._events += 1
                continue
            if message.kind == Kind.ERROR:
                raise StoreRefused(message.payload.rstrip(b"\0").decode())
            return message.payload

    def read(self, path: str, transaction: int = 0) -> str | None:
        """Return a node's value, None where there is none."""
        try:
            return self._request(Kind.READ, path.encode() + b"\0", transaction).decode()
        except StoreRefused as exc:
            if str(exc) == "ENOENT":
                return None
            raise

    def write(self, path: str, value: str, transaction: int = 0) -> None:
        """Write a node."""
        self._request(Kind.WRITE, path.encode() + b"\0" + value.encode(), transaction)

    def remove(self, path: str) -> None:
        """Remove a node."""
        self._request(Kind.RM, path.encode() + b"\0")

    def directory(self, path: str) -> list[str]:
        """Return the names below a node."""
        return [name.decode() for name in self._request(Kind.DIRECTORY, path.encode() + b"\0").split(b"\0") if name]

    def begin(self) -> int:
        """Start a transaction."""
        return int(self._request(Kind.TRANSACTION_START, b"\0").rstrip(b"\0"))

    def commit(self, transaction: int) -> bool:
        """End a transaction; False when it has to be done again."""
        try:
            self._request(Kind.TRANSACTION_END, b"T\0", transaction)
        except StoreRefused as exc:
            if str(exc) == "EAGAIN":
                return False
            raise
        return True

    def watch(self, path: str) -> None:
        """Watch a path; it is its own token."""
        self._request(Kind.WATCH, path.encode() + b"\0" + path.encode() + b"\0")

    def unwatch(self, path: str) -> None:
        """Stop watching a path."""
        self._request(Kind.UNWATCH, path.encode() + b"\0" + path.encode() + b"\0")

    def wait(self, seconds: float | None) -> bool:
        """Wait for an event; False when the time has passed without one."""
        if self._events:
            self._events -= 1
            return True
        return self._receive(seconds) is not None

    def resume(self, domid: int) -> None:
        """Tell XenStore that a suspended domain runs again."""
        self._request(Kind.RESUME, b"%d\0" % domid)

    def close(self) -> None:
        """Close the connection."""
        self._peer.close()
