# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ethernet, ARP, IPv4 and UDP, just enough to talk to the guest from an own network card (RFC 791, 768, 826).

Of TCP the head, to see who connects to what (RFC 9293).
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

IPV4, ARP, TCP, UDP = 0x0800, 0x0806, 6, 17
BROADCAST = b"\xff" * 6
_SYN, _ACK = 0x02, 0x10
_FRAGMENT = 0x1FFF


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclass(frozen=True)
class Card:
    """A network card: hardware address, IPv4 address."""

    mac: bytes
    address: str

    @property
    def packed(self) -> bytes:
        return socket.inet_aton(self.address)


@dataclass(frozen=True)
class Datagram:
    """A UDP packet that came in."""

    source: str
    source_port: int
    port: int
    data: bytes


@dataclass(frozen=True)
class Segment:
    """The head of a TCP segment; ``opens`` if it asks for a connection."""

    source_port: int
    port: int
    opens: bool


def udp_frame(card: Card, target_mac: bytes, target: str, ports: tuple[int, int], data: bytes) -> bytes:
    """An Ethernet frame with one UDP datagram from ``card``; ``ports`` are source and destination port."""
    packed = socket.inet_aton(target)
    udp = struct.pack("!HHHH", *ports, 8 + len(data), 0)
    pseudo = card.packed + packed + struct.pack("!BBH", 0, UDP, len(udp) + len(data))
    udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp + data) or 0xFFFF)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(data), 0, 0x4000, 64, UDP, 0, card.packed, packed)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return target_mac + card.mac + struct.pack("!H", IPV4) + head + udp + data


def arp_frame(card: Card, target_mac: bytes, target: bytes, *, reply: bool) -> bytes:
    """An ARP request for ``target``, or the reply to the one who asked."""
    body = struct.pack("!HHBBH", 1, IPV4, 6, 4, 2 if reply else 1)
    body += card.mac + card.packed + (target_mac if reply else b"\0" * 6) + target
    return (target_mac if reply else BROADCAST) + card.mac + struct.pack("!H", ARP) + body


def answer_arp(card: Card, frame: bytes) -> bytes | None:
    """The reply, when ``frame`` asks for the card's address."""
    if len(frame) < 42 or frame[12:14] != struct.pack("!H", ARP) or frame[20:22] != b"\0\1":
        return None
    return arp_frame(card, frame[22:28], frame[28:32], reply=True) if frame[38:42] == card.packed else None


def parse_udp(card: Card, frame: bytes) -> Datagram | None:
    """The datagram in ``frame``, when it is one for the card; fragments and options are not expected."""
    if len(frame) < 42 or frame[12:14] != struct.pack("!H", IPV4) or frame[14] != 0x45 or frame[23] != UDP:
        return None
    if frame[30:34] != card.packed:
        return None
    source_port, port, size = struct.unpack("!HHH", frame[34:40])
    return Datagram(socket.inet_ntoa(frame[26:30]), source_port, port, frame[42 : 34 + size])


def parse_tcp(frame: bytes) -> Segment | None:
    """The TCP segment in ``frame``, whoever it is for; None where there is none, as in all fragments but the first."""
    if len(frame) < 34 or frame[12:14] != struct.pack("!H", IPV4) or frame[14] >> 4 != 4 or frame[23] != TCP:
        return None
    start = 14 + 4 * (frame[14] & 0xF)
    (fragment,) = struct.unpack("!H", frame[20:22])
    if fragment & _FRAGMENT or len(frame) < start + 14:
        return None
    source_port, port = struct.unpack("!HH", frame[start : start + 4])
    return Segment(source_port, port, frame[start + 13] & (_SYN | _ACK) == _SYN)
