# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unix sockets in a session's folders (private to the collection).

sun_path is short, and the folder may be deep: the descriptor of the folder leads there as well.
"""

from __future__ import annotations

import contextlib
import os
import socket
import typing as t


def listen_in(folder: str, name: str, kind: int = socket.SOCK_STREAM, clients: int = 1) -> socket.socket:
    """Return a socket that listens under this name in the folder, for so many who wait. Raises OSError."""
    listener = socket.socket(socket.AF_UNIX, kind)
    with _within(folder, name) as path:
        listener.bind(path)
    listener.listen(clients)
    return listener


def connect_in(folder: str, name: str, kind: int = socket.SOCK_STREAM, timeout: float | None = None) -> socket.socket:
    """Return a socket that is connected to the one that listens there; ``timeout`` in seconds. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.settimeout(timeout)
    try:
        with _within(folder, name) as path:
            sock.connect(path)
    except OSError:
        sock.close()
        raise
    return sock


@contextlib.contextmanager
def _within(folder: str, name: str) -> t.Iterator[str]:
    directory = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{name}"
    finally:
        os.close(directory)
