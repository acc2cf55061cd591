# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A learning Ethernet switch for QEMU's stream sockets (each frame after its length, four bytes, big-endian)."""

from __future__ import annotations

import contextlib
import selectors
import socket
import typing as t
from collections.abc import Iterable
from dataclasses import dataclass, field

from .wall import Wall

BROADCAST_BIT = 1
# A patient port whose reader is this many bytes behind stops those that write to it; QEMU then holds its guest back.
HIGH_WATER = 1 << 20
MAX_FRAME = 1 << 17


@dataclass(eq=False)
class Port:
    """One cable: who is at its end, what came in and is incomplete, what has still to go out.

    A patient port loses nothing: its senders wait. Onlookers are not patient: one that hangs harms nobody.
    """

    name: str
    wire: socket.socket
    patient: bool = True
    incoming: bytearray = field(default_factory=bytearray)
    outgoing: bytearray = field(default_factory=bytearray)
    frames: int = 0
    lost: int = 0


class Switch:
    """Forwards frames between ports, learns who is where, and can cut the cable between any two names, or wall it."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._table: dict[bytes, Port] = {}
        self._cut: set[frozenset[str]] = set()
        self._walls: dict[frozenset[str], Wall] = {}
        self.ports: list[Port] = []

    def plug(self, name: str, wire: socket.socket, *, patient: bool = True) -> Port:
        """A new cable at ``name``."""
        wire.setblocking(False)
        port = Port(name, wire, patient)
        self.ports.append(port)
        self._selector.register(wire, selectors.EVENT_READ, port)
        return port

    def unplug(self, port: Port) -> None:
        if port not in self.ports:
            return
        self.ports.remove(port)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(port.wire)
        port.wire.close()
        self._table = {mac: p for mac, p in self._table.items() if p is not port}

    def forget(self) -> None:
        """Empty the table of who is where, as after a restart of the switch."""
        self._table.clear()

    def cut(self, one: str, other: str) -> None:
        """From now on no frame passes between the two names; both still reach everybody else."""
        self._cut.add(frozenset((one, other)))

    def wall(self, one: str, other: str, ports: Iterable[int]) -> None:
        """From now on nothing but what belongs to these TCP ports passes between the two names; see :class:`Wall`."""
        self._walls[frozenset((one, other))] = Wall(ports)

    def mend(self) -> None:
        """Everything passes between everybody again."""
        self._cut.clear()
        self._walls.clear()

    @property
    def cuts(self) -> list[list[str]]:
        return [sorted(pair) for pair in self._cut]

    @property
    def walls(self) -> list[dict[str, t.Any]]:
        """What each wall has on record."""
        return [
            {"between": sorted(pair), "knocks": sorted(wall.knocks), "refused": wall.refused}
            for pair, wall in self._walls.items()
        ]

    def ready(self, port: Port, events: int) -> None:
        """The selector saw ``port``."""
        if events & selectors.EVENT_WRITE:
            self._flush(port)
        if events & selectors.EVENT_READ and port in self.ports:
            self._read(port)

    def _read(self, port: Port) -> None:
        try:
            data = port.wire.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.unplug(port)
            return
        port.incoming += data
        touched = self._forward(port)
        for target in touched:
            self._flush(target)

    def _forward(self, port: Port) -> set[Port]:
        """Hand on the complete frames; those in a row for the same port travel as one piece."""
        buffer, touched = port.incoming, set[Port]()
        start = position = 0
        run: Port | None = None
        while len(buffer) - position >= 4:
            size = int.from_bytes(buffer[position : position + 4], "big")
            if size > MAX_FRAME:
                self.unplug(port)
                return touched
            end = position + 4 + size
            if end > len(buffer):
                break
            port.frames += 1
            target_mac, source_mac = (
                bytes(buffer[position + 4 : position + 10]),
                bytes(buffer[position + 10 : position + 16]),
            )
            if not source_mac[0] & BROADCAST_BIT:
                self._table[source_mac] = port
            target = None if target_mac[0] & BROADCAST_BIT else self._table.get(target_mac)
            if target is None or target is not run:
                if run is not None:
                    self._send(port, run, buffer[start:position])
                    touched.add(run)
                start, run = position, target
            if target is None:
                for other in self.ports:
                    if other is not port:
                        self._send(port, other, buffer[position:end])
                        touched.add(other)
                start = end
            position = end
        if run is not None and start < position:
            self._send(port, run, buffer[start:position])
            touched.add(run)
        del buffer[:position]
        return touched

    def _send(self, source: Port, target: Port, data: bytearray) -> None:
        pair = frozenset((source.name, target.name))
        if source is target or pair in self._cut:
            source.lost += source is not target
            return
        if pair in self._walls:
            data = self._walls[pair].passing(source.name, data)
        if not target.patient and len(target.outgoing) > HIGH_WATER:
            target.lost += 1
            return
        target.outgoing += data

    def _flush(self, port: Port) -> None:
        try:
            while port.outgoing:
                sent = port.wire.send(port.outgoing)
                del port.outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self.unplug(port)
        self._balance()

    def _balance(self) -> None:
        """Wait for room where something is left to send; hold everybody back while one is far behind."""
        behind = [port for port in self.ports if port.patient and len(port.outgoing) > HIGH_WATER]
        held = {p for p in self.ports if behind and not (len(behind) == 1 and p is behind[0])}
        for port in self.ports:
            wanted = (0 if port in held else selectors.EVENT_READ) | (selectors.EVENT_WRITE if port.outgoing else 0)
            self._want(port, wanted)

    def _want(self, port: Port, events: int) -> None:
        known = self._selector.get_map().get(port.wire)
        if known is not None and known.events == events:
            return
        if known is not None and events:
            self._selector.modify(port.wire, events, port)
        elif known is not None:
            self._selector.unregister(port.wire)
        elif events:
            self._selector.register(port.wire, events, port)


def listeners(names: Iterable[str]) -> dict[str, socket.socket]:
    """A listening socket NAME.port in the current folder for every name."""
    made: dict[str, socket.socket] = {}
    for name in names:
        server = socket.socket(socket.AF_UNIX)
        server.bind(f"{name}.port")
        server.listen(8)
        server.setblocking(False)
        made[name] = server
    return made
