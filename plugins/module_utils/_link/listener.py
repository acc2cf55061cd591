# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver's end of the link: listens for one peer and lets it come back (private to the collection)."""

from __future__ import annotations

import os
import socket
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.dom0.xen.plugins.module_utils._link.connection import Connection
from ansible_collections.dom0.xen.plugins.module_utils._link.cover import Cover
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import (
    FrameError,
    LinkError,
    LinkLost,
    PeerRefused,
    Unreachable,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Frame, Kind
from ansible_collections.dom0.xen.plugins.module_utils._link.introduction import Introduction, objection, refusal
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packed import known

# A peer that has not shaken hands and introduced itself by then is dropped. When there are more than this many at once,
# the one that has been stalling longest makes room: a peer with the right certificate needs milliseconds.
GUEST_LIMIT = 32
GUEST_SECONDS = 10.0
BACKLOG = 128


@dataclass(frozen=True)
class _Guest:
    connection: Connection
    since: float


class Listener:
    """Accepts the one peer that shows the pinned certificate and introduces itself with this session.

    Raises :class:`Unreachable` when no port of the range can be bound.
    """

    def __init__(
        self,
        link: Link,
        *,
        session: str,
        address: str,
        ports: range,
        cover: Cover,
        clock: t.Callable[[], float],
    ) -> None:
        self._link = link
        self._cover = cover
        self._clock = clock
        self._mine = Introduction(session, os.urandom(8).hex(), None, 0, known())
        self._guests: list[_Guest] = []
        self._socket = _bind(address, ports)
        self.address = address
        self.port: int = self._socket.getsockname()[1]
        self.refused = 0

    def fileno(self) -> int:
        """Return the listening socket's descriptor."""
        return self._socket.fileno()

    @property
    def guests(self) -> list[Connection]:
        """Connections that have yet to prove themselves."""
        return [guest.connection for guest in self._guests]

    def accept(self) -> None:
        """Take the connections that wait."""
        for _dummy in range(GUEST_LIMIT):
            try:
                sock, dummy = self._socket.accept()
            except OSError:
                return
            try:
                connection = Connection(sock, self._cover)
            except LinkLost:
                self.refused += 1
                continue
            if len(self._guests) >= GUEST_LIMIT:
                # Whoever has shown the session's certificate is last to go.
                self._drop(min(self._guests, key=lambda guest: (guest.connection.established, guest.since)))
            self._guests.append(_Guest(connection, self._clock()))

    def progress(self) -> bool:
        """Work on connections that have yet to prove themselves; return whether one became the link's."""
        came_up = False
        for guest in list(self._guests):
            try:
                done = self._introduce(guest.connection)
                late = self._clock() - guest.since > GUEST_SECONDS
            except LinkError:
                done, late = False, True
            if done:
                self._guests.remove(guest)
                came_up = True
            elif late:
                self._drop(guest)
        return came_up

    def wait(self) -> float | None:
        """Return the seconds until :meth:`progress` has something to do without an event, ``None`` for never."""
        if not self._guests:
            return None
        return max(0.0, min(guest.since for guest in self._guests) + GUEST_SECONDS - self._clock())

    def close(self) -> None:
        """Stop listening and drop whoever has not proved itself."""
        for guest in self._guests:
            guest.connection.close()
        self._guests.clear()
        self._socket.close()

    def _drop(self, guest: _Guest) -> None:
        self._guests.remove(guest)
        guest.connection.close()
        self.refused += 1

    def _introduce(self, connection: Connection) -> bool:
        frames = connection.progress()
        if not frames:
            return False
        try:
            theirs = self._acceptable(frames)
        except LinkError as exc:
            connection.send(refusal(exc.message))
            raise
        self._mine = replace(self._mine, peer_nonce=theirs.nonce)
        connection.send(replace(self._mine, expected=self._link.expected).encode(Kind.WELCOME))
        self._link.attach(connection, theirs.expected)
        return True

    def _acceptable(self, frames: list[Frame]) -> Introduction:
        theirs = Introduction.decode(frames[0], Kind.HELLO)
        reason = objection(self._mine, theirs)
        if reason is not None:
            raise PeerRefused(reason)
        if not self._link.can_resume(theirs.expected):
            raise PeerRefused(f"you expect frame {theirs.expected}, which this end does not have")
        if len(frames) > 1:
            raise FrameError("a frame before the welcome")
        return theirs


def _bind(address: str, ports: range) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    problem: OSError | None = None
    for port in ports:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((address, port))
            sock.listen(BACKLOG)
        except OSError as exc:
            sock.close()
            problem = exc
            continue
        sock.setblocking(False)
        return sock
    raise Unreachable(
        f"cannot listen on {address}, ports {ports.start} to {ports.stop - 1}: {problem}",
        remedy="Give the host an address it has (dom0_xen_address), or another migrate_port_range.",
    )
