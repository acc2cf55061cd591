# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No more bytes in a second than somebody allows (pure; private to the collection)."""

from __future__ import annotations

# What may leave at once after a pause: as much as so many seconds bring.
BURST_S = 0.05


class RateLimit:
    """Says when the next bytes may leave, so that in the mean no more than ``rate`` do, in bytes a second."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._due = 0.0

    def took(self, count: int, now: float) -> None:
        """Take note of bytes that leave at ``now``, in seconds."""
        self._due = max(self._due, now - BURST_S) + count / self._rate

    def wait(self, now: float) -> float:
        """Return how long nothing more may leave, in seconds."""
        return max(0.0, self._due - now)
