# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small read-only disk both hosts have at /srv/lab: the test guest, and what a host runs at boot."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import cpio, modules
from .errors import LabError
from .image import Image, building
from .places import LAB_ROOT, cache_root, digest, folder_parts

GUEST_FILES = LAB_ROOT / "guest"
HOST_FILES = LAB_ROOT / "host"
GUEST_ADDRESS = "10.77.0.10"
GUEST_MAC = "00:16:3e:77:00:10"
GUEST_UUID = "77c0ffee-0000-4000-8000-00000000ce05"
GUEST_PORT = 7700
GUEST_MEMORY_MIB = 128
GUEST_PAGES = 4096
GUEST_RATE = 200
INITRD, EMULATED_INITRD = "guest-initrd", "guest-initrd-emulated"
COMPILE = ("gcc", "-O2", "-Wall", "-Wextra", "-static", "-s")


@dataclass(frozen=True)
class GuestSpec:
    """One guest: ``rate`` in pages a second, ``pages`` in use out of its memory.

    ``type`` as xl spells it; with ``disk`` a path in dom0, the guest stamps that disk all the time. ``disk_words`` say
    how the disk is served, as xl-disk-configuration(5) has it. ``emulated``, for ``hvm``: the guest knows nothing of
    Xen, and has the disk and the card that QEMU makes for it.
    """

    type: str = "pvh"
    name: str = "centos"
    memory_mib: int = GUEST_MEMORY_MIB
    rate: int = GUEST_RATE
    pages: int = GUEST_PAGES
    uuid: str = GUEST_UUID
    mac: str = GUEST_MAC
    address: str = GUEST_ADDRESS
    vcpus: int = 1
    cards: int = 1
    disk: str = ""
    disk_words: str = "format=raw,backendtype=phy"
    emulated: bool = False

    def config(self) -> str:
        """Text of its xl configuration."""
        words = (
            f"console={'tty0 nopv' if self.emulated else 'hvc0'} quiet lab.address={self.address}/24"
            f" lab.port={GUEST_PORT} lab.pages={self.pages} lab.rate={self.rate}"
            + (f" lab.disk=/dev/{'sda' if self.emulated else 'xvda'}" if self.disk else "")
        )
        macs = [f"{self.mac[:-2]}{int(self.mac[-2:], 16) + number:02x}" for number in range(self.cards)]
        kind = ",type=ioemu,model=e1000" if self.emulated else ",type=vif" if self.type == "hvm" else ""
        cards = ", ".join(f'"mac={mac},bridge=xenbr0{kind}"' for mac in macs)
        lines = [
            f'name = "{self.name}"',
            f'uuid = "{self.uuid}"',
            f'type = "{self.type}"',
            'kernel = "/srv/lab/guest-vmlinuz"',
            f'ramdisk = "/srv/lab/{EMULATED_INITRD if self.emulated else INITRD}"',
            f'extra = "{words}"',
            f"memory = {self.memory_mib}",
            f"maxmem = {self.memory_mib}",
            f"vcpus = {self.vcpus}",
            f"vif = [ {cards} ]",
            'on_crash = "preserve"',
        ]
        if self.disk:
            device = "hda" if self.emulated else "xvda"
            lines.append(f'disk = [ "{self.disk_words},vdev={device},access=w,target={self.disk}" ]')
        if self.type == "hvm":
            lines += ['vga = "none"', "vnc = 0", "sdl = 0", "nographic = 1", "usb = 0"]
        return "\n".join([*lines, ""])


# The one that runs on xen1 in a snapshot.
USUAL = GuestSpec()


def guest_config(**changes: t.Any) -> str:
    """Text of a guest's xl configuration, with what is other than usual."""
    return GuestSpec(**changes).config()


def compile_program(target: Path) -> None:
    """The guest's program, static, so that it runs in an initramfs with nothing beside it."""
    done = subprocess.run(
        [*COMPILE, "-o", str(target), str(GUEST_FILES / "centos.c")], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LabError(f"the guest's program does not compile:\n{done.stderr}", "Is libc6-dev installed?")


def front_ends(image: Image) -> list[tuple[str, bytes]]:
    """The drivers for Xen's disks and cards."""
    paths = sorted((image.folder / "modules").iterdir())
    return [(modules.name(path.name), modules.unpacked(path.name, path.read_bytes())) for path in paths]


def guest_initramfs(image: Image, program: bytes, drivers: Sequence[tuple[str, bytes]]) -> bytes:
    """The whole guest; it loads the drivers in this order."""
    entries = [cpio.folder(name) for name in ("dev", "etc", "bin", "modules")]
    entries += [
        cpio.console(),
        cpio.file("bin/busybox", (image.folder / "busybox").read_bytes(), executable=True),
        cpio.file("init", b"#!/bin/busybox sh\n" + (GUEST_FILES / "init").read_bytes(), executable=True),
        cpio.file("centos", program, executable=True),
    ]
    entries += [cpio.file(f"modules/{place:02}-{name}.ko", data) for place, (name, data) in enumerate(drivers)]
    return gzip.compress(cpio.archive(entries), 6, mtime=0)


def disk_key(image: Image) -> str:
    own = [guest_config(), guest_config(type="hvm", emulated=True), *modules.DRIVERS, *COMPILE]
    return digest([image.folder.name, *own, *folder_parts(GUEST_FILES), *folder_parts(HOST_FILES)])


def find(image: Image) -> Path | None:
    path = cache_root() / f"guest-{disk_key(image)}" / "lab.img"
    return path if path.exists() else None


def build(image: Image, tell: Callable[[str], None] = print) -> Path:
    """The disk, made from ``image``'s kernel, or taken from the cache."""
    found = find(image)
    if found:
        return found
    tell("building the test guest ...")
    name = f"guest-{disk_key(image)}"
    with building(name) as work:
        tree = work / "tree"
        tree.mkdir()
        compile_program(work / "centos")
        program = (work / "centos").read_bytes()
        for initrd, drivers in ((INITRD, front_ends(image)), (EMULATED_INITRD, modules.emulated(image))):
            (tree / initrd).write_bytes(guest_initramfs(image, program, drivers))
        shutil.copy(image.folder / "vmlinuz", tree / "guest-vmlinuz")
        (tree / "centos.cfg").write_text(guest_config())
        shutil.copy(HOST_FILES / "start", tree / "start")
        (tree / "lab.json").write_text(json.dumps({"guest": "centos", "uuid": GUEST_UUID}) + "\n")
        subprocess.run(
            ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-E", "root_owner=0:0", "-L", "lab",
             "-d", str(tree), str(work / "lab.img"), "32M"],
            check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
        )  # fmt: skip
        shutil.rmtree(tree)
    return cache_root() / name / "lab.img"
