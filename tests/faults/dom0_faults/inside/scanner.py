# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the named positions in a stream, so that a read or write can end exactly there (pure).

Formats: docs/specs/libxl-migration-stream.pandoc, docs/specs/libxc-migration-stream.pandoc, tools/xl/xl.h
(struct save_file_header). It shares no code with the collection, on purpose.
"""

from __future__ import annotations

import struct
import typing as t

_XL_HEADER = 48
_PERMISSION = 44
_CONTEXT, _PAGE_DATA, _END = 1, 1, 0


class Scanner:
    """Takes the stream piece by piece; :meth:`room` says how much may come before the next named position."""

    def __init__(self) -> None:
        self._plan = self._parts()
        self._head = b""
        self._said: list[str] = []
        self._wanted, self._name = next(self._plan)
        self._marks = _marks(self._name, self._wanted)
        self._done = 0

    @property
    def room(self) -> int:
        """Bytes up to the next named position; a large number after the last one."""
        return self._marks[0][0] - self._done if self._marks else 1 << 30

    def take(self, data: bytes | memoryview) -> list[str]:
        """Take at most :attr:`room` bytes; return the names of the position that they end at."""
        if not self._marks:
            return []
        self._done += len(data)
        if len(self._head) < 64:
            self._head += bytes(data[: 64 - len(self._head)])
        names = []
        while self._marks and self._marks[0][0] == self._done:
            name = self._marks.pop(0)[1]
            if name:
                names.append(name)
        if not self._marks:
            self._next()
            names += self._said
            self._said = []
        return names

    def _next(self) -> None:
        try:
            self._wanted, self._name = self._plan.send(self._head)
        except StopIteration:
            return
        self._marks = _marks(self._name, self._wanted)
        self._head, self._done = b"", 0

    def _parts(self) -> t.Generator[tuple[int, str], bytes, None]:
        head = yield _XL_HEADER, "header"
        yield struct.unpack("<I", head[44:48])[0], "config"
        yield 16, "libxl_header"
        while True:
            kind, length = struct.unpack("<II", (yield 8, ""))
            if kind == _CONTEXT:
                yield from self._context()
            elif kind == _END:
                break
            elif length:
                yield _padded(length), f"libxl_record{kind}"
        self._said = ["END"]
        yield _PERMISSION, "permission"

    @staticmethod
    def _context() -> t.Generator[tuple[int, str], bytes, None]:
        yield 40, "libxc_header"
        pages = 0
        seen = set()
        while True:
            kind, length = struct.unpack("<II", (yield 8, ""))
            if kind == _END:
                return
            if kind == _PAGE_DATA:
                pages += 1
                yield length, f"page{pages}"
                length = -length % 8
            elif length and kind not in seen:
                seen.add(kind)
                yield _padded(length), f"record{kind}"
                continue
            if _padded(length):
                yield _padded(length), ""


def _padded(length: int) -> int:
    return length + -length % 8


def _marks(name: str, size: int) -> list[tuple[int, str]]:
    """Return where the first byte, half and all of a part end; a part without a name has only its end."""
    if not name or size < 3:
        return [(size, name)]
    return [(1, f"{name}.first"), (size // 2, f"{name}.half"), (size, f"{name}.last")]


class Words:
    """The same for a sequence of texts of known length, each with its first byte, half and end."""

    def __init__(self, parts: t.Sequence[tuple[str, int]]) -> None:
        self._marks: list[tuple[int, str]] = []
        start = 0
        for name, size in parts:
            self._marks += [(start + at, mark) for at, mark in _marks(name, size)]
            start += size
        self._done = 0

    @property
    def room(self) -> int:
        """Bytes up to the next named position; a large number after the last one."""
        return self._marks[0][0] - self._done if self._marks else 1 << 30

    def take(self, data: bytes | memoryview) -> list[str]:
        """Take at most :attr:`room` bytes; return the names of the position that they end at."""
        self._done += len(data)
        names = []
        while self._marks and self._marks[0][0] == self._done:
            names.append(self._marks.pop(0)[1])
        return names
