# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A non-blocking socket under TLS that moves many records with one system call (private to the collection).

A record holds 16 KiB at most, and :class:`ssl.SSLSocket` makes a system call for each, two where it receives. In a
dom0 every one of them goes through the hypervisor, so records are gathered in memory here.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkLost
from ansible_collections.dom0.xen.plugins.module_utils._link.tls import verify_pinned

# What one system call should move.
PIECE_BYTES = 256 * 1024
# The same while nobody knows who the peer is.
HANDSHAKE_PIECE_BYTES = 16 * 1024


class TlsSocket:
    """A connected socket, TCP or Unix, and its TLS state.

    Every method does what can be done without blocking, and raises :class:`OSError` (which :class:`ssl.SSLError` is)
    or :class:`LinkLost` when the connection broke or the peer closed it.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, *, server: bool) -> None:
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=server)
        self._piece = memoryview(bytearray(HANDSHAKE_PIECE_BYTES))
        self._leaving = memoryview(b"")

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    @property
    def leaving(self) -> bool:
        """Whether the kernel has not yet taken all that was written."""
        return bool(self._leaving) or bool(self._outgoing.pending)

    def shake_hands(self) -> bool:
        """Go on with the handshake; return whether it is done. Raises :class:`ssl.SSLError` when it failed."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self.flush()
                if not self.fetch():
                    return False
            except ssl.SSLError:
                # The alert that tells the peer why; why is told here whether it leaves or not.
                with contextlib.suppress(OSError):
                    self.flush()
                raise
            else:
                self.flush()
                return True

    def verify_pinned(self, peer_certificate: str) -> None:
        """Raise :class:`PeerNotPinned` unless the peer showed exactly ``peer_certificate`` (PEM)."""
        verify_pinned(self._tls, peer_certificate)
        self._piece = memoryview(bytearray(PIECE_BYTES))

    def admit(self, peer_certificate: str) -> bool:
        """Go on with all that comes before the first frame; return whether it is done.

        Raises :class:`PeerNotPinned` for a peer other than that of ``peer_certificate``.
        """
        if not self.shake_hands():
            return False
        self.verify_pinned(peer_certificate)
        return True

    def write(self, data: memoryview) -> None:
        """Encrypt all of ``data``; :meth:`flush` sends it."""
        self._tls.write(data)

    def flush(self) -> bool:
        """Send what the kernel takes; return whether everything has left."""
        while self.leaving:
            if not self._leaving:
                self._leaving = memoryview(self._outgoing.read())
            try:
                sent = self._socket.send(self._leaving)
            except BlockingIOError:
                return False
            self._leaving = self._leaving[sent:]
        return True

    def read_into(self, target: memoryview) -> int:
        """Decrypt into ``target`` what :meth:`fetch` got; return how many bytes, 0 when more is needed."""
        have, size, read = 0, len(target), self._tls.read
        try:
            while have < size:
                # With a buffer it returns a number; the types of the standard library do not say so.
                count = t.cast("int", read(size - have, t.cast("bytearray", target[have:])))
                if not count:
                    raise LinkLost("the peer closed the connection")
                have += count
        except ssl.SSLWantReadError:
            pass
        return have

    def fetch(self) -> int:
        """Receive once, at most a piece; return how many bytes, 0 when there are none now."""
        count = self._receive()
        if count:
            self._incoming.write(self._piece[:count])
        return count

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _receive(self) -> int:
        try:
            count = self._socket.recv_into(self._piece)
        except BlockingIOError:
            return 0
        if not count:
            raise LinkLost("the peer closed the connection")
        return count
