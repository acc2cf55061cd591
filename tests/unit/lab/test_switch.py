# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network between the hosts: nothing lost between them, cut where told."""

from __future__ import annotations

import selectors
import socket
import typing as t

import pytest
from dom0lab.switch import HIGH_WATER, Port, Switch

MACS = {name: bytes([0x52, 0, 0, 0, 0, number]) for number, name in enumerate(("xen1", "xen2", "outside"))}
ALL = b"\xff" * 6


class Net:
    """A switch with three cables, whose loop runs when asked to."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.switch = Switch(self.selector)
        self.ends: dict[str, socket.socket] = {}
        for name in MACS:
            ours, theirs = socket.socketpair()
            self.switch.plug(name, theirs, patient=name != "outside")
            ours.setblocking(False)
            self.ends[name] = ours

    def send(self, source: str, target: bytes, data: bytes = b"") -> None:
        frame = target + MACS[source] + b"\x08\x00" + data
        self.ends[source].sendall(len(frame).to_bytes(4, "big") + frame)

    def turn(self, times: int = 20) -> None:
        while times:
            times -= 1
            for key, events in self.selector.select(timeout=0):
                if isinstance(key.data, Port):
                    self.switch.ready(key.data, events)

    def received(self, name: str) -> list[bytes]:
        """Contents of the frames that reached ``name``."""
        data = b""
        while True:
            try:
                more = self.ends[name].recv(1 << 20)
            except BlockingIOError:
                break
            data += more
            self.turn()
        frames = []
        while data:
            size = int.from_bytes(data[:4], "big")
            frames.append(data[18 : 4 + size])
            data = data[4 + size :]
        return frames

    def close(self) -> None:
        for end in self.ends.values():
            end.close()
        for port in list(self.switch.ports):
            self.switch.unplug(port)
        self.selector.close()


@pytest.fixture
def net() -> t.Iterator[Net]:
    made = Net()
    yield made
    made.close()


def test_unknown_goes_everywhere_known_goes_straight(net: Net) -> None:
    """And a guest that has moved is found at its new place as soon as it speaks."""
    net.send("xen1", MACS["xen2"], b"1")
    net.turn()
    assert net.received("xen2") == net.received("outside") == [b"1"]
    net.send("xen2", MACS["xen1"], b"2")
    net.turn()
    assert net.received("xen1") == [b"2"]
    assert net.received("outside") == []
    net.ends["outside"].sendall((14).to_bytes(4, "big") + ALL + MACS["xen1"] + b"\x08\x00")
    net.turn()
    net.received("xen2"), net.received("xen1")
    net.send("xen2", MACS["xen1"], b"3")
    net.turn()
    assert net.received("outside") == [b"3"]
    assert net.received("xen1") == []


def test_a_cut_is_between_two_only(net: Net) -> None:
    """The hosts lose each other; who stands outside still hears both."""
    net.switch.cut("xen1", "xen2")
    net.send("xen1", ALL, b"1")
    net.turn()
    assert net.received("xen2") == []
    assert net.received("outside") == [b"1"]
    net.switch.mend()
    net.send("xen1", ALL, b"2")
    net.turn()
    assert net.received("xen2") == [b"2"]


def test_a_wall_is_between_two_only(net: Net) -> None:
    """The hosts reach each other through its openings, in either direction; who stands outside is not behind it."""
    net.switch.wall("xen1", "xen2", [22])
    knock = bytes.fromhex("450000280000000040060000") + bytes(8) + b"\x9c\x40\x00%c" + bytes(8) + b"\x50\x02"
    for port in (22, 23):
        net.send("xen1", ALL, knock % port)
        net.send("xen2", ALL, knock % port)
    net.turn()
    assert net.received("xen2") == net.received("xen1") == [knock % 22]
    assert sorted(net.received("outside")) == [knock % port for port in (22, 22, 23, 23)]
    (told,) = net.switch.walls
    assert told == {
        "between": ["xen1", "xen2"],
        "knocks": [("xen1", 22), ("xen1", 23), ("xen2", 22), ("xen2", 23)],
        "refused": 2,
    }
    net.switch.wall("xen2", "xen1", [])
    assert [wall["knocks"] for wall in net.switch.walls] == [[]], "there are two walls, or the old one is remembered"
    net.switch.mend()
    net.send("xen1", ALL, b"x")
    net.turn()
    assert net.received("xen2") == [b"x"] and not net.switch.walls


def test_frames_in_pieces_and_in_rows_keep_their_order(net: Net) -> None:
    """Frames for several receivers in one read arrive whole, in order, each where it belongs."""
    net.send("xen2", ALL)
    net.send("outside", ALL)
    net.turn()
    for name in net.ends:
        net.received(name)
    row = b""
    for number in range(6):
        target = MACS["xen2"] if number % 3 else ALL
        frame = target + MACS["xen1"] + b"\x08\x00" + bytes([number])
        row += len(frame).to_bytes(4, "big") + frame
    for position in range(0, len(row), 7):
        net.ends["xen1"].sendall(row[position : position + 7])
        net.turn(2)
    assert net.received("xen2") == [bytes([n]) for n in range(6)]
    assert net.received("outside") == [b"\0", b"\3"]


def test_a_slow_host_loses_nothing_and_a_hanging_onlooker_harms_nobody(net: Net) -> None:
    """Between hosts the sender waits; an observer that does not read loses frames instead."""
    net.send("xen2", ALL)
    net.send("outside", ALL)
    net.turn()
    for name in net.ends:
        net.received(name)
    chunk, sent = b"x" * 50000, 0
    for target in ("outside", "xen2"):
        sent = 0
        while sent < 100:
            try:
                net.send("xen1", MACS[target], chunk)
            except BlockingIOError:
                break
            sent += 1
            net.turn(3)
        if target == "outside":
            assert sent == 100, "the onlooker held the sender back"
    assert sent < 100
    assert all(len(port.outgoing) < HIGH_WATER + (1 << 19) for port in net.switch.ports)


def test_a_pulled_cable_is_forgotten(net: Net) -> None:
    """A host that loses power leaves no dead entry behind."""
    net.send("xen2", ALL)
    net.turn()
    net.ends["xen2"].close()
    net.turn()
    assert [port.name for port in net.switch.ports] == ["xen1", "outside"]
    net.send("xen1", MACS["xen2"], b"1")
    net.turn()
    assert net.received("outside")[-1] == b"1"
