# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reliable order over connections that come and go (pure; private to the collection).

Each direction numbers its ``DATA``, ``PACKED`` and ``MESSAGE`` frames. What was sent stays in a replay buffer until the
peer acknowledged it, and *acknowledged* means used: for stream data, written into the receiver's ``xl``.
After a reconnect both sides say which number they expect next, and the rest is sent again.
"""

from __future__ import annotations

import typing as t
from collections import deque

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import (
    Frame,
    Kind,
    encode_document,
    encode_header,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packed import announced

# What a frame costs in memory beside its payload, in bytes.
FRAME_COST = 512

Buffers = t.Tuple[t.Union[bytes, memoryview], ...]


class Used(t.NamedTuple):
    """What the peer has used: bytes as the window counts them, and the bytes of payload that were sent for them."""

    stream: int
    way: int


class Outgoing:
    """Numbers frames and keeps them until they are acknowledged.

    ``window`` bounds the unacknowledged payload in bytes: :attr:`full` says stop reading new data.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self._next = 0
        self._kept: deque[tuple[int, int, int, Buffers]] = deque()
        self._bytes = 0

    @property
    def full(self) -> bool:
        """Whether the replay buffer holds as much as it may."""
        return self._bytes >= self.window

    @property
    def pending(self) -> int:
        """Number of frames not yet acknowledged."""
        return len(self._kept)

    def data(self, payload: bytes | memoryview) -> Buffers:
        """Return the buffers of a new ``DATA`` frame. ``payload`` must not be changed until it is acknowledged."""
        return self._keep((encode_header(Kind.DATA, len(payload), self._next), payload), len(payload), len(payload))

    def packed(self, header: bytes, body: bytes | memoryview, size: int) -> Buffers:
        """Return the buffers of a new ``PACKED`` frame that stands for ``size`` bytes.

        These are what the window counts: the peer takes as much memory for it as for a ``DATA`` frame.
        """
        length = len(header) + len(body)
        return self._keep((encode_header(Kind.PACKED, length, self._next), header, body), size, length)

    def message(self, document: t.Mapping[str, t.Any]) -> Buffers:
        """Return the buffers of a new ``MESSAGE`` frame."""
        frame = encode_document(Kind.MESSAGE, document, self._next)
        return self._keep((frame,), len(frame), len(frame))

    def acknowledged(self, expected: int) -> Used:
        """Forget every frame below ``expected``; return what they were.

        Raises :class:`FrameError` for one that was never sent.
        """
        if expected > self._next:
            raise FrameError(f"the peer acknowledged {expected} frames, only {self._next} were sent")
        before, way = self._bytes, 0
        while self._kept and self._kept[0][0] < expected:
            dummy, size, length, dummy_buffers = self._kept.popleft()
            self._bytes -= size
            way += length
        return Used(before - self._bytes, way)

    def can_replay(self, expected: int) -> bool:
        """Whether a peer that expects ``expected`` next can be served: that, and all after it, is still here."""
        first = self._kept[0][0] if self._kept else self._next
        return first <= expected <= self._next

    def replay(self, expected: int) -> list[Buffers]:
        """Return what a peer that expects ``expected`` has not got. Raises :class:`FrameError` if that is impossible.

        What has arrived at the peer stays here until it has been used there: the window goes on to bound what the
        peer holds in memory, however often the connection is made again.
        """
        if not self.can_replay(expected):
            raise FrameError(f"the peer expects frame {expected}, which this end does not have")
        return [buffers for number, dummy, dummy_length, buffers in self._kept if number >= expected]

    def _keep(self, buffers: Buffers, size: int, length: int) -> Buffers:
        self._kept.append((self._next, size, length, buffers))
        self._bytes += size
        self._next += 1
        return buffers


class Incoming:
    """Accepts numbered frames once and in order.

    ``limit`` bounds what has arrived and not been used, in bytes, each frame with ``FRAME_COST``.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._arrived = 0
        self._used = 0
        self._held: deque[tuple[int, int]] = deque()
        self._bytes = 0

    @property
    def expected(self) -> int:
        """The number that the next frame to arrive must have."""
        return self._arrived

    @property
    def used(self) -> int:
        """What to acknowledge: every frame below this number has been used."""
        return self._used

    def accept(self, frame: Frame) -> bool:
        """Return whether the frame is new; a repeated one is not.

        Raises :class:`FrameError` for a gap, or for more than the limit. What is packed counts as what it stands for.
        """
        if frame.number < self._arrived:
            return False
        if frame.number > self._arrived:
            raise FrameError(f"frame {frame.number} arrived where {self._arrived} was expected")
        size = announced(frame.payload) if frame.kind is Kind.PACKED else len(frame.payload)
        cost = FRAME_COST + size
        if self._bytes + cost > self._limit:
            raise FrameError(f"the peer sent more than {self._limit} bytes that have not been used here")
        self._held.append((frame.number, cost))
        self._bytes += cost
        self._arrived += 1
        return True

    def use(self, number: int) -> None:
        """Take note that the frame ``number``, and with it every frame before, has been used."""
        self._used = max(self._used, number + 1)
        while self._held and self._held[0][0] <= number:
            self._bytes -= self._held.popleft()[1]
