# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long nothing has come over a link (private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link


class Away:
    """How long a link has been away since something last came over it; ``clock`` is monotonic, in seconds.

    A connection that is made again and carries nothing, or does not last, begins nothing anew.
    """

    def __init__(self, link: Link, clock: t.Callable[[], float]) -> None:
        self._link, self._clock = link, clock
        self._mark: t.Any = None
        self._seconds = 0.0
        self._looked_at = clock()

    def look(self, mark: t.Any) -> tuple[float, float]:
        """Take another ``mark`` for something that has come over the link.

        Returns how long the link was there, and how long it was away, since the last look.
        """
        now = self._clock()
        passed, self._looked_at = now - self._looked_at, now
        away = min(passed, self._link.down_for)
        self._seconds = self._seconds + away if mark == self._mark else 0.0
        self._mark = mark
        return passed - away, away

    @property
    def seconds(self) -> float:
        """For how long it has been away, all together."""
        return max(self._seconds, self._link.down_for)
