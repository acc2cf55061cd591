# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames of the link: their layout, and reading them from any chunking (private to the collection).

A frame is a header of 16 bytes, big-endian, and a payload:

====== ===== =========================================================================
offset bytes field
====== ===== =========================================================================
0      1     kind, see :class:`Kind`
1      3     reserved, zero
4      4     length of the payload in bytes
8      8     number: for ``DATA``, ``PACKED`` and ``MESSAGE`` the sequence number in this direction,
             for ``ACK`` the next sequence number expected, otherwise zero
====== ===== =========================================================================

``DATA`` payloads are opaque bytes, those of ``PACKED`` stand for such bytes (:mod:`packing.packed`); every other
payload is a JSON object or empty.
"""

from __future__ import annotations

import json
import struct
import sys
import typing as t
from dataclasses import dataclass
from enum import IntEnum

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError

VERSION = 1
HEADER = struct.Struct(">B3xIQ")
MAX_DATA = 1024 * 1024
MAX_CONTROL = 256 * 1024
# How deep a document may be nested: what can just be read may end the process when it is written, deeper in the stack.
MAX_DEPTH = 32


class Kind(IntEnum):
    """Kinds of frame. Only ``DATA``, ``PACKED`` and ``MESSAGE`` are numbered, replayed and acknowledged."""

    HELLO = 1
    WELCOME = 2
    REFUSE = 3
    ACK = 4
    PING = 5
    PONG = 6
    DATA = 16
    MESSAGE = 17
    PACKED = 18


# Of the others, ``MAX_CONTROL``.
_LIMITS = {Kind.DATA: MAX_DATA, Kind.PACKED: MAX_DATA, Kind.ACK: 0}


@dataclass(frozen=True)
class Frame:
    """One frame; ``payload`` is the undecoded bytes."""

    kind: Kind
    number: int
    payload: bytes | bytearray | memoryview

    def document(self) -> dict[str, t.Any]:
        """Return the JSON object in the payload, ``{}`` when it is empty. Raises :class:`FrameError`."""
        if not len(self.payload):
            return {}
        try:
            document = json.loads(bytes(self.payload).decode("utf-8"), parse_constant=_no_number)
        except (ValueError, RecursionError) as exc:
            raise FrameError(f"a {self.kind.name} frame does not hold JSON") from exc
        if not isinstance(document, dict):
            raise FrameError(f"a {self.kind.name} frame does not hold a JSON object")
        if _deep(document):
            raise FrameError(f"a {self.kind.name} frame holds more than {MAX_DEPTH} levels of JSON")
        return document


def _deep(document: t.Any) -> bool:
    level = [document]
    for _dummy in range(MAX_DEPTH):
        below: list[t.Any] = []
        for item in level:
            below += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        level = below
    return any(isinstance(item, (dict, list)) for item in level)


def _no_number(name: str) -> t.NoReturn:
    raise ValueError(f"{name} is not a number")


def encode_header(kind: Kind, length: int, number: int = 0) -> bytes:
    """Return the 16 header bytes for a payload of ``length`` bytes."""
    return HEADER.pack(kind, length, number)


def encode_document(kind: Kind, document: t.Mapping[str, t.Any] | None = None, number: int = 0) -> bytes:
    """Return a whole frame that carries a JSON object. Raises :class:`FrameError` when it is too large."""
    payload = json.dumps(document, separators=(",", ":")).encode("utf-8") if document else b""
    if len(payload) > MAX_CONTROL:
        raise FrameError(f"a {kind.name} frame of {len(payload)} bytes is over the limit of {MAX_CONTROL}")
    return encode_header(kind, len(payload), number) + payload


class BufferPool:
    """Memory for large payloads, used again when nobody holds it any more.

    Taking a piece of this size from the system and clearing it costs as much as decrypting it. A buffer is free when
    nothing but the pool refers to it: a frame, or a view of one however it was cut, keeps its buffer.
    """

    SIZE = 256 * 1024
    LIMIT = 40

    def __init__(self) -> None:
        # None yet: a stranger's connection has a pool too, and a crowd of them would hold what only the peer may need.
        self._buffers: list[bytearray] = []
        one = [bytearray()]
        self._free = sys.getrefcount(one[0])

    def take(self, length: int) -> memoryview:
        """Return memory of ``length`` bytes with anything in it."""
        if not self.SIZE // 2 <= length <= self.SIZE:
            return memoryview(bytearray(length))
        buffers = self._buffers
        for index in range(len(buffers)):
            if sys.getrefcount(buffers[index]) == self._free:
                # The one found first time and again stays in the processor's cache.
                return memoryview(buffers[index])[:length]
        fresh = bytearray(self.SIZE)
        if len(buffers) < self.LIMIT:
            buffers.append(fresh)
        return memoryview(fresh)[:length]


class FrameReader:
    """Puts frames together from whatever pieces the connection delivers, without copying payloads.

    The caller asks :meth:`target` for the buffer to receive into and reports with :meth:`filled`
    how many bytes arrived. A payload's memory is only allocated after its length was checked.
    """

    def __init__(self) -> None:
        self._header = bytearray(HEADER.size)
        self._kind: Kind | None = None
        self._number = 0
        self._pool = BufferPool()
        self._view = memoryview(self._header)
        self._have = 0

    def target(self) -> memoryview:
        """Return the writable view of what is still missing of the current header or payload."""
        return self._view[self._have :]

    def filled(self, count: int) -> Frame | None:
        """Take note of ``count`` more bytes; return the frame they completed, if any. Raises :class:`FrameError`."""
        self._have += count
        if self._have < len(self._view):
            return None
        if self._kind is None:
            kind, length, self._number = HEADER.unpack(self._header)
            self._kind = _known(kind, length, self._header)
            if length:
                self._view = self._pool.take(length)
                self._have = 0
                return None
            self._view = memoryview(b"")
        frame = Frame(self._kind, self._number, self._view)
        self._kind = None
        self._view = memoryview(self._header)
        self._have = 0
        return frame


def _known(kind: int, length: int, header: bytearray) -> Kind:
    try:
        known = Kind(kind)
    except ValueError:
        raise FrameError(f"unknown frame kind {kind}") from None
    if header[1] or header[2] or header[3]:
        raise FrameError("reserved bytes of a frame header are not zero")
    limit = _LIMITS.get(known, MAX_CONTROL)
    if length > limit:
        raise FrameError(f"a {known.name} frame announces {length} bytes, the limit is {limit}")
    if known is Kind.DATA and not length:
        raise FrameError("an empty DATA frame")
    return known
