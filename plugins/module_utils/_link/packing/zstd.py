# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""zstd, where this host has it (private to the collection).

Each piece is a whole zstd frame of its own: nothing waits for more data before it can leave, and what is sent again
after a reconnect needs nothing that came before it.
"""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import MAX_DATA

try:
    import zstandard
except ImportError:
    HAVE_ZSTD = False
else:
    HAVE_ZSTD = True


class Compressor:
    """Compresses at one level of zstd."""

    def __init__(self, level: int) -> None:
        self._context = zstandard.ZstdCompressor(level=level, write_checksum=False)

    def pack(self, data: bytes) -> bytes:
        """Return ``data`` as one zstd frame."""
        return self._context.compress(data)


class Decompressor:
    """Undoes any level."""

    def __init__(self) -> None:
        # A frame may ask for a window of 128 MiB otherwise.
        self._context = zstandard.ZstdDecompressor(max_window_size=MAX_DATA)

    def unpack(self, body: bytes | bytearray | memoryview, size: int) -> bytes:
        """Return the ``size`` bytes that ``body`` was made of. Raises :class:`FrameError` for a body that is not one.

        Never takes more memory than ``size``, which must have been bounded before, whatever the frame announces.
        """
        try:
            announced = zstandard.frame_content_size(body)
            if announced != size:
                raise FrameError(f"a packed piece of {size} bytes announces {announced} to zstd")
            data = self._context.decompress(body, max_output_size=size)
        except zstandard.ZstdError as exc:
            raise FrameError(f"a packed piece is no zstd frame: {exc}") from exc
        if len(data) != size:
            raise FrameError(f"a packed piece of {size} bytes holds {len(data)}")
        return data
