# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the matrix is made of: releases, guests, methods, and which of them belong together (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dom0lab.guest_disk import GuestSpec
from dom0lab.lun import DEVICE

# Debian's release, and the Xen that it has; older ones first.
RELEASES = {"bullseye": "4.14", "bookworm": "4.17", "trixie": "4.20"}
PAIRS = tuple((a, b) for place, a in enumerate(RELEASES) for b in tuple(RELEASES)[place:])
LIVE, SUSPEND, COLD = "live", "suspend", "cold"
METHODS = (LIVE, SUSPEND, COLD)
# How they are tried with one guest: cold brings it back to where it was from any release, live within one release, so
# that it need not be started for each.
ORDER = (COLD, LIVE, SUSPEND)
GUESTS = {
    "pvh": GuestSpec(),
    "pvh-2vcpu-2nic-disk": GuestSpec(vcpus=2, cards=2, disk=DEVICE),
    "pv-disk": GuestSpec(type="pv", disk=DEVICE),
    "hvm-disk": GuestSpec(type="hvm", memory_mib=192, disk=DEVICE),
}
# What a PV domain's memory cannot be followed without; Debian's Xen has it up to this release.
SHADOW = ("bullseye",)


@dataclass(frozen=True)
class Way:
    """One move; ``refused``: the code of the finding with which the check refuses it, empty where the guest moves."""

    source: str
    destination: str
    refused: str = ""


@dataclass(frozen=True)
class Cell:
    """One field of the matrix: a guest goes from one release to another, and back."""

    source: str
    destination: str
    guest: str
    method: str

    def __str__(self) -> str:
        return f"{RELEASES[self.source]}-{RELEASES[self.destination]}:{self.guest}:{self.method}"

    @property
    def ways(self) -> tuple[Way, ...]:
        """What is tried, one after the other."""
        if self.method == LIVE and GUESTS[self.guest].type == "pv" and self.source not in SHADOW:
            return (Way("xen1", "xen2", "no_shadow_paging"),)
        # Xen restores what an older one has saved, and promises nothing the other way round; to a guest that is
        # started anew it does not matter.
        back = "" if self.source == self.destination or self.method == COLD else "xen_older"
        return (Way("xen1", "xen2"), Way("xen2", "xen1", back))


def cells() -> Iterator[Cell]:
    """All of them, pair by pair."""
    for source, destination in PAIRS:
        for guest in GUESTS:
            for method in ORDER:
                yield Cell(source, destination, guest, method)


def chosen(names: Sequence[str]) -> list[Cell]:
    """Those whose name has one of these texts; all without any."""
    return [cell for cell in cells() if not names or any(name in str(cell) for name in names)]
