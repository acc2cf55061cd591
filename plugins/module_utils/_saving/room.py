# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Room on the file system of an image (private to the collection)."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._saving.errors import NoRoom

MIB = 1 << 20
# Headers, records, and the frame numbers of holes below 4 GiB, which have 8 bytes each.
_EXTRA = 16 * MIB

Statvfs = t.Callable[[str], t.Any]


def image_bytes(memory_mib: int) -> int:
    """Return how large the image of a domain with so much memory can become: each page has 8 bytes beside its own."""
    return memory_mib * MIB + memory_mib * MIB // 512 + _EXTRA


class Room:
    """The file system of a folder, of which ``reserve_mib`` are to stay free."""

    def __init__(self, folder: str, reserve_mib: int, statvfs: Statvfs = os.statvfs) -> None:
        self._folder = folder
        self._reserve = reserve_mib * MIB
        self._statvfs = statvfs

    def require(self, size: int) -> None:
        """See that so many bytes can be written and the reserve stays. Raises NoRoom."""
        found = self._statvfs(self._folder)
        free = found.f_bavail * found.f_frsize
        if free >= size + self._reserve:
            return
        text = f"the file system of {self._folder} has {free // MIB} MiB free"
        if size:
            text += f"; the image can take {size // MIB} MiB"
        if self._reserve:
            text += f"{' and' if size else ', of which'} {self._reserve // MIB} MiB are to stay free"
        raise NoRoom(text, free_mib=free // MIB, needed_mib=size // MIB, reserve_mib=self._reserve // MIB)
