# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hears from every process that has come to a point, and lets it wait until the deed is done."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import threading
import typing as t


class Conductor:
    """``reached(host, point)`` is called in a thread of its own; the process at the point waits for its return."""

    def __init__(self, path: pathlib.Path, reached: t.Callable[[str, str], None]) -> None:
        self.path = path
        self._reached = reached
        self.errors: list[str] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; whoever waits goes on."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(30)

    def _run(self) -> None:
        while True:
            try:
                connection, dummy = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    text = connection.makefile().readline()
                    if text:
                        host, dummy2, point = text.split()
                        self._reached(host, point)
                        connection.sendall(b"k")
                except BrokenPipeError:
                    continue
                except Exception as exc:
                    self.errors.append(repr(exc))
