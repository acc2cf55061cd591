# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's initramfs is an archive the kernel can read."""

from __future__ import annotations

from dom0lab import cpio


def read(data: bytes) -> dict[str, tuple[int, bytes]]:
    """Names, modes and contents of a newc archive, by the format's own description."""
    found: dict[str, tuple[int, bytes]] = {}
    position = 0
    while True:
        assert data[position : position + 6] == b"070701"
        fields = [int(data[position + 6 + 8 * n : position + 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[position + 110 : position + 110 + name_size - 1].decode()
        start = position + 110 + name_size + (-(110 + name_size) % 4)
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, data[start : start + size])
        position = start + size + (-size % 4)


def test_archive_reads_back() -> None:
    """Odd sizes need padding; a wrong one would make the kernel stop at the next file."""
    entries = [
        cpio.folder("dev"),
        cpio.console(),
        cpio.file("init", b"#!/bin/sh\n", executable=True),
        cpio.file("a", b"12345"),
        cpio.file("b", b""),
    ]
    assert read(cpio.archive(entries)) == {
        "dev": (0o040755, b""),
        "dev/console": (0o020600, b""),
        "init": (0o100755, b"#!/bin/sh\n"),
        "a": (0o100644, b"12345"),
        "b": (0o100644, b""),
    }
