# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes in which Ansible runs the tasks of one run (private to the collection).

Ansible forks one for each task, lets it outlive neither the task nor the run, and takes the host of a task that ended
without an answer of its host out of the play without a word to anybody (ansible-core, ``plugins/strategy/__init__.py``,
``_process_pending_results``). A worker has a session of its own, so whatever kills the run leaves it.
"""

from __future__ import annotations

import os
import time

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils import _claim_keeper as keeper


class RunGone(Dom0XenError):
    """The run whose task this is has been killed."""

    code = "run_gone"
    remedy = "Run the same command again: what is done stays done."


class Controller:
    """The run above this process, as it was when this object was made."""

    def __init__(self) -> None:
        self._pid = os.getppid()

    def require(self) -> None:
        """Raise RunGone when the run has ended: nothing may go on in its name."""
        if os.getppid() != self._pid:
            raise RunGone("The run that this task is of has ended.")

    def workers(self) -> frozenset[int]:
        """Return the processes of all tasks of the run; empty where that cannot be told, such as without ``/proc``."""
        try:
            found = [pid for pid in _procfs.pids() if _procfs.parent_of(pid) == self._pid and _procfs.is_alive(pid)]
        except OSError:
            return frozenset()
        return frozenset(found) - keeper.pids() if os.getpid() in found else frozenset()


class Quiet:
    """For how long no task of a run was at work but those that wait."""

    def __init__(self) -> None:
        self._since: float | None = None

    def seen(self, workers: frozenset[int], waiting: frozenset[int], now: float | None = None) -> float:
        """Take a look, and return for how many seconds it has been so."""
        now = time.monotonic() if now is None else now
        if not workers or workers - waiting:
            self._since = None
            return 0.0
        self._since = now if self._since is None else self._since
        return now - self._since
