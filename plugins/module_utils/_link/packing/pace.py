# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast the peer uses what is sent, and how much of the time it is what is waited for (pure; private)."""

from __future__ import annotations

import typing as t

MEASURE_SECONDS = 0.1
# On a slow host, or way, a handful of frames in that time says next to nothing.
ENOUGH_BYTES = 1024 * 1024
MOST_SECONDS = 1.0


class Sample(t.NamedTuple):
    """What was seen in a while: bytes of the stream and of the way that were used in a second, and the share of the
    time in which nothing could be sent because the peer had not used enough.
    """

    stream: float
    way: float
    full: float


class Pace:
    """Follows acknowledgements."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._full_since: float | None = None
        self._full = 0.0
        self._stream = 0
        self._way = 0

    def full(self, full: bool, now: float) -> None:
        """Take note of whether anything can be sent from now on."""
        if full and self._full_since is None:
            self._full_since = now
        elif not full and self._full_since is not None:
            self._full += now - self._full_since
            self._full_since = None

    def used(self, stream: int, way: int, now: float) -> Sample | None:
        """Take note that the peer has used so many bytes more; return what was seen, when it is time."""
        if self._since is None:
            self._restart(now)
            return None
        self._stream += stream
        self._way += way
        elapsed = now - self._since
        if elapsed < MEASURE_SECONDS or (elapsed < MOST_SECONDS and self._stream < ENOUGH_BYTES):
            return None
        full = self._full + (now - self._full_since if self._full_since is not None else 0.0)
        sample = Sample(self._stream / elapsed, self._way / elapsed, min(1.0, full / elapsed))
        self._restart(now)
        return sample

    def forget(self) -> None:
        """Begin anew: the time without a connection says nothing about the way."""
        self._since = self._full_since = None
        self._full = 0.0

    def _restart(self, now: float) -> None:
        self._since = now
        self._full = 0.0
        self._stream = self._way = 0
        if self._full_since is not None:
            self._full_since = now
