# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the matrix is made of: labs, guests, and the moves that each of them makes there (pure).

A move in an emulated Xen takes minutes, and so does a guest that boots: each kind of guest goes from each release to
each that it can, by each method, once, on a tour where one move begins where the one before has ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dom0lab.guest_disk import GuestSpec
from dom0lab.lun import DEVICE

# Debian's release, and the Xen that it has; older ones first.
RELEASES = {"bullseye": "4.14", "bookworm": "4.17", "trixie": "4.20"}
LIVE, SUSPEND, COLD = "live", "suspend", "cold"
METHODS = (LIVE, SUSPEND, COLD)
# The sender is killed when the guest has been suspended: it goes on where it was, by whatever that Xen has for it.
UNDONE = "undone"
COLUMNS = (*METHODS, UNDONE)
GUESTS = {
    "pvh": GuestSpec(),
    "pvh-2nic-disk": GuestSpec(cards=2, disk=DEVICE),
    "pvh-2vcpu-2nic-disk": GuestSpec(vcpus=2, cards=2, disk=DEVICE),
    "pv-disk": GuestSpec(type="pv", disk=DEVICE),
    "pv-2vcpu-2nic-disk": GuestSpec(type="pv", vcpus=2, cards=2, disk=DEVICE),
    "hvm-disk": GuestSpec(type="hvm", memory_mib=192, disk=DEVICE),
    "hvm-2nic-disk": GuestSpec(type="hvm", memory_mib=192, cards=2, disk=DEVICE),
    "hvm-2vcpu-2nic-disk": GuestSpec(type="hvm", memory_mib=192, vcpus=2, cards=2, disk=DEVICE),
    "hvm-emulated": GuestSpec(type="hvm", memory_mib=192, disk=DEVICE, emulated=True),
}
# What a PV domain's memory cannot be followed without; Debian's Xen has it up to this release.
SHADOW = ("bullseye",)
# Tours: what is done, and from which to which host of the lab.
WITHIN = ("cold 0 1", "live 1 0", "suspend 0 1", "undone 1 0")
WITHIN_PV = ("cold 0 1", "suspend 1 0", "live 0 1", "undone 0 1")
# Up by each step, and by both at once. A guest that has to be elsewhere is started there.
UP = (
    *("live 0 1", "live 1 2", "cold 2 0", "live 0 2"),
    *("suspend 0 1", "suspend 1 2", "suspend 0 2", "cold 0 1", "cold 1 2", "cold 0 2"),
)
UP_PV = (
    *("live 0 1", "live 1 2", "suspend 1 2", "cold 2 0", "live 0 2"),
    *("suspend 0 1", "cold 1 2", "suspend 0 2", "cold 0 1", "cold 0 2"),
)
# The check that refuses the way down does not look at the guest: one is enough.
UP_AND_DOWN = (*("live 0 1", "live 1 0", "live 1 2", "live 2 1", "cold 2 0", "live 0 2", "live 2 0"), *UP[4:])
OLD, MIDDLE, NEW = RELEASES


@dataclass(frozen=True)
class Tour:
    """Where one guest goes, in a lab of these releases."""

    lab: tuple[str, ...]
    guest: str
    steps: tuple[str, ...]


TOURS = (
    # Here the guests have one processor; what comes of a refusal at the gate is a case of its own for the first one.
    Tour((MIDDLE, MIDDLE), "pvh", WITHIN[:3]),
    Tour((MIDDLE, MIDDLE), "pv-disk", WITHIN_PV),
    Tour((MIDDLE, MIDDLE), "hvm-disk", WITHIN),
    # It knows nothing of Xen, so that nobody can ask it to shut down, or to suspend.
    Tour((MIDDLE, MIDDLE), "hvm-emulated", ("live 0 1", "suspend 1 0")),
    # Here PVH and HVM guests of two processors stop by themselves within minutes, moved or not: the emulator delivers
    # an interrupt twice. PV guests do not.
    Tour((OLD, OLD), "pvh-2vcpu-2nic-disk", WITHIN[:3]),
    Tour((OLD, OLD), "pvh-2nic-disk", ("undone 1 0",)),
    Tour((OLD, OLD), "pv-2vcpu-2nic-disk", WITHIN),
    Tour((OLD, OLD), "hvm-2vcpu-2nic-disk", WITHIN[:1]),
    Tour((OLD, OLD), "hvm-2nic-disk", WITHIN[1:]),
    Tour((NEW, NEW), "pvh-2vcpu-2nic-disk", WITHIN),
    Tour((NEW, NEW), "pv-2vcpu-2nic-disk", WITHIN_PV),
    Tour((NEW, NEW), "hvm-2vcpu-2nic-disk", WITHIN),
    Tour((OLD, MIDDLE, NEW), "pvh-2nic-disk", UP_AND_DOWN),
    Tour((OLD, MIDDLE, NEW), "pv-2vcpu-2nic-disk", UP_PV),
    Tour((OLD, MIDDLE, NEW), "hvm-2nic-disk", UP),
    Tour((OLD, MIDDLE, NEW), "hvm-emulated", ("live 0 1", "live 1 2")),
)


@dataclass(frozen=True)
class Cell:
    """One field of the matrix: a guest goes from one release to another; ``hosts`` are numbers of hosts of the lab."""

    lab: tuple[str, ...]
    guest: str
    column: str
    hosts: tuple[int, int]

    def __str__(self) -> str:
        return f"{RELEASES[self.source]}-{RELEASES[self.destination]}:{self.guest}:{self.column}"

    @property
    def source(self) -> str:
        """The release that it leaves."""
        return self.lab[self.hosts[0]]

    @property
    def destination(self) -> str:
        """The release that it goes to."""
        return self.lab[self.hosts[1]]

    @property
    def names(self) -> tuple[str, str]:
        """What the lab calls the two hosts."""
        here, there = self.hosts
        return f"xen{here + 1}", f"xen{there + 1}"

    @property
    def undone(self) -> bool:
        """Whether the move is to fail when the guest has been suspended."""
        return self.column == UNDONE

    @property
    def method(self) -> str:
        """How it is moved."""
        if self.undone:
            return SUSPEND if self._followed_by_none else LIVE
        return self.column

    @property
    def refused(self) -> str:
        """The code of the finding with which the check refuses it; empty where it moves.

        Xen restores what an older one has saved, and promises nothing the other way round; to a guest that is started
        anew it does not matter.
        """
        releases = list(RELEASES)
        if self.method != COLD and releases.index(self.destination) < releases.index(self.source):
            return "xen_older"
        return "no_shadow_paging" if self.method == LIVE and self._followed_by_none else ""

    @property
    def breaks(self) -> str:
        """Why it is known to fail, whatever this collection does; empty where nothing is.

        tools/libxl/libxl_dom_suspend.c libxl__domain_resume, up to 4.14.
        """
        resumed = self.undone and self.source == OLD and GUESTS[self.guest].type != "hvm"
        return "libxl 4.14 resumes it as if it had been restored, see above" if resumed else ""

    @property
    def _followed_by_none(self) -> bool:
        return GUESTS[self.guest].type == "pv" and self.source not in SHADOW


def cells() -> Iterator[Cell]:
    """All of them, lab by lab, in the order in which a guest makes its tour."""
    for tour in TOURS:
        for step in tour.steps:
            column, here, there = step.split()
            yield Cell(tour.lab, tour.guest, column, (int(here), int(there)))


def chosen(names: Sequence[str]) -> list[Cell]:
    """Those whose name has one of these texts; all without any."""
    return [cell for cell in cells() if not names or any(name in str(cell) for name in names)]
