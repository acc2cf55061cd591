# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ``PACKED`` frame holds (private to the collection).

====== ===== ==========================================
offset bytes field, big-endian
====== ===== ==========================================
0      1     method, see :class:`Method`
1      3     zero
4      4     how many bytes of the stream it stands for
8      ...   those, packed
====== ===== ==========================================
"""

from __future__ import annotations

import struct
import typing as t
from enum import IntEnum

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import MAX_DATA
from ansible_collections.dom0.xen.plugins.module_utils._link.packing import zeros, zstd

HEADER = struct.Struct(">BxxxI")


class Method(IntEnum):
    """How a piece was packed. In an introduction they go by their names in lower case."""

    ZEROS = 1
    ZSTD = 2


def known() -> tuple[str, ...]:
    """Return the names of the methods that this host can undo."""
    return tuple(each.name.lower() for each in Method if each is not Method.ZSTD or zstd.HAVE_ZSTD)


def encode_header(method: Method, size: int) -> bytes:
    """Return what comes before a body that stands for ``size`` bytes."""
    return HEADER.pack(method, size)


def announced(payload: bytes | bytearray | memoryview) -> int:
    """Return for how many bytes a payload stands: from 1 to ``MAX_DATA``. Raises :class:`FrameError`."""
    if len(payload) < HEADER.size:
        raise FrameError("a packed frame without its header")
    dummy, size = HEADER.unpack_from(payload)
    if not 0 < size <= MAX_DATA:
        raise FrameError(f"a packed frame announces {size} bytes, the limit is {MAX_DATA}")
    return t.cast("int", size)


class Unpacker:
    """Undoes what a packer did, frame by frame."""

    def __init__(self) -> None:
        self._zstd: zstd.Decompressor | None = None

    def unpack(self, payload: bytes | bytearray | memoryview) -> bytes | bytearray:
        """Return the bytes that a frame's payload stands for. Raises :class:`FrameError`."""
        size = announced(payload)
        view = memoryview(payload)
        if any(view[1:4]):
            raise FrameError("reserved bytes of a packed frame are not zero")
        body = view[HEADER.size :]
        if view[0] == Method.ZEROS:
            return zeros.unpack(body, size)
        if view[0] == Method.ZSTD and zstd.HAVE_ZSTD:
            self._zstd = self._zstd or zstd.Decompressor()
            return self._zstd.unpack(body, size)
        raise FrameError(f"a packed frame of method {view[0]}, which this host cannot undo")
