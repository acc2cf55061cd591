# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processor goes to xl first while the guest stands still for it (private to the collection).

Between the end of the stream and "ready" libxl attaches the copy's devices. Each new network interface sets udev and
its rules to work as well; the guest waits for xl's scripts only, which get what those leave over.
"""

from __future__ import annotations

import contextlib
import os

from ansible_collections.dom0.xen.plugins.module_utils import _procfs

# In the environment of an xl that may be hurried, with its session. Its scripts, the guest's device model and the
# process that watches the guest (xl_vmcontrol.c create_domain) inherit both this and the niceness.
MARK = "DOM0_XEN_SESSION"
# Weighs some thirty times a process of niceness 0 (kernel/sched/core.c sched_prio_to_weight).
HURRIED = -15


def hurry(pid: int) -> None:
    """Put a process, and what it starts from now on, before the host's other processes; nothing without the right."""
    _set(pid, HURRIED)


def slow_down(pid: int) -> None:
    """Give a process its niceness back. What it started meanwhile keeps the other one: see :func:`slow_down_all`."""
    _set(pid, 0)


def slow_down_all(session: str, proc: str = _procfs.PROC) -> list[int]:
    """Give their niceness back to all that a hurried xl of this session left running; return their pids."""
    found = [
        pid
        for pid in _procfs.pids(proc)
        if _procfs.niceness(pid, proc) == HURRIED and _procfs.variable(pid, MARK, proc) == session
    ]
    for pid in found:
        _set(pid, 0)
    return found


def _set(pid: int, niceness: int) -> None:
    # The threads of a device model have a niceness each.
    with contextlib.suppress(OSError):
        for thread in os.listdir(os.path.join(_procfs.PROC, str(pid), "task")):
            os.setpriority(os.PRIO_PROCESS, int(thread), niceness)
