# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the two hosts' monotonic clocks are apart (pure; private to the collection)."""

from __future__ import annotations

from dataclasses import dataclass

# How fast two hosts' clocks may drift apart: NTP corrects by no more than this (adjtimex(2), 500 ppm).
CLOCK_DRIFT = 500e-6
# No monotonic clock shows more seconds; a peer's figure above is none to calculate with.
CLOCK_MAX = 1e12


@dataclass(frozen=True)
class ClockOffset:
    """How far the peer's monotonic clock is ahead of ours, in seconds, and the round trip it was measured with."""

    seconds: float
    round_trip: float


class Clocks:
    """The best measurement so far, :attr:`offset`; ``None`` before the first."""

    def __init__(self) -> None:
        self.offset: ClockOffset | None = None
        self._measured = 0.0

    def take(self, sent: object, theirs: object, now: float, attached: float) -> None:
        """Take a measurement that is better than the one in use, which ages as clocks drift.

        ``sent`` and ``now`` are when this end asked and got the answer, ``theirs`` the peer's clock in it, all in
        seconds; ``attached`` is since when the connection is there. What a peer says is looked at first.
        """
        if not (isinstance(sent, float) and isinstance(theirs, float) and abs(theirs) <= CLOCK_MAX):
            return
        trip = now - sent
        if not 0.0 <= trip <= now - attached:
            return
        if self.offset is None or trip < self.offset.round_trip + 2 * CLOCK_DRIFT * (now - self._measured):
            self.offset = ClockOffset(theirs - (sent + now) / 2, trip)
            self._measured = now
