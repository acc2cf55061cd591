# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parser tells about a stream. Positions are offsets from the stream's first byte."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """The xl header and the configuration are complete; ``text`` is JSON without its NUL."""

    position: int
    text: bytes


@dataclass(frozen=True)
class StreamBegin:
    """libxl's and libxc's headers are known: stream version, ``pv`` or ``hvm``, and the Xen that wrote it."""

    position: int
    version: int
    guest_type: str
    xen_version: tuple[int, int]


class PageData(t.NamedTuple):
    """A PAGE_DATA record begins: its entries were read, its pages follow.

    A named tuple, since thousands of them are made. ``size`` is the whole record with its frame, in bytes.
    ``packed`` holds the entries as they are, and is empty when their pfns are ``first`` to ``last`` without a gap.
    """

    position: int
    size: int
    entries: int
    pages: int
    first: int
    last: int
    packed: bytes


@dataclass(frozen=True)
class Record:
    """Any other record begins; ``layer`` is ``libxl`` or ``libxc``, ``length`` its body's, in bytes."""

    position: int
    layer: str
    type: int
    name: str
    length: int


@dataclass(frozen=True)
class StreamEnd:
    """libxl's END is complete: ``position`` is the length of the stream, and the permission begins there."""

    position: int


@dataclass(frozen=True)
class Permission:
    """All bytes of the permission were seen, and they are right."""

    position: int


Event = t.Union[Config, StreamBegin, PageData, Record, StreamEnd, Permission]
