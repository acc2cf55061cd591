# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One non-blocking connection that sends and receives frames (private to the collection)."""

from __future__ import annotations

import selectors
import socket
import ssl
import time
import typing as t
from collections import deque

from ansible_collections.dom0.xen.plugins.module_utils._link.cover import Cover
from ansible_collections.dom0.xen.plugins.module_utils._link.ends import Ends, of_socket
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import (
    FrameError,
    LinkError,
    LinkLost,
    PeerNotPinned,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Frame, FrameReader
from ansible_collections.dom0.xen.plugins.module_utils._link.tls_socket import PIECE_BYTES

# One turn of the caller's event loop handles about this much, so that acknowledgements and signals get their turn.
TURN_BYTES = 1024 * 1024

# OpenSSL's reason names for "this certificate will not do", seen at either end.
_CERTIFICATE_REASONS = ("CERTIFICATE", "UNKNOWN_CA")


class Connection:
    """A connected socket, the handshake of its cover, and the frames in both directions.

    The caller watches :meth:`fileno` for :meth:`interest` and calls :meth:`progress` when it is ready.
    Nothing here blocks. Every failure of the connection is a :class:`LinkLost`, a wrong certificate a
    :class:`PeerNotPinned`, anything else than frames a :class:`FrameError`; the constructor raises :class:`LinkLost`
    when the peer has gone already. ``ends`` are those of the TCP connection beneath, where ``sock`` is not it.
    """

    def __init__(self, sock: socket.socket, cover: Cover, ends: Ends | None = None) -> None:
        self.ends = ends or of_socket(sock)
        try:
            self._covered = cover.over(sock)
            self._peer_certificate = cover.peer_certificate
        except OSError as exc:
            sock.close()
            raise _named(exc) from exc
        self._reader = FrameReader()
        self._out: deque[memoryview] = deque()
        self._unread: list[Frame] = []
        self._error: LinkError | None = None
        self._begun = False
        self.established = False
        self.received_bytes = 0
        self.queued_bytes = 0
        self.sent_bytes = 0
        # The processor time of encrypting and handing over those, in seconds.
        self.sending_seconds = 0.0

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._covered.fileno()

    def interest(self) -> int:
        """Return the selector events to wait for."""
        waits = self._covered.leaving or (bool(self._out) if self.established else not self._begun)
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if waits else 0)

    def send(self, *buffers: bytes | bytearray | memoryview) -> None:
        """Queue buffers; they leave with the next :meth:`progress`, and must not be changed before."""
        for buffer in buffers:
            if len(buffer):
                self._out.append(memoryview(buffer))
                self.queued_bytes += len(buffer)

    @property
    def unread_frames(self) -> bool:
        """Whether :meth:`progress` has something to return that no selector tells of."""
        return bool(self._unread)

    def progress(self, *, readable: bool = True) -> list[Frame]:
        """Shake hands, send and receive as far as possible without blocking; return the frames that arrived.

        With ``readable`` false nothing is received, which saves a system call where a selector said so.
        What arrived before a failure is returned first, and the failure raised by the next call.
        """
        if not self.established and not self._attempt(self._shake_hands):
            self._raise_error()
            return []
        frames, self._unread = self._unread, []
        self._attempt(self._flush)
        if readable:
            self._attempt(lambda: self._receive(frames))
        if not frames:
            self._raise_error()
        return frames

    def unread(self, frames: list[Frame]) -> None:
        """Put frames back, to be returned first by the next :meth:`progress`."""
        self._unread = frames + self._unread

    def close(self) -> None:
        """Close the socket; what the kernel does not take at once is dropped."""
        if self.established:
            self._attempt(self._flush)
        self._out.clear()
        # It refers to where it was raised, and so to this: a crowd's memory would stay until the next collection.
        self._error = None
        self._covered.close()

    def _attempt(self, step: t.Callable[[], bool | None]) -> bool:
        """Return what ``step`` returns; keep the first failure of the connection for :meth:`_raise_error`."""
        try:
            return bool(step())
        except OSError as exc:
            self._error = self._error or _named(exc)
        except LinkError as exc:
            self._error = self._error or exc
        return False

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _shake_hands(self) -> bool:
        self._begun = True
        if not self._covered.admit(self._peer_certificate):
            return False
        self.established = True
        return True

    def _flush(self) -> None:
        if not self._out and not self._covered.leaving:
            return
        begin = time.thread_time()
        while self._error is None and self._covered.flush() and self._out:
            size = 0
            while self._out and size < PIECE_BYTES:
                view = self._out.popleft()
                self._covered.write(view)
                size += len(view)
            self.sent_bytes += size
        self.sending_seconds += time.thread_time() - begin

    def _receive(self, frames: list[Frame]) -> None:
        if isinstance(self._error, FrameError):
            return
        room = TURN_BYTES
        # What was fetched is taken out whole: no selector would tell of the rest.
        while True:
            count = self._covered.read_into(self._reader.target())
            if count:
                frame = self._reader.filled(count)
                if frame is not None:
                    frames.append(frame)
                continue
            fetched = self._covered.fetch() if room > 0 else 0
            if not fetched:
                return
            self.received_bytes += fetched
            # Less than a piece was all there was.
            room = room - fetched if fetched == PIECE_BYTES else 0


def _named(exc: OSError) -> LinkError:
    if isinstance(exc, ssl.SSLError) and any(word in str(exc.reason) for word in _CERTIFICATE_REASONS):
        return PeerNotPinned(f"the peer did not accept or show this session's certificate ({exc})")
    return LinkLost(f"the connection broke: {exc.strerror or exc}")
