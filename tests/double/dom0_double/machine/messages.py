# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XenStore's wire format (xen/include/public/io/xs_wire.h)."""

from __future__ import annotations

import dataclasses
import enum
import struct

HEADER = struct.Struct("<IIII")
PAYLOAD_MAXIMUM = 4096


class Kind(enum.IntEnum):
    """Message types a dom0 uses."""

    CONTROL = 0
    DIRECTORY = 1
    READ = 2
    GET_PERMS = 3
    WATCH = 4
    UNWATCH = 5
    TRANSACTION_START = 6
    TRANSACTION_END = 7
    INTRODUCE = 8
    RELEASE = 9
    GET_DOMAIN_PATH = 10
    WRITE = 11
    MKDIR = 12
    RM = 13
    SET_PERMS = 14
    WATCH_EVENT = 15
    ERROR = 16
    IS_DOMAIN_INTRODUCED = 17
    RESUME = 18
    SET_TARGET = 19
    RESET_WATCHES = 21
    DIRECTORY_PART = 22


@dataclasses.dataclass(frozen=True)
class Message:
    """One request, answer or event."""

    kind: int
    request: int
    transaction: int
    payload: bytes

    def encode(self) -> bytes:
        """Return the bytes on the wire."""
        return HEADER.pack(self.kind, self.request, self.transaction, len(self.payload)) + self.payload


class Oversized(Exception):
    """A message longer than XenStore accepts; xenstored drops the connection."""


def take(buffer: bytearray) -> Message | None:
    """Remove one whole message from the front of a buffer; None when it is not complete."""
    if len(buffer) < HEADER.size:
        return None
    kind, request, transaction, length = HEADER.unpack_from(buffer)
    if length > PAYLOAD_MAXIMUM:
        raise Oversized(length)
    if len(buffer) < HEADER.size + length:
        return None
    payload = bytes(buffer[HEADER.size : HEADER.size + length])
    del buffer[: HEADER.size + length]
    return Message(kind, request, transaction, payload)
