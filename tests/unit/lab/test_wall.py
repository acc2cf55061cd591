# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wall lets through what it should, and nothing else, and knows who has knocked."""

from __future__ import annotations

import struct

from dom0lab.packets import IPV4, Card, Segment, arp_frame, mac, parse_tcp, udp_frame
from dom0lab.wall import Wall

XEN1 = Card(mac("52:54:00:77:00:01"), "10.77.0.1")
XEN2 = Card(mac("52:54:00:77:00:02"), "10.77.0.2")
SYN, ACK, FIN, RST = 0x02, 0x10, 0x01, 0x04
SSH, TLS, OTHER = 22, 49152, 4711


def tcp(source_port: int, port: int, flags: int, *, options: int = 0, fragment: int = 0) -> bytes:
    """A frame from xen1 to xen2 with so many words of IPv4 options, which is a fragment with an offset."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45 + options, 0, 40, 0, fragment, 64, 6, 0, XEN1.packed, XEN2.packed)
    body = struct.pack("!HHIIBBHHH", source_port, port, 1, 2, 0x50, flags, 100, 0, 0)
    return XEN2.mac + XEN1.mac + struct.pack("!H", IPV4) + head + b"\1" * 4 * options + body + b"data"


def row(*frames: bytes) -> bytes:
    """Frames as they come through a cable."""
    return b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)


def passes(wall: Wall, frame: bytes) -> bool:
    """Whether a frame from xen1 gets through, whole."""
    passed = wall.passing("xen1", row(frame))
    assert passed in (b"", row(frame))
    return bool(passed)


def test_head_of_a_segment() -> None:
    """Found behind options of IPv4 too, and in nothing that has none."""
    assert parse_tcp(tcp(40000, SSH, SYN)) == Segment(40000, SSH, True)
    assert parse_tcp(tcp(40000, SSH, SYN, options=3)) == Segment(40000, SSH, True)
    assert parse_tcp(tcp(SSH, 40000, SYN | ACK)) == Segment(SSH, 40000, False)
    assert parse_tcp(tcp(40000, SSH, ACK, fragment=0x4000)) == Segment(40000, SSH, False)
    assert parse_tcp(tcp(40000, SSH, ACK, fragment=0x20)) is None
    assert parse_tcp(tcp(40000, SSH, SYN)[:40]) is None
    assert parse_tcp(udp_frame(XEN1, XEN2.mac, XEN2.address, (1, 2), b"x" * 40)) is None
    assert parse_tcp(b"") is None


def test_one_port_is_open() -> None:
    """From either side, with the answers; a connection that has a number of its own like an open port is none."""
    wall = Wall([TLS])
    assert passes(wall, tcp(40000, TLS, SYN))
    assert passes(wall, tcp(TLS, 40000, SYN | ACK)) and passes(wall, tcp(40000, TLS, ACK | FIN))
    assert passes(wall, tcp(TLS, 40000, RST | ACK))
    assert not passes(wall, tcp(40000, SSH, SYN)) and not passes(wall, tcp(SSH, 40000, SYN | ACK))
    assert not passes(wall, tcp(TLS, SSH, SYN))
    assert wall.knocks == {("xen1", TLS), ("xen1", SSH)}
    assert wall.refused == 3


def test_nothing_is_open() -> None:
    """Only who has which address may be asked."""
    wall = Wall([])
    assert passes(wall, arp_frame(XEN1, b"", XEN2.packed, reply=False).ljust(60, b"\0"))
    assert not passes(wall, udp_frame(XEN1, XEN2.mac, XEN2.address, (TLS, TLS), b"x"))
    assert not passes(wall, XEN2.mac + XEN1.mac + b"\x86\xdd" + bytes(60))
    assert not passes(wall, XEN2.mac + XEN1.mac)
    assert not passes(wall, tcp(TLS, TLS, SYN))
    assert wall.knocks == {("xen1", TLS)}


def test_rows_keep_their_order_and_their_length() -> None:
    """Frames of a stream are longer than what is looked at, and only those go that must."""
    wall = Wall([TLS])
    long, short, refused = tcp(40000, TLS, ACK) + bytes(9000), tcp(40000, TLS, ACK), tcp(40000, OTHER, SYN) + bytes(500)
    assert wall.passing("xen1", row(long, refused, short, refused, long)) == row(long, short, long)
    assert wall.passing("xen1", b"") == b""
