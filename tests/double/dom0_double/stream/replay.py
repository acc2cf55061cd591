# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A captured stream in place of a guest's memory: as fast as the pipe takes it, with nothing built.

Each record is written by itself, as libxc does it (xg_sr_save.c write_batch): at the end of a PVH guest's memory a
thousand of them hold nothing but the numbers of frames.

For measuring what lies between two ``xl``. The guest of the double that moves meanwhile is not in it, and arrives as
one whose memory is not as it was.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import typing as t

from . import records

_HEADERS = records.IMAGE_HEADER.size + records.DOMAIN_HEADER.size
_PIECE = 1 << 20


@dataclasses.dataclass(frozen=True)
class Replay:
    """The libxc stream in a file: bytes ``[begin, end)``; before that at ``suspend`` the guest is suspended."""

    path: str
    begin: int
    suspend: int
    end: int

    @classmethod
    def load(cls, description: str) -> t.Self:
        """Read what the file ``description`` says, as JSON."""
        return cls(**json.loads(pathlib.Path(description).read_text()))

    def write(self, descriptor: int, suspend: t.Callable[[], None]) -> None:
        """Write it; OSError as write(2) gives it."""
        source = os.open(self.path, os.O_RDONLY)
        try:
            self._send(source, descriptor, self.begin, self.suspend)
            suspend()
            self._send(source, descriptor, self.suspend, self.end)
        finally:
            os.close(source)

    def read(self, descriptor: int) -> bool:
        """Take as many bytes from ``descriptor``, and no more; return whether they came."""
        left, sink = self.end - self.begin, os.open("/dev/null", os.O_WRONLY)
        try:
            while left:
                taken = os.splice(descriptor, sink, min(left, _PIECE))
                if not taken:
                    return False
                left -= taken
        finally:
            os.close(sink)
        return True

    def _send(self, source: int, descriptor: int, position: int, end: int) -> None:
        while position < end:
            left = _HEADERS if position == self.begin else _record_size(source, position)
            while left:
                sent = os.sendfile(descriptor, source, position, min(left, _PIECE))
                position += sent
                left -= sent


def _record_size(source: int, position: int) -> int:
    dummy, length = records.RECORD.unpack(os.pread(source, records.RECORD.size, position))
    return int(records.RECORD.size + length + -length % 8)
