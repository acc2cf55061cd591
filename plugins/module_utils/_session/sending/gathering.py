# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Letting small records gather in the pipe before they are read (private to the collection).

A PVH guest's memory ends with a thousand records of 8 KiB, for which there are no pages. Each wakes this process, and
is a turn of its own at both ends: in a slow dom0 with one processor, where a turn takes several milliseconds, that took
10 of 60 seconds. So after a small piece the pipe is left alone for a few times as long as that piece has taken: never
where it has taken next to nothing, and never while the guest stands still.
"""

from __future__ import annotations

import typing as t

# What is small, in bytes.
SMALL = 64 * 1024
# For how many times as long as a small piece has taken, at most for how long, and what is not worth it, in seconds.
TIMES = 4.0
MOST_S = 0.02
LEAST_S = 0.001


class Gathering:
    """One sender's. ``clock`` is monotonic, in seconds."""

    def __init__(self, clock: t.Callable[[], float]) -> None:
        self._clock = clock
        self._small_at: float | None = None
        self._until = 0.0
        self._rests = False

    def begin(self, size: int, live: bool) -> None:
        """Take note that so many bytes were read, and are seen to now; ``live``: the guest runs meanwhile."""
        self._small_at = self._clock() if live and size < SMALL else None

    @property
    def rests(self) -> bool:
        """Whether nothing is to be read now; asked for when what was read has been seen to."""
        now = self._clock()
        if self._small_at is not None:
            took, self._small_at = now - self._small_at, None
            self._until = now + min(TIMES * took, MOST_S) if took >= LEAST_S else now
        self._rests = now < self._until
        return self._rests

    def may_read(self, free: bool) -> bool:
        """Say whether the pipe is read now; ``free``: nothing else speaks against it.

        It is asked whatever that says: what the last piece has taken ends here, and :attr:`wait` follows the answer.
        """
        return not self.rests and free

    @property
    def wait(self) -> float | None:
        """In how many seconds to ask again, ``None`` where it did not rest when it was last asked."""
        return max(0.0, self._until - self._clock()) if self._rests else None
