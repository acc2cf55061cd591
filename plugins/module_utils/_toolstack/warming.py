# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running, while memory flows, what the toolstack's scripts run while the guest stands still (private).

After the stream, libxl attaches the copy's devices: tools/hotplug/Linux/vif-bridge alone starts some fifty processes.
On a host that has not done so for long each of these programs comes from the disk first, and the guest waits for that.
"""

from __future__ import annotations

import contextlib
import os
import subprocess

from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import spawn

# What the scripts in tools/hotplug/Linux call, each so that it changes nothing; what a host does not have is left out.
_SCRIPT = """
once() { kill -0 "$owner" || exit; if command -v "$1" >/dev/null; then "$@"; fi; }
owner=$1
once xenstore-read /local/domain/0/name
once xenstore-write -h
once ip link show dev lo
once bridge link
once brctl show
once logger --version
once awk 'NR == 2 { print }'
once expr index a=b =
once dirname /
once which ifup
once grep ^LC_
once cut -d= -f1
once stat --version
once flock --version
once mkdir --version
once rm --version
"""
LIMIT_S = 30


def end(warming: subprocess.Popen[bytes] | None) -> None:
    """End what :func:`warm_up` has started, if it still runs; ``timeout`` passes the signal on."""
    if warming is not None and warming.poll() is None:
        warming.terminate()
        warming.wait()


def warm_up() -> subprocess.Popen[bytes] | None:
    """Start it in the background and return its process, to be reaped by the caller; None where it cannot be started.

    It has the lowest priority, and ends by itself within ``LIMIT_S`` seconds, or soon after this process.
    """
    argv = ["timeout", str(LIMIT_S), "nice", "-n", "19", "bash", "-c", _SCRIPT, "warming", str(os.getpid())]
    quiet = subprocess.DEVNULL
    with contextlib.suppress(OSError):
        return spawn(argv, stdin=quiet, stdout=quiet, stderr=quiet)
    return None
