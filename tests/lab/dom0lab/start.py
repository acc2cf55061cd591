# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a lab up: from a snapshot in seconds, or by booting, which makes the snapshot."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import time
import typing as t
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from . import control, guest_disk, image, inventory, needs, qemu, snapshot
from .errors import LabError
from .guest import Guest
from .host import Host
from .places import LAB_ROOT, cache_root, locked, mark_used, prune_cache

BOOT_TIMEOUT_S = 900
WARM_TIMEOUT_S = 240
KEEP_DAYS = 14.0
# Whose kernel the guests have, whatever the hosts are: with Debian 11's a second processor does not come up here, and
# PVH and HVM guests of two have crashed within minutes, before a move and after one.
GUEST_RELEASE = "bookworm"
# Read once before the snapshot is made, so that dom0's page cache has them afterwards.
WARM_UP = (
    "python3 -c 'import asyncio, json, pyxs, ssl, subprocess, zipfile' && xl list -l && cat /usr/sbin/xl > /dev/null"
)


@dataclass(frozen=True)
class Settings:
    """What kind of lab: one Debian release a host (image.RELEASES), memory of each host in MiB.

    ``cold``: boot, and make the snapshot anew, even if there is one. ``hvm``: the hosts have QEMU, for HVM guests and
    for disks that it serves. ``share``: they can mount a folder of this machine.
    """

    releases: tuple[str, ...] = ("bookworm", "bookworm")
    memory_mib: int = 2048
    cold: bool = False
    hvm: bool = False
    share: bool = False

    @property
    def kind(self) -> dict[str, t.Any]:
        """What a lab is from when it comes up until it is taken down, as its lab.json has it."""
        return {
            "releases": list(self.releases),
            "memory_mib": self.memory_mib,
            "qemu": self.hvm,
            "shared_folder": self.share,
        }


# What the cases need that are about disks, and about QEMU.
WITH_QEMU = Settings(memory_mib=2304, hvm=True, share=True)


def require_kind(about: t.Mapping[str, t.Any], wanted: Settings, folder: Path) -> None:
    """Raise LabError where the lab that is up, whose lab.json this is, is another one than is wanted (pure)."""
    there = about.get("kind", {})
    differs = [
        f"{name} {there.get(name, 'not known')} where {value} is wanted"
        for name, value in wanted.kind.items()
        if there.get(name) != value
    ]
    if len(there.get("releases", wanted.releases)) != len(wanted.releases):
        differs.insert(0, f"{len(there['releases'])} hosts where {len(wanted.releases)} are wanted")
    if wanted.cold:
        differs.append("it was to be booted anew")
    if differs:
        raise LabError(f"another lab is up in {folder}: {'; '.join(differs)}", f"Take it down: {LAB_ROOT / 'lab'} down")


@dataclass(frozen=True)
class Started:
    """What bring_up leaves: the hosts, seconds by step, the descriptor that keeps the supervisor alive."""

    hosts: list[Host]
    keeper: int
    times: dict[str, float] = field(default_factory=dict)


def together(jobs: Sequence[Callable[[], t.Any]]) -> list[t.Any]:
    """Run the jobs side by side and return their results in order; the first error is raised at once."""
    if not jobs:
        return []
    pool = ThreadPoolExecutor(len(jobs))
    try:
        return [future.result() for future in [pool.submit(job) for job in jobs]]
    finally:
        # not waited for: an interrupt must get through to where the lab is taken down, and that ends the jobs
        pool.shutdown(wait=False, cancel_futures=True)


def free_ports(count: int) -> list[int]:
    """TCP ports of 127.0.0.1 that nobody uses now."""
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(socket.socket()) for dummy in range(count)]
        for wire in wires:
            wire.bind(("127.0.0.1", 0))
        return [wire.getsockname()[1] for wire in wires]


def wait_warm(hosts: Sequence[Host], guest: Guest) -> None:
    """After a snapshot was loaded: every host answers and has the right time, and so does the guest."""
    deadline = time.monotonic() + WARM_TIMEOUT_S

    def one(host: Host) -> None:
        host.wait_banner(deadline)
        host.set_clock()

    together([partial(one, host) for host in hosts])
    guest.ask(timeout=WARM_TIMEOUT_S)


def prepare_cache(
    releases: Sequence[str], tell: Callable[[str], None], hvm: bool = False
) -> tuple[dict[str, image.Image], Path]:
    """The images by release and the guest's disk, made when they are not there."""
    needs.require(needs.missing_tools())
    with locked(cache_root() / "lock"):
        images = {release: image.build(release, tell, hvm) for release in dict.fromkeys((*releases, GUEST_RELEASE))}
        return images, guest_disk.build(images[GUEST_RELEASE], tell)


def bring_up(settings: Settings, folder: Path, tell: Callable[[str], None]) -> Started:
    """Build what the cache does not have, start the hosts, wait for all. Leaves no process behind when it fails."""
    needs.require(needs.missing_room(len(settings.releases), settings.memory_mib))
    times: dict[str, float] = {}
    begun = time.monotonic()
    images, guests = prepare_cache(settings.releases, tell, settings.hvm)
    times["build_s"] = round(time.monotonic() - begun, 1)
    plan = _Plan(settings, folder, images, guests)
    mark_used([*(own.folder for own in plan.images), guests.parent, snapshot.folder(plan.key)])
    warm = snapshot.find(plan.key) is not None and not settings.cold
    begun = time.monotonic()
    plan.write_files(warm)
    keeper = control.start(folder, plan.commands)
    try:
        for host in plan.hosts:
            control.ask(folder, "start", host=host.name, loadvm=qemu.SNAPSHOT if warm else None)
        guest = Guest(folder, plan.hosts)
        if warm:
            wait_warm(plan.hosts, guest)
            times["warm_up_s"] = round(time.monotonic() - begun, 1)
        else:
            tell("booting the hosts, a minute or two ...")
            plan.boot(guest)
            times["cold_boot_s"] = round(time.monotonic() - begun, 1)
            tell("keeping the booted lab as a snapshot ...")
            plan.keep_snapshot(times)
        plan.write_about(times)
    except BaseException:
        control.down(folder)
        os.close(keeper)
        for disk in folder.glob("*.qcow2"):
            disk.unlink()
        raise
    return Started(plan.hosts, keeper, times)


class _Plan:
    """The hosts of one lab, their command lines, and the snapshot's name that follows from these."""

    def __init__(self, settings: Settings, folder: Path, images: dict[str, image.Image], disk: Path) -> None:
        self.folder = folder
        self.settings = settings
        self.images = [images[release] for release in settings.releases]
        kvm = qemu.machine_kvm()
        ports = free_ports(len(settings.releases))
        self.hosts: list[Host] = []
        self.commands: dict[str, list[str]] = {}
        for number, (own, port) in enumerate(zip(self.images, ports, strict=True), start=1):
            spec = qemu.HostSpec(number, own.release, own.folder, settings.memory_mib)
            self.hosts.append(Host(spec.name, spec.address, port, folder))
            self.commands[spec.name] = qemu.command(spec, kvm=kvm, ssh_port=port, guest_disk=disk, share=settings.share)
        self.key = snapshot.key(self.commands, qemu.version(), WARM_UP)

    @property
    def names(self) -> list[str]:
        return [host.name for host in self.hosts]

    def write_files(self, warm: bool) -> None:
        pairs = list(zip(self.names, self.images, strict=True))
        shutil.rmtree(self.folder / qemu.SHARE, ignore_errors=True)
        if self.settings.share:
            (self.folder / qemu.SHARE).mkdir()
        if warm:
            snapshot.restore(self.key, self.folder, self.names)
        else:
            for name, own in pairs:
                snapshot.new_disk(own.disk, self.folder / f"{name}.qcow2")
        for name in self.names:
            (self.folder / f"{name}.serial").unlink(missing_ok=True)
            (self.folder / f"{name}.log").unlink(missing_ok=True)
        inventory.write(
            self.folder, self.hosts,
            {name: own.host_key for name, own in pairs},
            {name: own.key for name, own in pairs},
            {name: own.operator_password for name, own in pairs},
        )  # fmt: skip

    def boot(self, guest: Guest) -> None:
        deadline = time.monotonic() + BOOT_TIMEOUT_S

        def one(host: Host) -> None:
            host.wait_banner(deadline)
            host.run("systemctl is-system-running --wait >/dev/null", check=False, timeout=BOOT_TIMEOUT_S)
            host.wait_xen(deadline)
            host.run(WARM_UP, timeout=BOOT_TIMEOUT_S)

        together([partial(one, host) for host in self.hosts])
        guest.start(self.hosts[0])

    def keep_snapshot(self, times: dict[str, float]) -> None:
        with contextlib.ExitStack() as stack:
            monitors = [stack.enter_context(host.monitor()) for host in self.hosts]
            for monitor in monitors:
                snapshot.stop_outside_guest(monitor)
            together([partial(monitor.silently, f"savevm {qemu.SNAPSHOT}") for monitor in monitors])
            with locked(cache_root() / "lock"):
                prune_cache(KEEP_DAYS)
                snapshot.keep(
                    self.key, self.folder, self.names, {"times": times, "releases": [i.release for i in self.images]}
                )
            for monitor in monitors:
                monitor.execute("cont")
        together([host.set_clock for host in self.hosts])

    def write_about(self, times: dict[str, float]) -> None:
        about = {
            "hosts": [{"name": h.name, "address": h.address, "ssh_port": h.ssh_port} for h in self.hosts],
            "kind": self.settings.kind,
            "snapshot": self.key,
            "times": times,
        }
        (self.folder / "lab.json").write_text(json.dumps(about, indent=1) + "\n")
