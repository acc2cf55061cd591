# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening a file that may hold a stream: what it is, how it is compressed, and reading it in order."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._image.decoders import (
    Decompressed,
    Gzip,
    Reader,
    Zstd,
    new_xz,
)
from ansible_collections.dom0.xen.plugins.module_utils._image.errors import (
    FileMissing,
    FileUnreadable,
    NotAFile,
    ZstdMissing,
)

NONE = "none"
GZIP = "gzip"
XZ = "xz"
ZSTD = "zstd"
_MAGICS = ((b"\x1f\x8b", GZIP), (b"\xfd7zXZ\0", XZ), (b"\x28\xb5\x2f\xfd", ZSTD))
_MAGIC_MAX = 6


class Plain:
    """A file as it is."""

    def __init__(self, file: t.BinaryIO) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        return self._file.read(size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def skip(self, size: int) -> int:
        """Jump over at most ``size`` bytes, never over the file's end; returns how many."""
        left = os.fstat(self._file.fileno()).st_size - self._file.tell()
        jumped = max(0, min(size, left))
        self._file.seek(jumped, os.SEEK_CUR)
        return jumped


class Image:
    """An open file: its size in bytes, how it is compressed, and its stream."""

    def __init__(self, path: str, size: int, compression: str, reader: Reader) -> None:
        self.size = size
        self.compression = compression
        self._path = path
        self._reader = reader

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes of the stream, none at its end. Raises FileUnreadable and what decoders do."""
        try:
            return self._reader.read(size)
        except OSError as exc:
            raise _unreadable(self._path, exc) from exc

    def skip(self, size: int) -> int:
        """Jump over at most ``size`` bytes without reading them; returns how many. 0 in what is compressed."""
        return self._reader.skip(size) if isinstance(self._reader, Plain) else 0


@contextlib.contextmanager
def opened(path: str, zstd: str | None) -> t.Iterator[Image]:
    """Open a file for the block; ``zstd`` is where the program is, if it is there.

    Raises FileMissing, FileUnreadable, NotAFile, or ZstdMissing.
    """
    file = _open(path)
    with contextlib.ExitStack() as stack:
        stack.callback(file.close)
        try:
            size = os.fstat(file.fileno()).st_size
            compression = recognise(file.read(_MAGIC_MAX))
            file.seek(0)
            reader = _reader(path, file, compression, zstd)
        except OSError as exc:
            raise _unreadable(path, exc) from exc
        stack.callback(reader.close)
        yield Image(path, size, compression, reader)


def recognise(magic: bytes) -> str:
    """Return how a file that begins so is compressed; its name does not count."""
    return next((name for known, name in _MAGICS if magic.startswith(known)), NONE)


def _open(path: str) -> t.BinaryIO:
    try:
        # Before it is opened: opening a device may do something to it, and a pipe would wait for its other side.
        _require_regular(path, os.stat(path))
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as exc:
        raise _unreadable(path, exc) from exc
    file = os.fdopen(handle, "rb", buffering=0)
    try:
        _require_regular(path, os.fstat(handle))
    except NotAFile:
        file.close()
        raise
    return t.cast(t.BinaryIO, file)


def _require_regular(path: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NotAFile(f"{path} is not a regular file", path=path)


def _reader(path: str, file: t.BinaryIO, compression: str, zstd: str | None) -> Reader:
    if compression == GZIP:
        return Decompressed(file, Gzip)
    if compression == XZ:
        return Decompressed(file, new_xz)
    if compression != ZSTD:
        return Plain(file)
    if zstd is None:
        raise ZstdMissing(f"{path} is compressed with zstd, and this host has no program zstd", path=path)
    if shutil.which(zstd) is None:
        raise ZstdMissing(f"{path} is compressed with zstd, and {zstd} cannot be run", path=path)
    return Zstd(file, zstd)


def _unreadable(path: str, exc: OSError) -> Dom0XenError:
    if isinstance(exc, (FileNotFoundError, NotADirectoryError)):
        return FileMissing(f"{path} is not there", path=path)
    return FileUnreadable(f"{path} cannot be read: {exc.strerror or exc}", path=path)
