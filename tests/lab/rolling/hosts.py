# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts: what they need for a real reboot, and what is seen of them afterwards."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from pathlib import Path

from cases.world import Left, World
from dom0lab import Host, Lab, LabError, lun

from .verdict import HostSeen, off

ON_HOST = Path(__file__).parent / "on_host"
UNIT = "lab-rolling.service"
# Each boot of a host, since it was prepared; the unit has the same name of it.
BOOTS = "/var/lib/lab-boots"
# Twenty stamps a second for seven hours; the file has holes where there are none.
DISK_MIB = 2048
# What a migration's processes may take to be gone.
DAEMONS_S = 60
KEPT = (
    "xl list -v",
    "ps -ef",
    f"cat {BOOTS}",
    "head -c 65536 /var/lib/dom0-xen/*/* /run/dom0-xen/*/*.json",
    "journalctl -q -b -n 200",
    "dmesg | tail -n 50",
)


def prepare(lab: Lab) -> dict[str, str]:
    """Give the hosts the shared disk, and on their own disks what they do at boot; returns their boots by name."""
    lun.attach(lab.hosts.values(), lab.folder, DISK_MIB)
    boots = {}
    for host in lab.hosts.values():
        unit = f"/etc/systemd/system/{UNIT}"
        host.run(f"cat > {unit} && systemctl -q enable {UNIT}", stdin=(ON_HOST / UNIT).read_text())
        boots[host.name] = host.run(f"tee {BOOTS} < /proc/sys/kernel/random/boot_id").stdout.strip()
    return boots


def wait(lab: Lab, timeout: float) -> None:
    """Wait until all hosts answer, and have Xen. Raises LabError."""
    deadline = time.monotonic() + timeout
    for host in lab.hosts.values():
        host.wait_banner(deadline)
        host.wait_xen(deadline)


def see(world: World, host: Host, before: str) -> HostSeen:
    """Look at one host after the run; one that cannot be looked at says why."""
    try:
        sent = time.time()
        told = json.loads(
            host.run(["python3", "-I", "-", BOOTS, lun.DEVICE], stdin=(ON_HOST / "after.py").read_text()).stdout
        )
        clock_off_s = round(off(told.pop("clock_s"), sent, time.time()), 1)
        left = _left(world, host)
    except (LabError, ValueError) as exc:
        return HostSeen(host.name, before, error=f"{type(exc).__name__}: {exc}"[:1000])
    seen = HostSeen(host.name, before, clock_off_s=clock_off_s, domains=list(left.domains), **told)
    return dataclasses.replace(seen, remains=left.remains, marks=left.marks)


def _left(world: World, host: Host) -> Left:
    deadline = time.monotonic() + DAEMONS_S
    while True:
        left = Left(**json.loads(world.script(host, "look.py")))
        if not left.remains or time.monotonic() > deadline:
            return left
        time.sleep(2)


def keep(host: Host, folder: Path) -> None:
    """Keep what a host has on record of a run that did not go well: the lab is gone afterwards."""
    line = "; ".join(f"echo '== {line}'; {line}" for line in KEPT)
    with contextlib.suppress(LabError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / host.name).write_text(host.run(f"({line}) 2>&1", check=False).stdout)
