# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a stream may be on its way (pure; private to the collection).

What is on its way when the guest is suspended must arrive before the destination can start it, so every byte of
buffering is stop time. Too little, and a long network stays empty. So it is what the peer uses in the round trip and
a tenth of a second.
"""

from __future__ import annotations

QUEUE_SECONDS = 0.1
LEAST = 512 * 1024
MEASURE_SECONDS = 0.25


class Window:
    """Follows the peer's acknowledgements; :attr:`size` is in bytes, between ``LEAST`` and ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._least = min(LEAST, most)
        self._since: float | None = None
        self._used = 0
        self.size = min(most, 2 * LEAST)

    def open(self) -> None:
        """Allow the most from now on, whatever the rate."""
        self._least = self.size = self._most

    def used(self, count: int, now: float, round_trip: float | None) -> None:
        """Take note that the peer has used ``count`` more bytes. ``round_trip`` is the shortest one seen, in seconds.

        A rate that was bounded by the window itself is the window over the round trip, so a window that is too
        small grows with every measurement.
        """
        if self._since is None or round_trip is None:
            self._since, self._used = now, 0
            return
        self._used += count
        elapsed = now - self._since
        if elapsed < MEASURE_SECONDS:
            return
        wanted = int(self._used / elapsed * (round_trip + QUEUE_SECONDS))
        self.size = max(self._least, min(self._most, wanted))
        self._since, self._used = now, 0
