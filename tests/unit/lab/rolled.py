# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of a guest and a host whose rolling maintenance went well."""

from __future__ import annotations

import dataclasses

from dom0lab import Observation
from dom0lab.lun import Stamps
from rolling.verdict import GuestSeen, HostSeen

SEEN = Observation(
    gap_ms=5000, usual_ms=500, asked=100, answered=90, lost=10, double_answers=0, duration_ms=50000,
    boot_id_unchanged=True, counter_never_fell=True, memory_verified=True, boots=1,
    before={"boot_id": "b", "counter": 7}, after={"boot_id": "b"},
)  # fmt: skip
# Of a part that was stopped: nobody has looked at all of the guest's memory.
STOPPED = dataclasses.replace(SEEN, memory_verified=False, after={}, before={"boot_id": "b", "counter": 3})
GUEST = GuestSeen("db", "xen1", "b", ["xen1"], [SEEN], Stamps(1000))
HOST = HostSeen(
    "xen1", "first", boot_id="second", boots=["first", "second"], clock_off_s=0.4, bridge=True, disk=True,
    domains=["db"],
)  # fmt: skip
