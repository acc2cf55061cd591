# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipes between ``xl`` and a session (private to the collection)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import termios
import typing as t

# Large enough to keep both sides busy. What is in a pipe when the guest is suspended is stop time, but the suspend
# takes longer than emptying this; with 64 KiB all rounds after the first were a third slower in the lab.
PIPE_BYTES = 256 * 1024
READ_BYTES = PIPE_BYTES

_F_SETPIPE_SZ = 1031
_COUNT = struct.Struct("=i")


def enlarge(fd: int, size: int = PIPE_BYTES) -> None:
    """Give a pipe a larger buffer where the kernel allows it."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(fd, _F_SETPIPE_SZ, size)


def unread(fd: int) -> int:
    """Return how many bytes are in a pipe that nobody has read yet (FIONREAD)."""
    count = bytearray(_COUNT.size)
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return int(_COUNT.unpack(count)[0])


def forward(source: int, target: int) -> None:
    """Pass everything from one pipe to another, to the end of the first; raises OSError as ``write`` does.

    From Python 3.10 on no byte goes through this process (splice(2)).
    """
    splice: t.Callable[[int, int, int], int] | None = getattr(os, "splice", None)
    if splice is not None:
        while splice(source, target, READ_BYTES):
            pass
        return
    while True:
        data = os.read(source, READ_BYTES)
        if not data:
            return
        write_all(target, data)


def write_all(target: int, data: bytes) -> None:
    """Write all of it; raises OSError as ``write`` does."""
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]


def read_exactly(source: int, size: int) -> bytes:
    """Return ``size`` bytes, fewer only where the pipe ends before."""
    data = b""
    while len(data) < size:
        piece = os.read(source, size - len(data))
        if not piece:
            break
        data += piece
    return data
