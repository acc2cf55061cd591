# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeing a suspended guest's disks at rest before another host may write to them (private to the collection).

A guest that suspends leaves its requests with the backend, and asks again for the unanswered ones where it wakes up
(Linux, drivers/block/xen-blkfront.c blkif_recover). What the old backend has not finished by then could be written over
the new one's. So the source waits until nothing is on its way, and then until all of it is on the disk.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

SYSFS = "/sys"
DEVICES = "/dev"
# How long, in seconds, the guest may be kept waiting for its disks.
LIMIT_S = 20.0
# Between two looks, in seconds. Two are needed: a backend takes requests from the ring in batches.
PAUSE_S = 0.02

_REMEDY = "See what keeps the disk busy (iostat -x, dmesg), then run the migration again."


@dataclass(frozen=True)
class Disk:
    """A disk that dom0 serves and the guest may write: what it was configured as, and its MAJOR:MINOR, if known."""

    target: str
    number: str | None


def written(store: XenStore, domid: int) -> tuple[Disk, ...]:
    """Return the disks that the domain may write to and dom0 serves, by vbd or by QEMU.

    Nodes as in docs/misc/xenstore-paths.pandoc and xen/include/public/io/blkif.h; ``physical-device`` is hexadecimal
    (tools/hotplug/Linux/block-common.sh write_dev). Raises the errors of :class:`XenStore`.
    """
    found = []
    for kind in ("vbd", "qdisk"):
        base = f"/local/domain/0/backend/{kind}/{domid}"
        for device in store.list(base):
            if store.read(f"{base}/{device}/mode") == "w":
                number = _decimal(store.read(f"{base}/{device}/physical-device"))
                found.append(Disk(store.read(f"{base}/{device}/params") or "", number))
    return tuple(found)


def _decimal(number: str | None) -> str | None:
    try:
        major, minor = (number or "").split(":")
        return f"{int(major, 16)}:{int(minor, 16)}"
    except ValueError:
        return None


class Rest:
    """Waits in a thread of its own until the disks are at rest, so that the session goes on answering meanwhile."""

    def __init__(self, disks: t.Iterable[Disk]) -> None:
        self._disks = tuple(disks)
        self._deadline = 0.0
        self._against: Failure | None = None
        self._thread: threading.Thread | None = None
        self._seen = threading.Event()

    def begin(self) -> None:
        """Begin to look, once the guest has suspended; nothing happens when that was begun before."""
        if not self._disks:
            self._seen.set()
        elif self._thread is None:
            self._deadline = time.monotonic() + LIMIT_S
            self._thread = threading.Thread(target=self._wait, daemon=True)
            self._thread.start()

    @property
    def over(self) -> bool:
        """Whether the disks were seen at rest, or the time for it is over."""
        return self._seen.is_set() or (self._thread is not None and time.monotonic() > self._deadline)

    def against(self) -> Failure | None:
        """Return why the disks must not be used elsewhere; ``None`` when they were seen at rest."""
        if self._seen.is_set():
            return self._against
        targets = [disk.target for disk in self._disks]
        return Failure(
            "disk_busy",
            f"the disks of the suspended domain did not come to rest within {LIMIT_S:g} s: {', '.join(targets)}",
            remedy=_REMEDY,
            details={"disks": targets},
        )

    def _wait(self) -> None:
        quiet = 0
        while True:
            quiet = 0 if any(_on_its_way(disk) for disk in self._disks) else quiet + 1
            if quiet == 2:
                break
            if time.monotonic() > self._deadline:
                return
            time.sleep(PAUSE_S)
        for disk in self._disks:
            try:
                _flush(disk)
            except OSError as exc:
                text = f"the disk {disk.target} of the suspended domain could not be flushed: {exc.strerror or exc}"
                self._against = Failure("disk_flush", text, remedy=_REMEDY, details={"disk": disk.target})
        self._seen.set()


def _attribute(number: str, name: str) -> str:
    with open(os.path.join(SYSFS, "dev/block", number, name), encoding="utf-8") as handle:
        return handle.read()


def _on_its_way(disk: Disk) -> bool:
    """Whether requests are under way: reads and writes in flight (Linux, Documentation/block/stat.rst)."""
    try:
        inflight = _attribute(disk.number or _number(_file(disk)), "inflight")
        return any(int(word) for word in inflight.split())
    except (OSError, ValueError):
        return False


def _flush(disk: Disk) -> None:
    path = _path(disk)
    if path is None:
        return
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _path(disk: Disk) -> str | None:
    """Return the file that is flushed; ``None`` for a disk that is no file here, such as one of a cluster store."""
    if disk.number is not None:
        with contextlib.suppress(OSError):
            names = [line[8:] for line in _attribute(disk.number, "uevent").splitlines() if line.startswith("DEVNAME=")]
            if names:
                return os.path.join(DEVICES, names[0])
    path = _file(disk)
    return path if os.path.exists(path) else None


def _file(disk: Disk) -> str:
    """Return the path in a disk's target, empty where it has none.

    QEMU's are written as DRIVER:PATH (tools/libs/light/libxl_disk.c device_disk_add).
    """
    path = disk.target if disk.target.startswith("/") else disk.target.partition(":")[2]
    return path if path.startswith("/") else ""


def _number(path: str) -> str:
    """Return the MAJOR:MINOR of a block device; raises :class:`OSError` or :class:`ValueError` for anything else."""
    found = os.stat(path)
    if not stat.S_ISBLK(found.st_mode):
        raise ValueError(path)
    return f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
