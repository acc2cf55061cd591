# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describing a file: what ``opening`` reads goes into ``describe``, in little memory and without temporary files."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._image.describe import Describer
from ansible_collections.dom0.xen.plugins.module_utils._image.description import Description
from ansible_collections.dom0.xen.plugins.module_utils._image.opening import Image, opened
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import StreamError

CHUNK = 1 << 20
CHUNK_BETWEEN_JUMPS = 64 << 10
"""Enough for the entries of a PAGE_DATA record and what is around them; more would read pages for nothing."""


def describe_file(path: str, *, pages: bool = True, zstd: str | None = None) -> Description:
    """Describe a file that xl save has written, or a capture of what xl migrate writes.

    With ``pages`` the content of pages is read, else it is jumped over. ``zstd`` is where that program is, if it is.
    Raises FileMissing, FileUnreadable, NotAFile, ZstdMissing, MemoryNeeded; what is wrong with the stream is told.
    """
    describer = Describer(pages)
    with opened(path, zstd) as image:
        try:
            _read(image, describer, CHUNK if pages else CHUNK_BETWEEN_JUMPS)
        except StreamError as exc:
            describer.stop(exc)
        return describer.describe(path, image.size, image.compression)


def _read(image: Image, describer: Describer, size: int) -> None:
    while not describer.over:
        wanted = describer.jumpable
        jumped = image.skip(wanted) if wanted else 0
        if jumped:
            describer.jump(jumped)
            continue
        data = image.read(size)
        if not data:
            describer.finish()
            return
        describer.feed(data)
