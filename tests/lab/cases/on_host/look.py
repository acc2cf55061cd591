# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a migration could have left behind on this host, as one object of JSON. Runs there, from standard input."""

from __future__ import annotations

import glob
import json
import os
import subprocess
import typing as t

ROOTS = ("/run/dom0-xen", "/dev/shm/dom0-xen")  # noqa: S108
JOURNAL = "/var/lib/dom0-xen"
# This folder stays; what counts is what is in it, as long as the door that sshd has opened is open.
DOORS = "ssh-doors"
# So does this one: a slot that was used stays in it until the next one is taken. What is marked for longer is in the
# folder of this name below JOURNAL.
FLEET = "fleet"
# And this one, with the code of the sessions, which the next ones find compiled.
CODE = "code"
PORTS = range(49152, 49216)
LISTENING = "0A"
# Commands of xl that leave a process with the domain that they have made.
MAKERS = ("create", "restore", "migrate-receive")
# Parts of command lines: ours, those of xl, and what a test puts in the place of xl.
OURS = ("_session.daemon", "migrate-receive", "libxl-save-helper", "dom0-xen", "sleep 4242")


def is_monitor(path: str) -> bool:
    """Whether this xl stays with its domain: it has let go of its standard input (tools/xl/xl_utils.c do_daemonize).

    It has no precedence over other processes any more.
    """
    folder = os.path.dirname(path)
    try:
        let_go = os.readlink(os.path.join(folder, "fd", "0")) == os.devnull
        return let_go and os.getpriority(os.PRIO_PROCESS, int(os.path.basename(folder))) == 0
    except OSError:
        return False


def processes(monitored: int) -> list[str]:
    """Command lines of a migration's processes; one xl that has made a domain is the monitor of each domain here."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        words = line.split()
        if len(words) > 1 and words[1] in MAKERS and monitored and is_monitor(path):
            monitored -= 1
            continue
        sends = bool(words) and os.path.basename(words[0]) == "xl" and "migrate" in words
        if sends or any(part in line for part in OURS):
            found.append(line[:300])
    return found


def ports() -> list[int]:
    """Ports of the default range that somebody listens on."""
    found = []
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path) as file:
            rows = [line.split() for line in file.read().splitlines()[1:]]
        found += [int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == LISTENING]
    return sorted(port for port in set(found) if port in PORTS)


def domains() -> dict[str, dict[str, t.Any]]:
    """Names of the domains with domid and state, dom0 left out."""
    done = subprocess.run(["xl", "list"], capture_output=True, text=True, check=True)
    rows = [line.rsplit(None, 5) for line in done.stdout.splitlines()[1:]]
    return {row[0]: {"domid": int(row[1]), "state": row[4]} for row in rows if row[1] != "0"}


def folder(path: str) -> list[str]:
    """Names in a folder that may not be there."""
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def runtime() -> list[str]:
    """What lies in the folders of running sessions. A lock is a file that stays; who holds it is a process."""
    found = [os.path.join(root, name) for root in ROOTS for name in folder(root) if not name.endswith(".lock")]
    doors = [os.path.join(path, name) for path in found if path.endswith(DOORS) for name in folder(path)]
    stays = (DOORS, f"/{FLEET}", f"/{CODE}")
    return [*(path for path in found if not path.endswith(stays)), *doors]


here = domains()
print(
    json.dumps(
        {
            "folders": runtime(),
            "journals": folder(JOURNAL),
            "marks": [name for name in folder(os.path.join(JOURNAL, FLEET)) if name != "lock"],
            "processes": processes(len(here)),
            "ports": ports(),
            "domains": here,
        }
    )
)
