# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests, and where they are at home (pure)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from dom0lab.guest_disk import GuestSpec
from dom0lab.lun import DEVICE

# Pages a second. Three emulated hosts share one machine: what the guests do is missing for what the hosts should do.
RATE = 100


@dataclass(frozen=True)
class Resident:
    """A guest, the name of the host that it is at home on, and the observer's number (see Outside)."""

    spec: GuestSpec
    home: str
    observer: int


def _resident(number: int, home: str, name: str, **more: t.Any) -> Resident:
    uuid, mac = f"77c0ffee-0000-4000-8000-0000000000{number}", f"00:16:3e:77:00:{number}"
    spec = GuestSpec(name=name, uuid=uuid, mac=mac, address=f"10.77.0.{number}", rate=RATE, **more)
    return Resident(spec, home, number + 10)


# Each host has one, so that each is emptied and filled again; the first has two. One stamps the disk of all hosts.
RESIDENTS = (
    _resident(11, "xen1", "web1"),
    _resident(12, "xen1", "db", disk=DEVICE),
    _resident(13, "xen2", "web2"),
    _resident(14, "xen3", "mail"),
)
