# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The observer's own network card speaks what the guest's kernel speaks."""

from __future__ import annotations

from dom0lab.packets import Card, answer_arp, arp_frame, checksum, mac, parse_udp, udp_frame

OURS = Card(mac("52:54:00:77:01:40"), "10.77.0.64")
GUEST = Card(mac("00:16:3e:77:00:10"), "10.77.0.10")


def test_checksum_of_rfc_1071() -> None:
    """The RFC's own example, and that a header with its checksum sums to zero."""
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
    frame = udp_frame(OURS, GUEST.mac, GUEST.address, (1, 2), b"x")
    assert checksum(frame[14:34]) == 0


def test_datagram_arrives() -> None:
    """What one card sends the other reads, also padded to Ethernet's minimum."""
    frame = udp_frame(OURS, GUEST.mac, GUEST.address, (40000, 7700), b"ask n1\n").ljust(60, b"\0")
    datagram = parse_udp(GUEST, frame)
    assert datagram is not None
    assert (datagram.source, datagram.source_port, datagram.port) == ("10.77.0.64", 40000, 7700)
    assert datagram.data == b"ask n1\n"


def test_frames_for_others_are_ignored() -> None:
    """Floods, and frames of other kinds, are none of ours."""
    frame = udp_frame(OURS, GUEST.mac, GUEST.address, (1, 2), b"x")
    assert parse_udp(OURS, frame) is None
    assert parse_udp(GUEST, frame[:30]) is None
    assert answer_arp(GUEST, frame.ljust(60, b"\0")) is None


def test_arp_is_answered_for_the_own_address_only() -> None:
    """The guest asks who we are before it answers; a reply for another address would catch foreign traffic."""
    request = arp_frame(GUEST, b"", OURS.packed, reply=False)
    reply = answer_arp(OURS, request)
    assert reply is not None
    assert reply[:12] == GUEST.mac + OURS.mac
    assert reply[20:22] == b"\0\2"
    assert reply[22:32] == OURS.mac + OURS.packed
    assert answer_arp(Card(OURS.mac, "10.77.0.65"), request) is None
    assert answer_arp(GUEST, reply) is None
