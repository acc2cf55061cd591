# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a firewall between two hosts would do, and what it would have on record (pure)."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from .packets import ARP, parse_tcp

# The longest heads of IPv4 and TCP behind that of Ethernet: what a frame is judged by.
HEAD = 14 + 60 + 60
_ARP = struct.pack("!H", ARP)


class Wall:
    """Lets ARP pass, and TCP connections to its ``ports``, which may be opened from either side; nothing else.

    ``knocks`` are the connections that somebody tried to open: who, and to which port. ``refused`` counts frames.
    """

    def __init__(self, ports: Iterable[int]) -> None:
        self.ports = frozenset(ports)
        self.knocks: set[tuple[str, int]] = set()
        self.refused = 0

    def passing(self, name: str, frames: bytes | bytearray) -> bytearray:
        """Return those of the frames, each after its length, that may pass; they come from the cable ``name``."""
        passed = bytearray()
        position = 0
        while position < len(frames):
            end = position + 4 + int.from_bytes(frames[position : position + 4], "big")
            if self._admits(name, bytes(frames[position + 4 : min(end, position + 4 + HEAD)])):
                passed += frames[position:end]
            else:
                self.refused += 1
            position = end
        return passed

    def _admits(self, name: str, head: bytes) -> bool:
        segment = parse_tcp(head)
        if segment is None:
            return head[12:14] == _ARP
        if segment.opens:
            self.knocks.add((name, segment.port))
            return segment.port in self.ports
        return segment.port in self.ports or segment.source_port in self.ports
