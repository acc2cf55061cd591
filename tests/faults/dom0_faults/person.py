# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does on the hosts whom settling has told that an xl there does not end."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import signal
import time
import typing as t

from .names import DESTINATION, SOURCE

if t.TYPE_CHECKING:
    from .world import World

# As _settling/left.py has it.
_MAY = re.compile(r"process (\d+) may be killed there")
_XL = (
    b"xl\0",
    b"_session.stand_ins.saver import",
    b"_session.stand_ins.shutter import",
    b"_session.stand_ins.starter import",
)
# What runs the programs that the toolstack's scripts call (_toolstack/warming.py), and for how long at most.
_WARMING, _WARMING_S = b"\0warming\0", 32.0


def _fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; empty when it is gone."""
    try:
        return pathlib.Path("/proc", str(pid), "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _line(pid: int) -> bytes:
    try:
        return pathlib.Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return b""


def stands_still(pid: int) -> bool:
    """Whether the process is stopped."""
    return _fields(pid)[:1] == ["T"]


def all_pids(world: World) -> list[int]:
    """Return the processes of all hosts that have power."""
    return [pid for name in (SOURCE, DESTINATION) if world.powered(name) for pid in world.host(name).pids]


def may_be_killed(text: str) -> set[int]:
    """Return the processes of which settling has said so."""
    return {int(pid) for pid in _MAY.findall(text)}


def see_to(world: World, text: str) -> list[str]:
    """Kill each xl that stands still, if settling has said in ``text`` that it may be, and else wake it.

    Returns what was done.
    """
    may, done = may_be_killed(text), []
    for pid in all_pids(world):
        if stands_still(pid) and any(word in _line(pid) for word in _XL):
            number = signal.SIGKILL if pid in may else signal.SIGCONT
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
                done.append(f"{number.name} {pid}")
    return done


def let_warm_up(world: World) -> None:
    """Wait for what runs at the lowest priority, and ends by itself: on a busy machine that takes its time."""
    deadline = time.monotonic() + _WARMING_S
    while any(_WARMING in _line(pid) for pid in all_pids(world)) and time.monotonic() < deadline:
        time.sleep(0.1)
