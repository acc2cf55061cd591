# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the stream goes: into the file as it is, or compressed (private to the collection).

Methods raise :class:`OSError` as ``write`` does, and CompressionFailed.
"""

from __future__ import annotations

import subprocess
import tempfile
import typing as t
import zlib

from ansible_collections.dom0.xen.plugins.module_utils._image.opening import GZIP, NONE, ZSTD
from ansible_collections.dom0.xen.plugins.module_utils._saving.errors import CompressionFailed, NoRoom
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import write_all
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import environment

COMPRESSIONS = (NONE, GZIP, ZSTD)
# The guest stands still meanwhile, so what is fast counts.
_LEVEL = 1
_WAIT_S = 60.0
_SAID_BYTES = 2000


class Sink(t.Protocol):
    """Takes the stream."""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""

    def finish(self) -> None:
        """Write what is held back; there are no more bytes."""

    def abandon(self) -> None:
        """End at once, whatever becomes of the file."""


class Plain:
    """As it is, into a descriptor."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        write_all(self._fd, data)

    def finish(self) -> None:
        """Nothing is held back."""

    def abandon(self) -> None:
        """Nothing is held."""


class Gzip:
    """Compressed by zlib in this process."""

    def __init__(self, fd: int) -> None:
        self._plain = Plain(fd)
        self._zlib = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._plain.write(self._zlib.compress(data))

    def finish(self) -> None:
        """Write what zlib holds."""
        self._plain.write(self._zlib.flush())

    def abandon(self) -> None:
        """Nothing is held."""


class Zstd:
    """Compressed by the program zstd, which writes the file itself."""

    def __init__(self, fd: int, program: str) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as this
        self._process = subprocess.Popen(  # pylint: disable=ansible-bad-function  # its input is larger than any memory
            [program, f"-{_LEVEL}", "-q", "-c"],
            stdin=subprocess.PIPE,
            stdout=fd,
            stderr=self._said,
            env=environment(),
            bufsize=0,
            # A signal to the module's group is the module's to act on.
            start_new_session=True,
        )

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        pipe = self._process.stdin
        view = memoryview(data)
        try:
            while view and pipe is not None:
                view = view[pipe.write(view) or 0 :]
        except BrokenPipeError:
            self.finish()
            raise CompressionFailed("zstd has ended early") from None

    def finish(self) -> None:
        """Wait until the program has written everything."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            status = self._process.wait(_WAIT_S)
        except subprocess.TimeoutExpired:
            self.abandon()
            raise CompressionFailed(f"zstd did not end within {_WAIT_S:g} s") from None
        if status:
            self._said.seek(0)
            said = " ".join(self._said.read(_SAID_BYTES).decode("utf-8", "replace").split())
            kind = NoRoom if "No space left" in said else CompressionFailed
            raise kind(f"zstd ended with status {status}: {said or 'no message'}")

    def abandon(self) -> None:
        """Kill the program."""
        self._process.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def sink(compression: str, fd: int, zstd: str | None) -> Sink:
    """Return what writes to ``fd``; ``zstd`` is where that program is. Raises :class:`OSError`."""
    if compression == GZIP:
        return Gzip(fd)
    return Zstd(fd, zstd or ZSTD) if compression == ZSTD else Plain(fd)
