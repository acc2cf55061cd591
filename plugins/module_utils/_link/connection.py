# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One non-blocking TLS connection that sends and receives frames (private to the collection)."""

from __future__ import annotations

import selectors
import socket
import ssl
import typing as t
from collections import deque

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkLost, PeerNotPinned
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Frame, FrameReader
from ansible_collections.dom0.xen.plugins.module_utils._link.tls import read_write_wants, verify_pinned

# One turn of the caller's event loop handles at most this much, so that acknowledgements and signals get their turn.
TURN_BYTES = 1024 * 1024

# OpenSSL's reason names for "this certificate will not do", seen at either end.
_CERTIFICATE_REASONS = ("CERTIFICATE", "UNKNOWN_CA")


class Connection:
    """A connected TCP socket, its TLS handshake, and the frames in both directions.

    The caller watches :meth:`fileno` for :meth:`interest` and calls :meth:`progress` when it is ready.
    Nothing here blocks. Every failure of the connection is a :class:`LinkLost`, a wrong certificate a
    :class:`PeerNotPinned`.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, *, server: bool, peer_certificate: str) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tls = context.wrap_socket(sock, server_side=server, do_handshake_on_connect=False)
        self._peer_certificate = peer_certificate
        self._reader = FrameReader()
        self._out: deque[memoryview] = deque()
        self._unread: list[Frame] = []
        self._wants: str | None = "write"
        self.established = False
        self.sent_bytes = 0
        self.received_bytes = 0

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._tls.fileno()

    def interest(self) -> int:
        """Return the selector events to wait for."""
        if not self.established:
            return selectors.EVENT_READ if self._wants == "read" else selectors.EVENT_READ | selectors.EVENT_WRITE
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if self._out else 0)

    def send(self, *buffers: bytes | memoryview) -> None:
        """Queue buffers; they leave with the next :meth:`progress`."""
        for buffer in buffers:
            if len(buffer):
                self._out.append(memoryview(buffer))

    @property
    def backlog(self) -> int:
        """Number of buffers that have not left yet."""
        return len(self._out)

    def progress(self) -> list[Frame]:
        """Shake hands, send and receive as far as possible without blocking; return the frames that arrived."""
        try:
            if not self.established and not self._shake_hands():
                return []
            self._flush()
            frames, self._unread = self._unread, []
            frames += self._receive(bool(frames))
            self._flush()
            return frames
        except (ssl.SSLError, OSError) as exc:
            if isinstance(exc, ssl.SSLError) and any(word in str(exc.reason) for word in _CERTIFICATE_REASONS):
                raise PeerNotPinned("the peer did not accept or show this session's certificate (%s)" % exc) from exc
            raise LinkLost("the connection broke: %s" % (exc.strerror or exc)) from exc

    def unread(self, frames: list[Frame]) -> None:
        """Put frames back, to be returned first by the next :meth:`progress`."""
        self._unread = frames + self._unread

    def close(self) -> None:
        """Close the socket; frames not yet sent are dropped."""
        self._out.clear()
        self._tls.close()

    def _shake_hands(self) -> bool:
        try:
            self._tls.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as exc:
            self._wants = read_write_wants(exc)
            return False
        verify_pinned(self._tls, self._peer_certificate)
        self.established = True
        return True

    def _flush(self) -> None:
        while self._out:
            view = self._out[0]
            try:
                count = self._tls.send(view)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            self.sent_bytes += count
            if count == len(view):
                self._out.popleft()
            else:
                self._out[0] = view[count:]

    def _receive(self, have_frames: bool) -> list[Frame]:
        frames: list[Frame] = []
        room = TURN_BYTES
        # TLS may hold decrypted bytes that no selector reports, so the turn ends early only when nothing is held.
        while room > 0 or self._tls.pending():
            try:
                count = self._tls.recv_into(t.cast("bytearray", self._reader.target()))
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            if not count:
                if frames or have_frames:
                    break
                raise LinkLost("the peer closed the connection")
            room -= count
            self.received_bytes += count
            frame = self._reader.filled(count)
            if frame is not None:
                frames.append(frame)
        return frames
