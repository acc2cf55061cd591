# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes stream bytes smaller before they leave, as much as pays on this way (private to the collection)."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.packing import zeros, zstd
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.choosing import Choice, Cost
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.pace import Pace
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packed import Method, encode_header

AUTO = "auto"
NONE = "none"
# From what costs least to what leaves least. Higher levels of zstd leave a few per cent less for several times as long.
WAYS: dict[str, tuple[Method, int] | None] = {
    NONE: None,
    "zeros": (Method.ZEROS, 0),
    "zstd1": (Method.ZSTD, 1),
    "zstd3": (Method.ZSTD, 3),
    "zstd6": (Method.ZSTD, 6),
}

# What leaves more of a piece than this share is not worth undoing.
LEFT = 0.98
# How much of its time a packer may spend on finding out what other ways would do, and how often it begins with that.
LOOKING_SHARE = 0.02
FIRST_LOOKS = 3
# A smaller piece says too little, and so do fewer bytes sent of what that costs.
LEAST_BYTES = 32 * 1024
LEAST_SENT_BYTES = 1024 * 1024


class Packed(t.NamedTuple):
    """What is to be sent for a piece: the header of a ``PACKED`` frame's payload and its body; no header: as it is."""

    header: bytes
    body: bytes


def usable(wanted: str, peer_knows: t.Collection[str]) -> list[str]:
    """Return the ways that ``wanted`` (a key of ``WAYS``, or ``auto``) allows where the peer can undo these methods."""
    found = [
        name
        for name, way in WAYS.items()
        if way is None or (way[0].name.lower() in peer_knows and (way[0] is not Method.ZSTD or zstd.HAVE_ZSTD))
    ]
    if wanted == AUTO:
        return found
    # Where zstd is missing on one side, what comes nearest.
    return [wanted if wanted in found else found[-1]]


class Packer:
    """Packs pieces one by one. ``clock`` measures what that takes: the processor time of this thread, in seconds."""

    def __init__(self, ways: t.Sequence[str], clock: t.Callable[[], float] = time.thread_time) -> None:
        self.choice = Choice(ways)
        self._clock = clock
        self._pace = Pace()
        self._contexts: dict[int, zstd.Compressor] = {}
        self._looks = 0
        # Bytes of the stream that the peer has not used, and those that were packed since the way was changed.
        self._unused = self._since_change = 0
        self._looked = 0.0
        self._took = 0.0
        # What the connection in use had sent, and in what processor time, when that was last looked at.
        self._sent: tuple[int, float] = (0, 0.0)
        self.stream_bytes = 0
        self.way_bytes = 0
        self.used: dict[str, int] = {}

    @property
    def used_bytes(self) -> int:
        """Bytes of the stream that the peer has used."""
        # Messages that it has used count like the stream's bytes, and were never packed.
        return self.stream_bytes - max(0, self._unused)

    def pack(self, data: bytes) -> Packed:
        """Return what to send for ``data``, which is not empty."""
        names = self._to_look_at(len(data))
        results: dict[str, bytes | None] = {}
        costs: dict[str, Cost] = {}
        for name in names or [self.choice.current]:
            self._warm(name, data)
            begin = self._clock()
            results[name] = self._by(name, data)
            seconds = self._clock() - begin
            costs[name] = Cost(seconds / len(data), self._size(results[name], data) / len(data))
            if names and name != self.choice.current:
                # Where all is unknown nothing can be saved by not looking.
                self._looked += seconds if self._looks >= FIRST_LOOKS else 0.0
            else:
                self._took += seconds
        name = self.choice.current
        if names:
            before = self.choice.current
            self.choice.measured(costs)
            self._looks += 1
            if self.choice.choose() != before:
                self._since_change = 0
            name = self.choice.current if self.choice.current in results else name
        return self._told(name, results[name], data)

    def full(self, full: bool, now: float) -> None:
        """Take note of whether the peer must use something before more can be sent."""
        self._pace.full(full, now)

    def acknowledged(self, stream: int, way: int, now: float) -> None:
        """Take note that the peer has used so many bytes of the stream, for which so many were sent."""
        if not way:
            # It was said again, and tells nothing about the way.
            return
        sample = self._pace.used(stream, way, now)
        self._unused -= stream
        if sample is None:
            return
        if self._unused > self._since_change:
            # What was packed another way is still under way.
            return
        before = self.choice.current
        self.choice.carried(*sample)
        if self.choice.choose() != before:
            self._since_change = 0

    def sent(self, count: int, seconds: float) -> None:
        """Take note of how many bytes the connection in use has sent so far, and of the processor time of that."""
        before, since = self._sent
        # Where two clocks tick coarsely, what was sent cost nothing at all.
        if count - before >= LEAST_SENT_BYTES and seconds > since:
            self._sent = (count, seconds)
            self.choice.sent((seconds - since) / (count - before))

    def lost(self) -> None:
        """Take note that the connection has gone."""
        self._sent = (0, 0.0)
        self._pace.forget()

    def _to_look_at(self, size: int) -> list[str]:
        if len(self.choice.names) < 2 or size < LEAST_BYTES:
            return []
        spent = self._took + self.choice.sending * self.way_bytes
        if self._looks >= FIRST_LOOKS and self._looked > LOOKING_SHARE * spent:
            return []
        return self.choice.neighbours()

    def _by(self, name: str, data: bytes) -> bytes | None:
        way = WAYS[name]
        if way is None:
            return None
        method, level = way
        return zeros.pack(data) if method is Method.ZEROS else self._contexts[level].pack(data)

    def _warm(self, name: str, data: bytes) -> None:
        """Let zstd take its memory for a level, which costs it as much as many pieces, and once only."""
        method, level = WAYS[name] or (None, 0)
        if method is Method.ZSTD and level not in self._contexts:
            self._contexts[level] = zstd.Compressor(level)
            self._contexts[level].pack(data)

    @staticmethod
    def _size(result: bytes | None, data: bytes) -> int:
        return len(data) if result is None else min(len(result), len(data))

    def _told(self, name: str, result: bytes | None, data: bytes) -> Packed:
        way = WAYS[name]
        self.stream_bytes += len(data)
        self._unused += len(data)
        self._since_change += len(data)
        self.used[name] = self.used.get(name, 0) + len(data)
        if way is None or result is None or len(result) > LEFT * len(data):
            self.way_bytes += len(data)
            return Packed(b"", data)
        self.way_bytes += len(result)
        return Packed(encode_header(way[0], len(data)), result)

    def told(self) -> dict[str, t.Any]:
        """Return what the status says: bytes of the stream, bytes sent for them, by which ways, and why."""
        return {
            "stream_bytes": self.stream_bytes,
            "way_bytes": self.way_bytes,
            "by": dict(self.used),
            "now": self.choice.current,
            **self.choice.told(),
        }
