# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of a running transfer: rate, dirty rate, what is left (pure; private to the collection)."""

from __future__ import annotations

import typing as t
from collections import deque

from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import Round, RoundTracker

PAGE_BYTES = 4096

# The first bytes come while xl still prepares; a rate made of them says nothing.
ETA_FROM_BYTES = 4 * 1024 * 1024

# xg_sr_save.c: SPP_MAX_ITERATIONS live rounds at most, and none after one with fewer than SPP_TARGET_DIRTY_COUNT pages.
LAST_LIVE_ROUND = 4
TARGET_DIRTY_COUNT = 50


class Rate:
    """Bytes per second over the last seconds."""

    def __init__(self, window: float = 5.0) -> None:
        self._window = window
        self._seen: deque[tuple[float, int]] = deque()

    def update(self, now: float, total: int) -> float:
        """Take note of the total at ``now`` and return the rate."""
        if not self._seen or now - self._seen[-1][0] >= 0.2:
            self._seen.append((now, total))
        while len(self._seen) > 2 and now - self._seen[0][0] > self._window:
            self._seen.popleft()
        since, then = self._seen[0]
        return (total - then) / (now - since) if now > since else 0.0


def transfer(rounds: RoundTracker, total: int, memory_bytes: int, rate: float, started: float) -> dict[str, t.Any]:
    """Return the transfer's part of a status document; see the RETURN block of ``migration_info``.

    ``total`` is the bytes of the stream so far, ``memory_bytes`` the guest's memory, ``rate`` in bytes a second,
    ``started`` the time of the first byte on the clock of the rounds.
    """
    current = rounds.current
    dirty = (current.dirty_pages_per_second or 0.0) * PAGE_BYTES if current is not None else 0.0
    expected = max(total, memory_bytes)
    remaining = expected - total
    return {
        "bytes": total,
        "expected_bytes": expected,
        "rate_bytes_per_s": int(rate),
        "dirty_bytes_per_s": int(dirty),
        "eta_s": round(remaining / rate, 1) if rate > 0 and remaining > 0 and total >= ETA_FROM_BYTES else None,
        "round": current.number if current is not None else 0,
        "rounds": [_round(item, started) for item in rounds.rounds],
    }


def suspend_is_near(current: Round | None) -> bool:
    """Say whether xl suspends the guest after ``current``, the latest round, which is over."""
    if current is None:
        return False
    return current.number >= LAST_LIVE_ROUND or (current.number > 0 and current.entries < TARGET_DIRTY_COUNT)


def _round(item: Round, started: float) -> dict[str, t.Any]:
    dirty = item.dirty_pages_per_second
    return {
        "number": item.number,
        "kind": item.kind,
        "entries": item.entries,
        "pages": item.pages,
        "bytes": item.size,
        "started_ms": int((item.started - started) * 1000),
        "duration_ms": int(item.duration * 1000),
        "dirty_pages_per_s": round(dirty, 1) if dirty is not None else None,
    }
