# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Booted labs in the cache: each host's disk with QEMU's snapshot inside, the guest running on xen1."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import typing as t
from collections.abc import Sequence
from pathlib import Path

from .errors import LabError
from .image import building
from .places import cache_root, digest
from .qmp import Monitor

_GDT = re.compile(r"^GDT=\s*(?P<base>[0-9a-f]+)", re.MULTILINE)
# Where Xen has its own tables: HYPERVISOR_VIRT_START to the end of its direct map (xen/arch/x86/include/asm/config.h).
_XEN = range(0xFFFF800000000000, 0xFFFF880000000000)
STOP_TRIES = 200


def key(commands: dict[str, list[str]], *recipe: str) -> str:
    """Hash of QEMU's command lines (image paths carry their hashes), and of ``recipe``: its version, our own steps.

    Ports differ from lab to lab and do not matter to a snapshot.
    """
    parts: list[str] = [*recipe, str(cache_root())]
    for name in sorted(commands):
        parts += [word for word in commands[name] if "hostfwd=" not in word]
    return digest(parts)


def folder(name: str) -> Path:
    return cache_root() / f"snapshot-{name}"


def find(name: str) -> Path | None:
    return folder(name) if folder(name).is_dir() else None


def new_disk(image_disk: Path, target: Path) -> None:
    """An empty overlay over the image."""
    target.unlink(missing_ok=True)
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(image_disk), "-F", "raw", str(target)], check=True
    )


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    subprocess.run(["cp", "--reflink=auto", "--sparse=auto", str(source), str(target)], check=True)


def restore(name: str, state: Path, hosts: Sequence[str]) -> None:
    """Put the snapshot's disks into the state folder."""
    for host in hosts:
        _copy(folder(name) / f"{host}.qcow2", state / f"{host}.qcow2")


def keep(name: str, state: Path, hosts: Sequence[str], about: dict[str, t.Any]) -> None:
    """Copy the disks, which must hold the snapshot and be at rest, into the cache."""
    with building(f"snapshot-{name}") as work:
        for host in hosts:
            _copy(state / f"{host}.qcow2", work / f"{host}.qcow2")
            check = subprocess.run(
                ["qemu-img", "check", "-q", str(work / f"{host}.qcow2")], capture_output=True, text=True, check=False
            )
            # 3 means leaked clusters, which do no harm
            if check.returncode not in (0, 3):
                raise LabError(f"the snapshot of {host} is damaged: {check.stdout}{check.stderr}")
        (work / "about.json").write_text(json.dumps(about, indent=1) + "\n")


def outside_guest(registers: str) -> bool:
    """Whether a processor is not in an HVM or PVH guest, from what QEMU's ``info registers`` says of it.

    Xen's own table of descriptors is in use then, for itself and for PV domains alike; a guest's lies elsewhere.
    """
    found = _GDT.search(registers)
    return found is not None and int(found["base"], 16) in _XEN


def stop_outside_guest(monitor: Monitor) -> None:
    """Stop a host where its snapshot can be loaded again. Raises LabError when it is never there.

    QEMU does not load what an emulated processor saved inside a nested guest: "vCPU set in guest-mode inconsistent with
    migrated kernel nested state" (target/i386/machine.c, cpu_post_load).
    """
    for dummy in range(STOP_TRIES):
        monitor.execute("stop")
        if outside_guest(monitor.human("info registers")):
            return
        monitor.execute("cont")
        time.sleep(0.02)
    raise LabError("a host cannot be stopped outside its guest, so no snapshot of it would load", "Start the lab again")


def forget(name: str) -> None:
    shutil.rmtree(folder(name), ignore_errors=True)
