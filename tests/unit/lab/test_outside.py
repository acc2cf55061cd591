# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several guests on one switch are told apart, and so are those that watch them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import typing as t
from pathlib import Path

import pytest
from dom0lab import Guest, Observer, control
from dom0lab.guest_disk import GUEST_PORT, GuestSpec
from dom0lab.outside import Outside
from dom0lab.packets import Card, mac, parse_udp, udp_frame

pytestmark = pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
ONE = GuestSpec(name="one", address="10.77.0.11", mac="00:16:3e:77:00:11")
OTHER = GuestSpec(name="other", address="10.77.0.12", mac="00:16:3e:77:00:12")


class Guests(threading.Thread):
    """A host with guests that answer what is asked at their addresses; ``askers``: who asked each of them."""

    def __init__(self, wire: socket.socket, specs: tuple[GuestSpec, ...]) -> None:
        super().__init__(daemon=True)
        self._wire = wire
        self._cards = {spec.name: Card(mac(spec.mac), spec.address) for spec in specs}
        self.askers: dict[str, set[str]] = {spec.name: set() for spec in specs}

    def run(self) -> None:
        """Serve until the switch is gone."""
        stream = self._wire.makefile("rb")
        while size := stream.read(4):
            frame = stream.read(int.from_bytes(size, "big"))
            for name, card in self._cards.items():
                asked = parse_udp(card, frame)
                if asked is not None:
                    self.askers[name].add(asked.source)
                    self._answer(card, name, frame[6:12], asked.source, asked.source_port, asked.data)

    def _answer(self, card: Card, name: str, to: bytes, address: str, port: int, data: bytes) -> None:
        body = {"nonce": data.split()[-1].decode(), "boot_id": name, "counter": 1, "memory_verified": True}
        frame = udp_frame(card, to, address, (GUEST_PORT, port), json.dumps(body).encode()).ljust(60, b"\0")
        self._wire.sendall(len(frame).to_bytes(4, "big") + frame)


@pytest.fixture
def switched(tmp_path: Path) -> t.Iterator[tuple[Path, Guests]]:
    """A lab's switch, with one host that has two guests."""
    keeper = control.start(tmp_path, {"xen1": ["sleep", "1000"]})
    try:
        with control.connect(tmp_path, "xen1.port", 10) as wire:
            wire.settimeout(None)
            guests = Guests(wire, (ONE, OTHER))
            guests.start()
            yield tmp_path, guests
    finally:
        control.down(tmp_path)
        os.close(keeper)


def test_each_guest_is_asked_and_watched_at_its_own_address(switched: tuple[Path, Guests]) -> None:
    """An answer of another one, which hears what is asked of all, would hide that this one is gone."""
    folder, guests = switched
    watches = [
        Observer(folder, ONE, number=21, everywhere=True),
        Observer(folder, OTHER, number=22, everywhere=True),
    ]
    with watches[0], watches[1]:
        for watch in watches:
            watch.wait_answer(20)
    seen = [watch.observation for watch in watches]
    assert [one.before["boot_id"] if one else "" for one in seen] == ["one", "other"]
    assert all(one and one.boot_id_unchanged and one.memory_verified and not one.double_answers for one in seen)
    assert guests.askers == {"one": {"10.77.0.21"}, "other": {"10.77.0.22"}}, "two with one address lose answers"
    assert Guest(folder, [], OTHER).ask(timeout=20)["boot_id"] == "other"


def test_who_asks_by_the_way_takes_no_address_that_was_chosen(switched: tuple[Path, Guests]) -> None:
    """Numbers below 50 are for those that choose."""
    folder, guests = switched
    for dummy in range(20):
        with Outside(folder, ONE) as outside:
            outside.question("ask", timeout=20)
    assert all(int(address.rpartition(".")[2]) >= 50 for address in guests.askers["one"])
