# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Initramfs archives (cpio "newc", as the Linux kernel's initramfs buffer format has it), without a tool."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A file, folder (mode 0o040755), or symbolic link (mode 0o120777, data is the target)."""

    name: str
    mode: int
    data: bytes = b""


def file(name: str, data: bytes, *, executable: bool = False) -> Entry:
    return Entry(name, 0o100755 if executable else 0o100644, data)


def folder(name: str) -> Entry:
    return Entry(name, 0o040755)


def console() -> Entry:
    """/dev/console, without which the first process has no output."""
    return Entry("dev/console", 0o020600)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def archive(entries: list[Entry]) -> bytes:
    """The whole archive, uncompressed; everything belongs to root and has no time."""
    out = bytearray()
    for number, entry in enumerate([*entries, Entry("TRAILER!!!", 0)], start=1):
        name = entry.name.encode() + b"\0"
        links = 2 if entry.mode & 0o170000 == 0o040000 else 1
        major, minor = (5, 1) if entry.mode & 0o170000 == 0o020000 else (0, 0)
        fields = (number, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0, major, minor, len(name), 0)
        header = b"070701" + b"".join(b"%08x" % field for field in fields)
        out += _padded(header + name) + _padded(entry.data)
    return bytes(out)
