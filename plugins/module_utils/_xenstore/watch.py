# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Being told of changes in XenStore, from inside an event loop (private to the collection)."""

from __future__ import annotations

import collections
import dataclasses
import os
import threading
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._xenstore.connection import Connection

INTRODUCE_DOMAIN = "@introduceDomain"
RELEASE_DOMAIN = "@releaseDomain"


@dataclasses.dataclass(frozen=True)
class WatchEvent:
    """A change: when it arrived (monotonic clock, nanoseconds) and the path that changed."""

    at_ns: int
    path: str


class DomainWatch:
    """Watches domains coming and going, and any other paths, in the background.

    Put it into a selector: it becomes readable when there is something to ``read()``. XenStore sends one event for
    each path at once when its watch is set; ``@releaseDomain`` comes when a domain shut down, suspended, or died.
    When the connection is lost, the watch becomes readable, ``lost`` is true, and no more events come.
    Raises PyxsMissing, XenStoreUnreachable, XenStoreTimeout, XenStoreError.
    """

    def __init__(
        self,
        paths: t.Iterable[str] = (),
        socket_path: str | None = None,
        timeout_s: float = 10.0,
        special: t.Iterable[str] = (INTRODUCE_DOMAIN, RELEASE_DOMAIN),
    ) -> None:
        self._events: collections.deque[WatchEvent] = collections.deque()
        self._lock = threading.Lock()
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._closed = False
        try:
            self._connection = Connection(socket_path, timeout_s, on_lost=self._wake)
            self._monitor = self._connection.client.monitor()
            # The thread of pyxs hands its events to us directly: one thread less, and the time is taken at once.
            self._monitor.events = self
            for path in (*special, *paths):
                self.add(path)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> DomainWatch:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def lost(self) -> bool:
        """Whether the connection to XenStore has ended; make a new watch then."""
        return self._connection.lost

    def fileno(self) -> int:
        """Return the descriptor that is readable while there are events, or once the connection is lost."""
        return self._reader

    def add(self, path: str) -> None:
        """Watch a path and everything below it as well."""
        # Each with a token of its own: pyxs hands out an event once for every watch that has its token.
        self._connection.call(self._monitor.watch, path.encode(), path.encode())

    def remove(self, path: str) -> None:
        """Watch a path no longer."""
        self._connection.call(self._monitor.unwatch, path.encode(), path.encode())

    def read(self) -> tuple[WatchEvent, ...]:
        """Return the events that have arrived since the last call, oldest first; does not wait."""
        with self._lock:
            if not self._closed:
                self._drain()
            events = tuple(self._events)
            self._events.clear()
        return events

    def put(self, event: t.Any) -> None:
        """Take an event; called by pyxs in its thread, in place of its own queue."""
        at_ns = time.monotonic_ns()
        with self._lock:
            self._events.append(WatchEvent(at_ns, event.path.decode("utf-8", "replace")))
        self._wake()

    def close(self) -> None:
        """End the watch; never waits longer than a second. The descriptor is closed."""
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._reader)
                os.close(self._writer)

    def _wake(self) -> None:
        with self._lock:
            if self._closed:
                return
            try:
                os.write(self._writer, b"\0")
            except BlockingIOError:
                return  # full: the reader is due to be woken anyway

    def _drain(self) -> None:
        try:
            while os.read(self._reader, 4096):
                pass
        except BlockingIOError:
            return
