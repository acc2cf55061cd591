# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and writes between a daemon and its ``xl`` that end exactly at named positions."""

from __future__ import annotations

import os
import typing as t

from .scanner import Scanner, Words

Hit = t.Callable[[str], None]

# The last one is for what stands for xl; everything else says that it runs there.
_ANSWERS = (
    (b"ready to unpause", "ready"),
    (b"send binary", "banner"),
    (b"cleared to", "failure"),
    (b"has made its domain", "copy_made"),
)


class _Os:
    def __getattr__(self, name: str) -> t.Any:
        return getattr(os, name)


class SourcePipes(_Os):
    """``os`` for the sender: the stream is read, answers are written."""

    def __init__(self, hit: Hit) -> None:
        self._hit = hit
        self._scanner = Scanner()

    def read(self, descriptor: int, size: int) -> bytes:
        """Read no further than to the next named position."""
        data = os.read(descriptor, min(size, self._scanner.room))
        for name in self._scanner.take(data):
            self._hit(f"sender.stream.{name}")
        return data

    def write(self, descriptor: int, data: bytes) -> int:
        """Write an answer in two pieces."""
        name = _answer(data)
        self._hit(f"sender.answer.{name}.before")
        half = len(data) // 2
        os.write(descriptor, data[:half])
        self._hit(f"sender.answer.{name}.half")
        os.write(descriptor, data[half:])
        self._hit(f"sender.answer.{name}.after")
        return len(data)


class DestinationPipes(_Os):
    """``os`` for the receiver: the stream is written, answers are read."""

    def __init__(self, hit: Hit, answers: t.Sequence[tuple[str, int]]) -> None:
        self._hit = hit
        self._scanner = Scanner()
        self._answers = Words(answers)

    def write(self, descriptor: int, data: memoryview) -> int:
        """Write no further than to the next named position."""
        count = os.write(descriptor, data[: self._scanner.room])
        for name in self._scanner.take(data[:count]):
            self._hit(f"receiver.stream.{name}")
        return count

    def read(self, descriptor: int, size: int) -> bytes:
        """Read no further than to the next named position."""
        data = os.read(descriptor, min(size, self._answers.room))
        for name in self._answers.take(data):
            self._hit(f"receiver.answer.{name}")
        return data


def _answer(data: bytes) -> str:
    for word, name in _ANSWERS:
        if word in data:
            return name
    return "success"
