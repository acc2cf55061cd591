# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the guest, and what of it is wrong."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field

from dom0lab import Observation

from .listing import Fault

# Paused, shut down or suspended, crashed, dying (tools/xl/xl_list.c list_domains).
STANDING = "pscd"


@dataclass
class Verdict:
    """What became of the guest.

    ``reached`` is false when the moment did not come or nothing was there to break: such a fault says nothing.
    """

    name: str
    by: str = ""
    reached: bool = False
    running_twice: bool = False
    lost: bool = False
    left_unsettled: bool = False
    guest_changed: bool = False
    touched_before_banner: bool = False
    remains: dict[str, list[str]] = field(default_factory=dict)
    where: list[str] = field(default_factory=list)
    stands_still: bool = False
    boot_id_unchanged: bool | None = None
    memory_verified: bool | None = None
    gap_ms: int | None = None
    move_status: int | None = None
    settle_status: int | None = None
    message: str = ""
    settled: str = ""
    seconds: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    error: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing is wrong with it."""
        bad = self.running_twice or self.lost or self.left_unsettled or self.guest_changed or self.touched_before_banner
        return self.reached and not (bad or self.error)

    def document(self) -> dict[str, t.Any]:
        """It for the file of figures."""
        return asdict(self)


def conclude(fault: Fault, verdict: Verdict, found: t.Mapping[str, list[str]], observed: Observation | None) -> None:
    """Put into the verdict what became of the guest (pure).

    A guest that may be gone may also have been started anew, once. Nothing else is excused: what is there runs, its
    memory is whole, and no life of it goes on from where it was before.
    """
    verdict.where = [name for name, states in found.items() for dummy in states]
    verdict.stands_still = any(set(state) & set(STANDING) for states in found.values() for state in states)
    verdict.lost = not verdict.where and not fault.takes_the_guest
    unclear = bool(verdict.remains) or len(verdict.where) > 1 or verdict.stands_still
    verdict.left_unsettled = verdict.settle_status != 0 or unclear
    if observed is not None:
        verdict.running_twice = observed.double_answers > 0
        verdict.boot_id_unchanged = observed.boot_id_unchanged
        verdict.memory_verified = observed.memory_verified
        verdict.gap_ms = int(observed.gap_ms)
        same = observed.boot_id_unchanged and observed.memory_verified and observed.counter_never_fell
        verdict.guest_changed = not (same or (fault.takes_the_guest and _gone_or_anew(verdict, observed)))


def _gone_or_anew(verdict: Verdict, observed: Observation) -> bool:
    if not verdict.where:
        return observed.boots <= 1 and (observed.counter_never_fell or not observed.boots)
    return observed.boots == 2 and observed.memory_verified
