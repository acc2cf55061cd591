# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that belong to a host, found by the name of the host in their environment."""

from __future__ import annotations

import os
import pathlib
import signal
import time

from .paths import HOST_VARIABLE


def of_host(root: pathlib.Path) -> list[int]:
    """Return the ids of all live processes whose environment names a host's state folder."""
    wanted = f"\0{HOST_VARIABLE}={root}\0".encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        # Looked through ten times a second by everyone who waits for a host.
        try:
            descriptor = os.open(f"/proc/{entry}/environ", os.O_RDONLY)
        except OSError:
            continue
        try:
            if wanted in b"\0" + os.read(descriptor, 1 << 17):
                found.append(int(entry))
        except OSError:
            continue
        finally:
            os.close(descriptor)
    return found


def alive(pid: int) -> bool:
    """Tell whether a process exists and is not only waiting to be reaped."""
    try:
        fields = pathlib.Path("/proc", str(pid), "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return False
    return fields[0] not in ("Z", "X")


def end(pids: list[int], patience_s: float = 5.0) -> None:
    """Kill processes by id, and wait until they are gone."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    deadline = time.monotonic() + patience_s
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.005)
