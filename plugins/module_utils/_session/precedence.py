# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""While a guest stands still, what brings it back goes before dom0's other work (private to the collection)."""

from __future__ import annotations

import contextlib
import os

# Nine times the share of a process at 0 (sched(7)); the others are slowed down, not stopped.
STOP_NICE = -10


class Precedence:
    """The nice value of this process group: the daemon, ``xl``, its helper, and the hotplug scripts that ``xl`` starts.

    On a dom0 with one busy processor everything that runs beside them is stop time.
    """

    def __init__(self) -> None:
        self._usual = os.getpriority(os.PRIO_PROCESS, 0)
        self._taken = False

    def take(self, wanted: bool) -> None:
        """Take precedence, or give it back. A system that does not allow it is no reason to fail."""
        if wanted == self._taken:
            return
        self._taken = wanted
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PGRP, 0, min(STOP_NICE, self._usual) if wanted else self._usual)
