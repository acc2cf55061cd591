# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What still runs of the ``xl`` that a session has started, or of what stands for it (private to the collection).

What stands for it has a session of its own (setsid(2)), which what it has started stays in when it is gone; the process
by which ``xl create`` watches its domain has left it (tools/xl/xl_utils.c do_daemonize).
"""

from __future__ import annotations

import contextlib
import os
import signal

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._hands import xl_command

_ONLY_READS = "-n"


def members(leader: int) -> list[int]:
    """Return the processes of a session that live, by pid, its leader among them."""
    return sorted(pid for pid in _procfs.pids() if _procfs.session_of(pid) == leader and _procfs.is_alive(pid))


def makes(pid: int) -> bool:
    """Whether it is an ``xl`` that makes a domain: half way it would leave half of one."""
    command, rest = xl_command(_procfs.command_line(pid))
    return command == "create" and _ONLY_READS not in rest


def making(leader: int) -> bool:
    """Whether one of a session does."""
    return any(makes(pid) for pid in members(leader))


def end(leader: int) -> None:
    """End all of a session by force."""
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGKILL)
