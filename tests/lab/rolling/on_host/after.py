# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is like after its reboots, as one object of JSON. Runs there, from standard input."""

from __future__ import annotations

import json
import os
import sys
import time

BOOT_ID = "/proc/sys/kernel/random/boot_id"
boots, disk = sys.argv[1:]


def lines(path: str) -> list[str]:
    """The lines of a file that may not be there."""
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return file.read().split()


print(
    json.dumps(
        {
            "boot_id": "".join(lines(BOOT_ID)),
            "boots": lines(boots),
            "bridge": os.path.isdir("/sys/class/net/xenbr0/bridge"),
            "disk": os.path.exists(disk),
            "clock_s": time.time(),
        }
    )
)
