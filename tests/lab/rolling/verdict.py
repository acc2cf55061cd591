# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of the guests and of the hosts, and what is needed of it (pure)."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from dom0lab import Observation
from dom0lab.lun import Stamps
from proof.figures import Check, at_most, equal

# The mark of a host that takes no domains, as module_utils/_facts/sessions.py names it.
CLOSED = "closed.json"
# A host takes its clock from its battery's when it boots; an emulated one that stood still for seconds may lose some
# since then. One that is wrong, such as that of the snapshot, is off by hours.
CLOCK_S = 30.0


@dataclass(frozen=True)
class GuestSeen:
    """One guest: the boot that was begun, the hosts that have it at the end, and what was seen from outside.

    ``seen``: in order, one for each part of a run that was stopped and gone on with; only the last one has looked at
    all of its memory, which tells what went wrong in any of them. ``stamps``: what is on its disk; None without one.
    """

    name: str
    home: str
    boot_id: str
    where: list[str]
    seen: list[Observation]
    stamps: Stamps | None = None

    def checks(self) -> list[Check]:
        """It is the same guest, unharmed, and at home."""
        seen = self.seen
        last = seen[-1] if seen else None
        boots = sorted({str(one.before.get("boot_id")) for one in seen})
        # The first answer of each part: in between nobody asked.
        counters = [one.before.get("counter", 0) for one in seen]
        found = [
            equal(f"{self.name}: where it is", self.where, [self.home]),
            equal(f"{self.name}: boot ids", boots, [self.boot_id]),
            equal(f"{self.name}: boot ids unchanged", bool(seen) and all(one.boot_id_unchanged for one in seen), True),
            equal(f"{self.name}: boot id at the end", (last.after if last else {}).get("boot_id"), self.boot_id),
            equal(f"{self.name}: counter never fell", all(one.counter_never_fell for one in seen), True),
            equal(f"{self.name}: counter from part to part", counters, sorted(counters)),
            equal(f"{self.name}: memory verified", bool(last and last.memory_verified), True),
            equal(f"{self.name}: double answers", sum(one.double_answers for one in seen), 0),
        ]
        if self.stamps is not None:
            found.append(equal(f"{self.name}: what is wrong with its stamps", self.stamps.problem, ""))
        return found

    def document(self) -> dict[str, t.Any]:
        """All of it for the file of figures."""
        return asdict(self)


@dataclass(frozen=True)
class HostSeen:
    """One host at the end. ``before``: its boot at the beginning; ``boots``: that one, and each that was begun since.

    ``clock_off_s`` is how far its clock is off at least. ``remains``: what a migration should have taken away;
    ``marks``: files that say whose it is, or that it is closed. ``error``: why nothing of this is known.
    """

    name: str
    before: str
    boot_id: str = ""
    boots: list[str] = field(default_factory=list)
    clock_off_s: float | None = None
    bridge: bool = False
    disk: bool = False
    domains: list[str] = field(default_factory=list)
    remains: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def reboots(self) -> int:
        """How often it was rebooted; -1 where its record is not that of these boots."""
        boots = self.boots
        known = bool(boots) and boots[0] == self.before and boots[-1] == self.boot_id and len(set(boots)) == len(boots)
        return len(boots) - 1 if known else -1

    def checks(self) -> list[Check]:
        """It was rebooted once, has what it had, takes domains, and nothing was left on it."""
        return [
            equal(f"{self.name}: error", self.error, ""),
            equal(f"{self.name}: reboots", self.reboots, 1),
            at_most(f"{self.name}: clock, seconds off", self.clock_off_s, CLOCK_S),
            equal(f"{self.name}: bridge", self.bridge, True),
            equal(f"{self.name}: shared disk", self.disk, True),
            equal(f"{self.name}: open to arrivals", not self.error and CLOSED not in self.marks, True),
            equal(f"{self.name}: marks", self.marks, []),
            equal(f"{self.name}: left behind", self.remains, []),
        ]

    def document(self) -> dict[str, t.Any]:
        """All of it for the file of figures."""
        return {**asdict(self), "reboots": self.reboots}


def off(told: float, before: float, after: float) -> float:
    """How far a clock is off at least that told its time between two moments; seconds."""
    return max(0.0, before - told, told - after)


def checks(status: int | None, guests: Iterable[GuestSeen], hosts: Iterable[HostSeen]) -> list[Check]:
    """Everything that is needed of a run that ended with this exit status."""
    found = [equal("exit status", status, 0)]
    for guest in guests:
        found += guest.checks()
    for host in hosts:
        found += host.checks()
    return found
