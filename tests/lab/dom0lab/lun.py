# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that all hosts see, as they would a SAN's LUN, and the stamps that the guest has written to it."""

from __future__ import annotations

import contextlib
import json
import struct
import time
import typing as t
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError
from .host import Host

BLOCK = 4096
WORDS = BLOCK // 8
SIZE_MIB = 256
SERIAL = "dom0lablun"
# At once.
PIECE = 1 << 20
# In the lab's state folder.
FILE = "lun.raw"
DEVICE = f"/dev/disk/by-id/virtio-{SERIAL}"
# Its place on the host's bus where it is there at boot; the cards and disks of qemu.command have the first ones.
SLOT = 0x10
# The same disk, answering late: through the kernel's dm-delay.
LATE = "/dev/mapper/lun-late"
LATE_MS = 100
# Fewer stamps than a second's tell nothing.
LEAST = 20
# As guest/centos.c has them.
MARK = 0x706D6174736D6F64
PRIME = 0x100000001B3
_SUM = 5
_MASK = (1 << 64) - 1


@dataclass(frozen=True)
class Stamps:
    """What is on the disk: so many stamps from the beginning, and what is wrong with them (nothing, if all is well)."""

    count: int
    problem: str = ""


def attach(hosts: Iterable[Host], folder: Path, size_mib: int = SIZE_MIB) -> Path:
    """Give the same empty disk to all hosts; returns the file behind it. To be done anew after a snapshot was loaded.

    No snapshot can be made with it: QEMU refuses that with a raw disk that is written to.
    """
    path = folder / FILE
    path.unlink(missing_ok=True)
    with path.open("wb") as handle:
        handle.truncate(size_mib << 20)
    for host in hosts:
        with host.monitor() as monitor:
            monitor.execute("blockdev-add", **_node(path))
            monitor.execute("device_add", driver="virtio-blk-pci", drive="lun", id="lun", serial=SERIAL)
        _appears(host)
    return path


def words(path: Path) -> list[str]:
    """Return what a host's QEMU is started with that has this disk, the one of :func:`attach`, when it boots.

    Its place is behind those of the host's own disks, whose names in dom0 follow from their places. QEMU chooses one
    for each -device before it does for a -drive, and would put it before them.
    """
    device = f"virtio-blk-pci,drive=lun,id=lun,serial={SERIAL},addr={SLOT:#x}"
    return ["-blockdev", json.dumps(_node(path)), "-device", device]


def _node(path: Path) -> dict[str, t.Any]:
    # Both have it open; what one has written the other must read.
    file = {"driver": "file", "filename": str(path), "locking": "off", "cache": {"direct": False}}
    return {"node-name": "lun", "driver": "raw", "file": file}


@contextlib.contextmanager
def late(hosts: Iterable[Host]) -> Iterator[None]:
    """Have :data:`LATE` on all hosts, after :func:`attach`: each read and each write takes at least :data:`LATE_MS`."""
    name = LATE.rpartition("/")[2]
    with contextlib.ExitStack() as stack:
        for host in hosts:
            size = host.run(f"blockdev --getsz {DEVICE}").stdout.strip()
            host.run(f"modprobe dm-delay && dmsetup create {name} --table '0 {size} delay {DEVICE} 0 {LATE_MS}'")
            # Whoever has looked at it may still have it open.
            stack.callback(host.run, f"udevadm settle; dmsetup remove --retry {name}")
        yield


def write(path: Path, content: bytes = b"", hosts: Iterable[Host] = ()) -> None:
    """Put this at the beginning of the disk, which must not be in use, and nothing behind it.

    These ``hosts`` then have nothing else of it in their caches.
    """
    with path.open("r+b") as disk:
        size = disk.seek(0, 2)
        disk.truncate(0)
        disk.truncate(size)
        disk.seek(0)
        disk.write(content)
    for host in hosts:
        host.run(f"blockdev --flushbufs {DEVICE}")


def _appears(host: Host, timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while host.run(f"test -b {DEVICE}", check=False).returncode:
        if time.monotonic() > deadline:
            raise LabError(f"{host.name} does not see the shared disk")
        host.run("echo 1 > /sys/bus/pci/rescan; udevadm settle -t 5", check=False)
        time.sleep(1)


def read(path: Path, boots: int = 1) -> Stamps:
    """Read the stamps: one writer, no gap, none lost, none late; those of the last boot are counted.

    Each boot begins at the first block, so that behind the stamps of the last one those of the boots before may lie,
    as far as they came: of at most ``boots`` together.
    """
    count, before, seed, moment = 0, 0, None, 0
    last: int | None = None
    with path.open("rb") as disk:
        while block := disk.read(BLOCK):
            words = struct.unpack(f"<{WORDS}Q", block)
            if words[0] != MARK:
                break
            number, own_seed, written, chained, told = words[1:6]
            if seed is not None and own_seed != seed and boots > 1:
                # What it follows from was written over.
                boots, last, before, moment = boots - 1, count if last is None else last, chained, 0
                seed = own_seed
            seed = own_seed if seed is None else seed
            wrong = (
                (number != count, f"carries number {number}"),
                (told != checksum(words), "is damaged"),
                (own_seed != seed, "is of another boot"),
                (chained != before, "does not follow from the one before: there were two writers"),
                (written < moment, "is older than the one before"),
            )
            problem = next((text for true, text in wrong if true), "")
            if problem:
                return Stamps(count, f"stamp {count} {problem}")
            count, before, moment = count + 1, told, written
        own = count if last is None else last
        return Stamps(own, "" if _empty(disk) else f"there are stamps behind stamp {count}, which is missing")


def checksum(words: tuple[int, ...]) -> int:
    """What a stamp tells as its own checksum."""
    total = 0
    for place, word in enumerate(words):
        if place != _SUM:
            total = ((total ^ word) * PRIME) & _MASK
    return total


def judge(path: Path, answer: t.Mapping[str, t.Any], boots: int = 1, least: int = LEAST) -> Stamps:
    """Read the stamps, and hold them against what the guest has said last of those that it has written."""
    seen = read(path, boots)
    if answer["disk_error"]:
        return Stamps(seen.count, f"the guest could not write: error {answer['disk_error']}")
    if not seen.problem and seen.count < max(least, answer["stamps"]):
        return Stamps(seen.count, f"{seen.count} stamps are on the disk, the guest has written {answer['stamps']}")
    return seen


def _empty(disk: t.BinaryIO) -> bool:
    return all(not piece.strip(b"\0") for piece in iter(lambda: disk.read(PIECE), b""))
