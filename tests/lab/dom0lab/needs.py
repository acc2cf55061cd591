# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab needs of the machine, what of it is missing, and how to get it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import qemu
from .errors import LabError
from .places import cache_root, state_root

# Program, the Debian package that brings it, what the lab does with it.
TOOLS = (
    (qemu.QEMU, "qemu-system-x86", "runs the Xen hosts"),
    ("qemu-img", "qemu-utils", "makes their disks"),
    ("mmdebstrap", "mmdebstrap", "builds the dom0 image"),
    ("mke2fs", "e2fsprogs", "puts it into a disk"),
    ("debugfs", "e2fsprogs", "takes the test guest's drivers out of it"),
    ("gcc", "gcc", "compiles the test guest's program"),
    ("ssh", "openssh-client", "reaches the hosts"),
    ("ssh-keygen", "openssh-client", "makes the lab's keys"),
    ("setpriv", "util-linux", "ends QEMU with its parent"),
    ("tar", "tar", "unpacks the image"),
)
# As another user than root, mmdebstrap works in a user namespace.
USER_TOOLS = (
    ("fakeroot", "fakeroot", "keeps file owners while unpacking"),
    ("newuidmap", "uidmap", "lets mmdebstrap work without root"),
)
LIBC = Path("/usr/lib/x86_64-linux-gnu/libc.a")
DISK_MIB = 4000
RESERVE_MIB = 700
PER_HOST_OVERHEAD_MIB = 1300
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Missing:
    """One thing that is not there: what, why the lab wants it, the package that brings it (or "")."""

    what: str
    why: str
    package: str = ""

    def __str__(self) -> str:
        remedy = f"; package {self.package}" if self.package else ""
        return f"{self.what}: {self.why}{remedy}"


def which(tool: str) -> str | None:
    """Path of a program; those of root are looked for as well, other users have no sbin in their PATH."""
    return shutil.which(tool, path=f"{os.environ.get('PATH', '')}:{SBIN}")


def memory_needed_mib(hosts: int, memory_mib: int) -> int:
    """Memory of the machine the lab takes: the hosts' own, QEMU's share beside it, some room for the tests."""
    return hosts * (memory_mib + PER_HOST_OVERHEAD_MIB) + RESERVE_MIB


def available_mib(meminfo: str) -> int:
    """MemAvailable of /proc/meminfo, MiB."""
    for line in meminfo.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return 0


def status_mib(pid: int, name: str) -> int:
    """A figure of /proc/PID/status in MiB: VmRSS, VmHWM (its peak); 0 when the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith(f"{name}:")), 0)


def missing_tools() -> list[Missing]:
    tools = TOOLS if os.geteuid() == 0 else (*TOOLS, *USER_TOOLS)
    found = [Missing(f"program {tool}", why, package) for tool, package, why in tools if not which(tool)]
    if not LIBC.exists():
        found.append(Missing("the static C library", "the test guest's program is linked with it", "libc6-dev"))
    return found


def missing_room(hosts: int = 2, memory_mib: int = 2048) -> list[Missing]:
    """Memory, and disk in both folders the lab writes to."""
    found: list[Missing] = []
    needed, there = memory_needed_mib(hosts, memory_mib), available_mib(Path("/proc/meminfo").read_text())
    if there < needed:
        found.append(Missing(f"memory: {there} MiB available, {needed} MiB needed", f"{hosts} hosts run at once"))
    for folder in (cache_root(), state_root()):
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(existing).free >> 20
        if free < DISK_MIB:
            found.append(Missing(f"disk below {existing}: {free} MiB free, {DISK_MIB} MiB needed", "images, snapshots"))
        if not os.access(existing, os.W_OK):
            found.append(Missing(f"permission to write below {existing}", "images, snapshots"))
    return found


def missing() -> list[Missing]:
    return missing_tools() + missing_room()


def require(found: list[Missing]) -> None:
    """Raise one LabError that names everything in ``found``."""
    if found:
        remedy = "`lab install` gets the packages" if any(item.package for item in found) else ""
        raise LabError(
            "the lab cannot run here. Missing:\n" + "\n".join(f"  - {item}" for item in found) + "\n", remedy
        )


def install() -> None:
    """Install what is missing with apt-get, as root or through sudo."""
    packages = sorted({item.package for item in missing_tools() if item.package})
    if not packages:
        return
    prefix: list[str] = []
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise LabError("installing packages needs root", f"Run as root: apt-get install {' '.join(packages)}")
        prefix = ["sudo", "--"]
    print(f"installing {' '.join(packages)}", flush=True)
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*apt, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            said = done.stdout.strip()[-1000:]
            raise LabError(f"apt-get {arguments[0]} failed: {said}", f"Install by hand: {' '.join(packages)}")
    left = missing_tools()
    if left:
        raise LabError("still missing after the installation: " + ", ".join(str(item) for item in left))
