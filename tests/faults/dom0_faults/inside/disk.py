# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that fills up or breaks, and a record of what of the journals is safe from a power loss."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import typing as t

Hit = t.Callable[[str], None]

# Files in a host's folder: while the first two exist its disk is full, or cannot be flushed; the third is a number of
# seconds by which its clock is wrong.
FULL, BROKEN, CLOCK = "disk.full", "disk.broken", "clock.offset"


class Disk:
    """The functions of ``os`` that the journal uses; everything else is that of ``os``."""

    def __init__(self, host: pathlib.Path, role: str, hit: Hit) -> None:
        self._host = host
        self._role = role
        self._hit = hit
        self.step = "open"

    def __getattr__(self, name: str) -> t.Any:
        return getattr(os, name)

    def write(self, descriptor: int, data: bytes) -> int:
        """Write; on a disk that fills up at first half of it, then nothing."""
        if (self._host / FULL).exists():
            if (self._host / FULL).stat().st_size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            (self._host / FULL).write_text("full")
            return os.write(descriptor, data[: len(data) // 2])
        return os.write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        """Flush, and note how much of the file no power loss takes away."""
        self._hit(f"{self._role}.journal.{self.step}.written")
        self.check_flush()
        os.fsync(descriptor)
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if os.path.isfile(path):
            # By file, not by who wrote: whoever settles adds to what a session's process has flushed.
            note = self._host / f"synced.{pathlib.Path(path).parent.name}"
            part = note.with_suffix(".part")
            part.write_text(json.dumps({"path": path, "size": os.fstat(descriptor).st_size}))
            part.rename(note)

    def check_flush(self) -> None:
        """Raise what a broken disk gives."""
        if (self._host / BROKEN).exists():
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def check_room(self) -> None:
        """Raise what a full disk gives."""
        if (self._host / FULL).exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def cut_back(host: pathlib.Path, keep_half: bool) -> None:
    """Take from a host's journals what had not been flushed, as a power loss may; half of it stays when asked for."""
    for note in host.glob("synced.*"):
        found = json.loads(note.read_text())
        path, size = pathlib.Path(found["path"]), int(found["size"])
        if path.exists() and path.stat().st_size > size:
            rest = path.stat().st_size - size
            os.truncate(path, size + (rest // 2 if keep_half else 0))
