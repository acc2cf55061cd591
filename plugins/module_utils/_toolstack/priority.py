# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processor goes first to what the guest stands still for (private to the collection).

After the end of the stream libxl attaches the copy's devices. Each new network interface sets udev and its rules to
work as well; the guest waits for xl's scripts only, those for xenstored, again and again, and at last for the receiver.
"""

from __future__ import annotations

import contextlib
import os

from ansible_collections.dom0.xen.plugins.module_utils import _procfs

# In the environment of the xl, with its session. Its scripts, the guest's device model and the process that watches
# the guest (xl_vmcontrol.c create_domain) inherit both this and the niceness.
MARK = "DOM0_XEN_SESSION"
# These weigh some thirty and some twenty times a process of niceness 0 (kernel/sched/core.c sched_prio_to_weight).
# They are two, and odd ones, so that what a killed session has left can be told from what the host's owner has set.
XL, STORE = -15, -14
_STORES = ("xenstored", "oxenstored")


class Precedence:
    """What this process and its xl have over the host's others, for a while; nothing where there is no right to it."""

    def __init__(self, pid: int, proc: str = _procfs.PROC) -> None:
        self._pids = (pid, os.getpid())
        self._proc = proc
        self._store = next((each for each in _procfs.pids(proc) if _is_store(each, proc)), None)

    def give(self) -> None:
        """Put this process, xl, what it starts from now on, and xenstored first."""
        for pid in self._pids:
            _set(pid, XL, self._proc)
        if self._store is not None and _procfs.niceness(self._store, self._proc) == 0:
            _set(self._store, STORE, self._proc)

    def take_back(self) -> None:
        """Take it back from those. What xl started meanwhile keeps it: see :func:`take_back_left`."""
        for pid in self._pids:
            if _procfs.niceness(pid, self._proc) == XL:
                _set(pid, 0, self._proc)
        if self._store is not None and _procfs.niceness(self._store, self._proc) == STORE:
            _set(self._store, 0, self._proc)


def take_back_left(session: str, proc: str = _procfs.PROC) -> list[int]:
    """Look through all processes for what a session has left with precedence; return the pids of what had it."""
    left = [pid for pid in _procfs.pids(proc) if _is_left(pid, session, proc)]
    for pid in left:
        _set(pid, 0, proc)
    return left


def _is_left(pid: int, session: str, proc: str) -> bool:
    niceness = _procfs.niceness(pid, proc)
    if niceness == XL:
        return _procfs.variable(pid, MARK, proc) == session
    return niceness == STORE and _is_store(pid, proc)


def _is_store(pid: int, proc: str) -> bool:
    # Anybody may call a process so; root's is the one.
    return _procfs.program(pid, proc) in _STORES and _procfs.owner(pid, proc) == 0


def _set(pid: int, niceness: int, proc: str) -> None:
    # The threads of a device model have a niceness each.
    with contextlib.suppress(OSError):
        for thread in os.listdir(os.path.join(proc, str(pid), "task")):
            os.setpriority(os.PRIO_PROCESS, int(thread), niceness)
