# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decompressing while reading: never more than what is asked for is held, whatever the file says.

Each decoder reads from a file object without a buffer. What was sound before the damage is returned first.
"""

from __future__ import annotations

import lzma
import subprocess
import typing as t
import zlib

from ansible_collections.dom0.xen.plugins.module_utils._image.errors import CUT, CompressionDamaged, MemoryNeeded
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import TruncatedStream, printable

READ = 64 << 10
MEMORY_MIB = 24
"""What decompressing may take: enough for ``xz -7`` (19 MiB) and ``zstd -19`` (9 MiB), not for ``xz -8`` (33 MiB) or
``zstd --long`` (128 MiB)."""
# zstd reads frames of other formats behind one of its own, xz with a dictionary as large as that likes, and takes its
# limit for zstd's alone. This is for the whole process, whose threads have stacks.
_PROCESS_KIB = 64 << 10
# Set before the program begins: from outside, it would have taken its memory by then. One that is set lower stays.
_LIMITED = f'ulimit -d {_PROCESS_KIB} 2>/dev/null; exec "$0" "$@"'
TOO_MUCH = f"decompressing the file takes more than {MEMORY_MIB} MiB of memory"
_STDERR_MAX = 4096


class Reader(t.Protocol):
    """Where the bytes of a stream come from."""

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at the end."""

    def close(self) -> None:
        """Give up what is held."""


class Decoder(t.Protocol):
    """One compressed stream of those that a file may be joined of."""

    @property
    def eof(self) -> bool:
        """Whether it has come to its end."""

    @property
    def unused_data(self) -> bytes:
        """What followed its end."""

    @property
    def needs_input(self) -> bool:
        """Whether it has nothing more to give without new input."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most ``max_length`` bytes; what is left of ``data`` is kept."""


class Gzip:
    """zlib's decoder, made to look like lzma's."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Whether it has come to its end."""
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        """What followed its end."""
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most ``max_length`` bytes."""
        found = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self.needs_input = not self._zlib.unconsumed_tail and len(found) < max_length
        return found


def new_xz() -> Decoder:
    """Return a decoder for xz."""
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_MIB << 20)


class Decompressed:
    """One compressed stream after the other, with zeros behind each, as gzip and xz allow it."""

    def __init__(self, file: t.BinaryIO, new: t.Callable[[], Decoder]) -> None:
        self._file = file
        self._new = new
        self._decoder = new()
        self._position = 0

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at the end.

        Raises TruncatedStream, CompressionDamaged, MemoryNeeded, and OSError.
        """
        while True:
            data = b""
            if self._decoder.eof:
                data = self._next()
                if not data:
                    return b""
            elif self._decoder.needs_input:
                data = self._file.read(READ)
                if not data:
                    raise cut(self._position)
            found = self._decompress(data, size)
            self._position += len(found)
            if found:
                return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _decompress(self, data: bytes, size: int) -> bytes:
        try:
            return self._decoder.decompress(data, size)
        except (lzma.LZMAError, zlib.error) as exc:
            if "memory usage limit" in str(exc).lower():
                raise MemoryNeeded(TOO_MUCH) from exc
            raise CompressionDamaged(f"the file cannot be decompressed: {exc}", position=self._position) from exc

    def _next(self) -> bytes:
        data = self._decoder.unused_data.lstrip(b"\0")
        while not data:
            more = self._file.read(READ)
            if not more:
                return b""
            data = more.lstrip(b"\0")
        self._decoder = self._new()
        return data


class Zstd:
    """The program zstd, which reads the file itself."""

    def __init__(self, file: t.BinaryIO, program: str) -> None:
        self._file = file
        self._position = 0
        self._child = subprocess.Popen(  # pylint: disable=ansible-bad-function  # its output is larger than any memory
            ["/bin/sh", "-c", _LIMITED, program, "-d", "-c", "-q", f"--memory={MEMORY_MIB}MB"],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at the end.

        Raises TruncatedStream, CompressionDamaged, and MemoryNeeded.
        """
        if self._child.stdout is None or self._child.stderr is None:
            return b""
        found = self._child.stdout.read(size) or b""
        self._position += len(found)
        if not found:
            said = self._child.stderr.read(_STDERR_MAX) or b""
            if self._child.wait():
                raise self._error(said)
        return found

    def close(self) -> None:
        """End the program and close the file."""
        self._child.kill()
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()
        self._child.wait()
        self._file.close()

    def _error(self, said: bytes) -> Exception:
        if b"premature" in said or b"truncated" in said:
            return cut(self._position)
        # LZMA_MEM_ERROR, for the limit of the process.
        if (b"emory" in said and b"indow" in said) or b"lzma_code decoding error 5" in said:
            return MemoryNeeded(TOO_MUCH)
        shown = printable(b" ".join(said.split()))
        return CompressionDamaged(f"the file cannot be decompressed: {shown}", position=self._position)


def cut(position: int) -> TruncatedStream:
    """Return the error of a compressed file that ends before its compression does."""
    return TruncatedStream("the compressed file ends in the middle", position=position, remedy=CUT)
