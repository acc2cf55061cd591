# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong about the times in which copies of the guest ran, besides that they overlap (pure)."""

from __future__ import annotations

import typing as t

from dom0_double.machine.runlog import Interval

from .names import DESTINATION
from .storage import Handed

_SUSPENDED = "suspend"


def without_storage(told: t.Sequence[Handed], ran: t.Sequence[Interval]) -> list[str]:
    """Return where the guest ran while the storage was another host's."""
    return [
        f"it ran on {one.host} while its storage was {host}'s"
        for (since, host), until in zip(told, [*[moment for moment, dummy in told[1:]], None], strict=False)
        for one in ran
        if one.host != host and (until is None or one.start_ns < until) and (one.end_ns is None or one.end_ns > since)
    ]


def left_behind(ran: t.Sequence[Interval], received: t.Sequence[int]) -> list[str]:
    """Return which copies ran that another one had left behind: their memory is older than the disks.

    A copy at the destination goes on from where the source's was last suspended, which was before it was ``received``
    (nanoseconds); one at the source goes on from where it stood itself. What has booted anew has its memory from the
    disks.
    """
    found = []
    ordered = sorted(ran, key=lambda one: one.start_ns)
    for at, one in enumerate(ordered[1:], 1):
        before = ordered[at - 1]
        same = (one.host, one.domid) == (before.host, before.domid)
        boots = all(one.boot != other.boot for other in ordered[:at])
        stood = before.why == _SUSPENDED and before.end_ns is not None
        moved = one.host == DESTINATION != before.host and stood
        moved = moved and any((before.end_ns or 0) < moment < one.start_ns for moment in received)
        if not (same or boots or moved):
            found.append(f"{one.host}'s copy ran after {before.host}'s, which had ended with a {before.why}")
    return found
