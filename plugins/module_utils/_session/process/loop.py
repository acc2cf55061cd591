# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for descriptors, children and signals in one place (private to the collection)."""

from __future__ import annotations

import os
import select
import selectors
import signal
import typing as t

# A descriptor and the selector events it is watched for.
Source = t.Tuple[int, int]


class Loop:
    """Waits for the descriptors given, for the end of a child, and for SIGTERM.

    Only one may exist in a process. SIGINT and SIGHUP are ignored: a session belongs to no terminal.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._poll = select.poll()
        self._poll.register(self._read, select.POLLIN)
        self._watched: dict[int, int] = {}
        for fd in (self._read, self._write):
            os.set_blocking(fd, False)
        self.terminate = False
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda dummy, dummy2: None)
        signal.signal(signal.SIGTERM, self._terminate)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    def wait(self, sources: t.Iterable[Source], timeout: float) -> dict[int, int]:
        """Return what happened by descriptor, as selector events, after at most ``timeout`` seconds."""
        wanted: dict[int, int] = {}
        for fd, events in sources:
            if fd >= 0 and events:
                wanted[fd] = wanted.get(fd, 0) | events
        if wanted != self._watched:
            self._watch(wanted)
        happened: dict[int, int] = {}
        for fd, mask in self._poll.poll(max(0, int(timeout * 1000) + 1)):
            if fd == self._read:
                self._drain()
                continue
            closed = mask & (select.POLLHUP | select.POLLERR | select.POLLNVAL)
            read = selectors.EVENT_READ if mask & select.POLLIN or closed else 0
            write = selectors.EVENT_WRITE if mask & select.POLLOUT or closed else 0
            happened[fd] = (read | write) & wanted[fd] or read
        return happened

    def close(self) -> None:
        """Stop listening to signals."""
        signal.set_wakeup_fd(-1)
        for fd in (self._read, self._write):
            os.close(fd)

    def _watch(self, wanted: dict[int, int]) -> None:
        for fd in self._watched.keys() - wanted.keys():
            self._poll.unregister(fd)
        for fd, events in wanted.items():
            mask = select.POLLIN if events & selectors.EVENT_READ else 0
            self._poll.register(fd, mask | (select.POLLOUT if events & selectors.EVENT_WRITE else 0))
        self._watched = wanted

    def _terminate(self, dummy: int, dummy2: t.Any) -> None:
        self.terminate = True

    def _drain(self) -> None:
        try:
            while os.read(self._read, 4096):
                pass
        except BlockingIOError:
            pass
