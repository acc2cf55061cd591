# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run this is: its user, its machine, its process (private to the collection)."""

from __future__ import annotations

import getpass
import os
import socket
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs


def holder(task_vars: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return who runs this, as :class:`~.._marks.claims.Claim` has it; ``task_vars`` are those of an action plugin.

    Ansible runs each task in a process of its own, which it forks: the run is the process above it. ``machine`` is
    empty where processes cannot be told apart from those of another machine or container, such as without ``/proc``.
    """
    pid = os.getppid()
    machine = _machine()
    started = (_procfs.start_time(pid) or 0) if machine else 0
    return {
        "by": launched_by(task_vars) or _user(),
        "controller": socket.gethostname(),
        "machine": machine if started else "",
        "pid": pid if started else 0,
        "started": started,
    }


def is_dead(claim: t.Mapping[str, t.Any]) -> bool:
    """Whether the run of a claim is known to have ended: it ran on this machine, and its process is there no more."""
    return _lives(claim) is False


def is_alive(claim: t.Mapping[str, t.Any]) -> bool:
    """Whether the run of a claim is known to go on: its process is there, on this machine, however silent it is."""
    return _lives(claim) is True


def _lives(claim: t.Mapping[str, t.Any]) -> bool | None:
    machine, pid, started = claim.get("machine"), claim.get("pid"), claim.get("started")
    if not machine or not isinstance(pid, int) or pid <= 0 or machine != _machine():
        return None
    return _procfs.start_time(pid) == started and _procfs.is_alive(pid)


def _machine() -> str:
    """Return this boot and this set of processes: containers of one machine share its boot."""
    try:
        return f"{_procfs.boot_id()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def launched_by(task_vars: t.Mapping[str, t.Any]) -> str:
    """Return who has launched the job of AWX, which says so in variables, and which one it is; empty outside of AWX."""
    for prefix in ("awx", "tower"):
        if task_vars.get(f"{prefix}_job_id"):
            return f"{task_vars.get(f'{prefix}_user_name') or 'a schedule'}, job {task_vars[f'{prefix}_job_id']}"
    return ""


def _user() -> str:
    """Return whose process it is."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
