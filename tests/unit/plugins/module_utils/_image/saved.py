# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describing what is in memory, for the tests of this room."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._image.describe import Describer
from ansible_collections.dom0.xen.plugins.module_utils._image.description import Description
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams


def described(data: bytes, cuts: t.Iterable[int] = (), *, pages: bool = True, jump: bool = False) -> Description:
    """Describe ``data`` cut at ``cuts``; with ``jump`` over what may be jumped over."""
    describer = Describer(pages)
    for piece in streams.pieces(data, cuts):
        place = 0
        while jump and describer.jumpable and place < len(piece):
            jumped = min(describer.jumpable, len(piece) - place)
            describer.jump(jumped)
            place += jumped
        if not describer.over:
            describer.feed(piece[place:])
    describer.finish()
    return describer.describe("saved", len(data), "none")


def code(found: Description) -> str | None:
    """The name of what is wrong."""
    return found.problem.code if found.problem else None


def stream(*records: streams.BodyRecord, version: int = 3, guest: int = 2, kind: str = "pvh") -> bytes:
    """A stream with these libxc records, END added, and nothing else."""
    return (
        streams.xl_header(streams.config(kind))
        + streams.libxl_header()
        + streams.frame(1)
        + streams.libxc_headers(guest, version)
        + streams.records([*records, streams.END])
        + streams.frame(0)
    )


def with_libxl(*records: streams.BodyRecord) -> bytes:
    """A stream with these libxl records behind libxc's part."""
    return stream()[:-8] + streams.records(records) + streams.frame(0)
