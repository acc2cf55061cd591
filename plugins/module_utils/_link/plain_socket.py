# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A socket whose ends prove themselves under TLS and then go on without it (private to the collection).

So whoever is not the session's peer is refused exactly as over TLS, and no secret has to be shared for it. What follows
can be read, and changed, by whoever sits on the way.
"""

from __future__ import annotations

import socket
import ssl
from collections import deque

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError, LinkLost
from ansible_collections.dom0.xen.plugins.module_utils._link.tls_socket import TlsSocket

# Each end says it under TLS, as its last word there, once it knows the other. An end that expects encrypted frames
# takes it for a broken frame, so neither can be talked into the other's way.
LAST_WORD = b"dom0.xen: plain from here on\n"
# How many buffers one system call may take (IOV_MAX of limits.h is 1024).
_MOST_BUFFERS = 64


class PlainSocket(TlsSocket):
    """As :class:`TlsSocket`, of which it uses the handshake alone."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, *, server: bool) -> None:
        super().__init__(sock, context, server=server)
        self._known = False
        self._plain = False
        self._heard = b""
        self._queue: deque[memoryview] = deque()
        self._pending = memoryview(b"")

    @property
    def leaving(self) -> bool:
        """Whether the kernel has not yet taken all that was written."""
        return bool(self._queue) if self._plain else super().leaving

    def admit(self, peer_certificate: str) -> bool:
        """Go on with the handshake and the last words under TLS; return whether both ends are done with it."""
        if not self._known:
            if not super().admit(peer_certificate):
                return False
            self._known = True
            self._tls.write(LAST_WORD)
        super().flush()
        while len(self._heard) < len(LAST_WORD):
            try:
                piece = self._tls.read(len(LAST_WORD) - len(self._heard))
            except ssl.SSLWantReadError:
                if not super().fetch():
                    return False
                continue
            if not piece:
                raise LinkLost("the peer closed the connection")
            self._heard += piece
        if self._heard != LAST_WORD:
            raise FrameError("the peer goes on with encrypted frames, this end was told to use the transport tcp")
        self._go_plain()
        return True

    def write(self, data: memoryview) -> None:
        """Queue ``data``, which must not be changed until it has left."""
        self._queue.append(data)

    def flush(self) -> bool:
        """Send what the kernel takes; return whether everything has left."""
        if not self._plain:
            return super().flush()
        while self._queue:
            try:
                sent = self._socket.sendmsg([self._queue[each] for each in range(min(len(self._queue), _MOST_BUFFERS))])
            except BlockingIOError:
                return False
            while sent:
                first = self._queue.popleft()
                if sent < len(first):
                    self._queue.appendleft(first[sent:])
                    break
                sent -= len(first)
        return True

    def read_into(self, target: memoryview) -> int:
        """Copy into ``target`` what :meth:`fetch` got; return how many bytes, 0 when more is needed."""
        count = min(len(target), len(self._pending))
        target[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def fetch(self) -> int:
        """Receive once, at most a piece; return how many bytes, 0 when there are none now."""
        if not self._plain:
            return super().fetch()
        count = self._receive()
        self._pending = self._piece[:count]
        return count

    def _go_plain(self) -> None:
        # OpenSSL reads no further than the record it needs, so what came with the last word is still there.
        self._pending = memoryview(self._incoming.read())
        for left in (self._leaving, memoryview(self._outgoing.read())):
            if len(left):
                self._queue.append(left)
        self._plain = True
