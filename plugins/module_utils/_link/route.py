# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the dialer comes to a connected socket (private to the collection)."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.ends import Ends
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import (
    NobodyListens,
    SourceAddressMissing,
    Unreachable,
)


class Route(t.Protocol):
    """A way to the receiver's port. One attempt at a time, and nothing blocks."""

    #: For a sentence: where it leads to.
    goal: str
    #: How much longer than over a connection of one's own an attempt may take, in seconds.
    detour: float

    @property
    def ends(self) -> Ends | None:
        """The ends of the TCP connection beneath, where what was taken is not its socket."""

    def begin(self) -> None:
        """Begin an attempt. Raises a link error, or what this host is short of: :class:`OSError`, ``RuntimeError``."""

    def fileno(self) -> int:
        """Return the descriptor to wait for, -1 when there is no attempt under way."""

    def interest(self) -> int:
        """Return the selector events to wait for."""

    def take(self) -> socket.socket | None:
        """Return the connected socket, once there is one; the attempt is over then. Raises a link error."""

    def close(self) -> None:
        """Give up the attempt under way, and with it what the last one was made of."""

    def end(self) -> None:
        """End it for good; what was said last over the last attempt may still leave, which may take some seconds."""


class Direct:
    """Connects to the port itself. ``address`` is IPv4 or IPv6, and ``source``, the address of this host to come from,
    is of the same kind; where it is empty, the kernel chooses it.
    """

    detour = 0.0
    ends = None

    def __init__(self, address: str, port: int, source: str = "") -> None:
        self._address, self._port, self._source = address, port, source
        self._socket: socket.socket | None = None
        self.goal = f"{address} port {port}{f' from {source}' if source else ''}"

    def begin(self) -> None:
        """Begin an attempt."""
        try:
            found = socket.getaddrinfo(self._address, self._port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except (OSError, UnicodeError) as exc:
            raise Unreachable(f"{self._address} is not an address: {exc}") from exc
        family, kind, protocol, dummy, target = found[0]
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)
        come_from(self._socket, self._source)
        result = self._socket.connect_ex(target)
        if result not in (0, errno.EINPROGRESS):
            self._fail(result)

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno() if self._socket is not None else -1

    def interest(self) -> int:
        """Return the selector events to wait for."""
        return selectors.EVENT_WRITE

    def take(self) -> socket.socket | None:
        """Return the socket when it is connected."""
        if self._socket is None:
            return None
        result = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if result:
            self._fail(result)
        try:
            self._socket.getpeername()
        except OSError as exc:
            if exc.errno == errno.ENOTCONN:
                return None
            self._fail(exc.errno or errno.EIO)
        sock, self._socket = self._socket, None
        return sock

    def close(self) -> None:
        """Close the socket, unless it was taken."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def end(self) -> None:
        """Close it; the kernel sees to what was said last."""
        self.close()

    def _fail(self, result: int) -> t.NoReturn:
        error = NobodyListens if result == errno.ECONNREFUSED else Unreachable
        raise error(f"cannot connect to {self.goal}: {os.strerror(result)}")


def come_from(sock: socket.socket, source: str) -> None:
    """Have a socket connect from this address of this host, so that no rule of its routing chooses another one.

    Raises :class:`SourceAddressMissing`; an empty ``source`` leaves it to the kernel.
    """
    if not source:
        return
    try:
        found = socket.getaddrinfo(source, 0, sock.family, sock.type, flags=socket.AI_NUMERICHOST)
        sock.bind(found[0][4])
    except (OSError, UnicodeError) as exc:
        raise SourceAddressMissing(f"cannot connect from {source}: {exc}") from exc
