# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of disk that dom0 serves: the guest goes on writing where it left off, or is not moved at all.

The guest stamps its disk all the time, past its own caches. A stamp tells which one it follows, so that what lies on
the disk in the end shows a write that was lost, one that was made twice, and a second writer.
"""

from __future__ import annotations

import itertools
import subprocess
import time
import typing as t
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dom0lab import lun
from dom0lab.guest_disk import GuestSpec
from dom0lab.qemu import SHARE_TAG
from proof.share import NO_QEMU

from .conftest import Record
from .plays import wait_until
from .world import BUILD, World, same_guest

# A guest with a device model takes minutes to boot on an emulated host.
START_S = 900
ANSWER_S = 300
STAMPS_S = 120
# Between two looks: about two seconds of an idle machine.
MORE = 40
IMAGE_MIB = 128
MOUNT = "/srv/share"
# What QEMU's option -fsdev has; no driver is loaded for a device that was there when the host booted (image/setup.sh).
MOUNTED = (
    f"modprobe -a loop 9pnet_virtio && mkdir -p {MOUNT}"
    f" && mount -t 9p -o trans=virtio,version=9p2000.L,cache=none {SHARE_TAG} {MOUNT}"
)
RAW = "disk.raw"
OF_BOTH, OF_ONE = f"{MOUNT}/{RAW}", "/var/lib/lab-disk.raw"
QDISK = "backendtype=qdisk"
LIVE = {"migrate_method": "live"}
SUSPEND = {"migrate_method": "suspend"}
WAYS = (("xen1", "xen2"), ("xen2", "xen1"))
# cache=none is what the mount has, and what the kernel does not show of it.
WAIVED = {"migrate_waive": "disk_cache_stale"}


@dataclass(frozen=True)
class Kind:
    """A disk: how it is served, what a move is refused for and by which variables, and the moves that succeed."""

    disk: str
    words: str = "format=raw,backendtype=phy"
    found: set[tuple[str, str]] = field(default_factory=set)
    asked: Mapping[str, str] = field(default_factory=dict)
    moves: Sequence[Mapping[str, str]] = (LIVE, SUSPEND)
    type: str = "pvh"

    @property
    def spec(self) -> GuestSpec:
        """The guest that has it."""
        memory: dict[str, t.Any] = {"memory_mib": 192} if self.type == "hvm" else {}
        return GuestSpec(type=self.type, disk=self.disk, disk_words=self.words, **memory)


KINDS = {
    "phy": Kind(lun.DEVICE),
    "phy that answers late": Kind(lun.LATE),
    # With direct-io-safe it is safe, but the QEMU of Debian's qemu-system-xen cannot serve it: it is built without
    # Linux AIO, and the guest runs on without its disk.
    # QEMU serves it, and is told to flush and let go by xl migrate.
    "HVM qdisk raw": Kind(lun.DEVICE, f"format=raw,{QDISK},direct-io-safe", moves=(LIVE, SUSPEND), type="hvm"),
    "qdisk raw in the cache": Kind(lun.DEVICE, f"format=raw,{QDISK}", {("disk_cache_stale", "xen1")}, moves=()),
    "qdisk qcow2": Kind(lun.DEVICE, f"format=qcow2,{QDISK}", {("disk_not_raw", "xen1")}, moves=()),
    "file of both hosts": Kind(
        OF_BOTH, "format=raw", {("disk_cache_stale", "xen1")}, moves=({**LIVE, **WAIVED}, {**SUSPEND, **WAIVED})
    ),
    "file of one host": Kind(OF_ONE, "format=raw", {("disk_not_shared", "xen2")}, moves=()),
    # QEMU of an HVM domain is told to flush and let go by xl migrate, and not by xl save.
    "HVM qcow2": Kind(
        lun.DEVICE, f"format=qcow2,{QDISK}", {("suspend_disk_cached", "xen1")}, SUSPEND, (LIVE, LIVE), "hvm"
    ),
}


@pytest.fixture(scope="module")
def ground(lab_world: World) -> Iterator[World]:
    """Hosts without a guest, which share a LUN and a folder of this machine."""
    lab = lab_world.lab
    if lab.share is None:
        pytest.skip(NO_QEMU)
    # Whatever becomes of these cases, nobody goes on from there.
    lab_world.stale = True
    lab.reset()
    lab.guest.stop()
    lun.attach(lab.hosts.values(), lab.folder)
    for host in lab.hosts.values():
        host.run(MOUNTED)
    yield lab_world


@pytest.mark.parametrize("name", KINDS)
def test_disk(ground: World, record: Record, name: str) -> None:
    """It is moved there and back with one writer at every moment, or stays as if nobody had asked."""
    kind, lab = KINDS[name], ground.lab
    called = f"disk-{name.replace(' ', '-')}"
    empty(ground, kind)
    late = lun.late(lab.hosts.values()) if kind.disk == lun.LATE else nullcontext()
    with late:
        try:
            lab.guest.start(ground.source, kind.spec, timeout=START_S)
            stamped(ground, kind)
            if kind.found:
                ground.name = f"{called}-refused"
                refused(ground, kind)
            for number, (way, how) in enumerate(zip(itertools.cycle(WAYS), kind.moves, strict=False)):
                ground.name = f"{called}-{number}"
                moved(ground, record, way, how)
                stamped(ground, kind)
            answer = lab.guest.ask(verify=True, timeout=ANSWER_S)
        finally:
            lab.guest.stop()
    seen = lun.judge(written(ground, kind), answer, least=MORE)
    assert not seen.problem, f"of {seen.count} stamps: {seen.problem}"


def empty(world: World, kind: Kind) -> None:
    """Make the disk as it is before anybody has written to it."""
    hosts, qcow2 = world.lab.hosts.values(), b""
    if "format=qcow2" in kind.words:
        path = image(world, "empty.qcow2")
        converted("create", "-f", "qcow2", str(path), f"{IMAGE_MIB}M")
        qcow2 = path.read_bytes()
    if kind.disk in (lun.DEVICE, lun.LATE):
        lun.write(world.lab.folder / lun.FILE, qcow2, hosts)
    else:
        world.source.run(f"rm -f {kind.disk} && truncate -s {IMAGE_MIB}M {kind.disk}")


def written(world: World, kind: Kind) -> Path:
    """The raw disk as it is when nobody has it open any more, where it can be read."""
    path = world.lab.folder / lun.FILE
    if kind.disk == OF_ONE:
        world.source.run(f"cp {OF_ONE} {OF_BOTH} && rm {OF_ONE}")
    if kind.disk in (OF_ONE, OF_BOTH):
        return t.cast(Path, world.lab.share) / RAW
    if "format=qcow2" in kind.words:
        raw = image(world, "disk.raw")
        converted("convert", "-U", "-f", "qcow2", "-O", "raw", str(path), str(raw))
        return raw
    return path


def image(world: World, name: str) -> Path:
    """A file of this machine, which is not there yet."""
    path = BUILD / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return path


def converted(*words: str) -> None:
    """Run qemu-img."""
    done = subprocess.run(["qemu-img", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def stamped(world: World, kind: Kind) -> None:
    """Wait until the guest has written some stamps more; to a disk that answers late that takes its time."""
    before, begun = world.lab.guest.ask()["stamps"], time.monotonic()
    wait_until("stamps", lambda: world.lab.guest.ask()["stamps"] >= before + MORE, STAMPS_S, 0.5)
    took_ms = 1000 * (time.monotonic() - begun)
    late = took_ms + 2 * lun.LATE_MS >= MORE * lun.LATE_MS
    assert late or kind.disk != lun.LATE, f"{MORE} stamps in {took_ms:.0f} ms: it does not answer late"


def refused(world: World, kind: Kind) -> None:
    """Ask for a move, which is not made; the guest never notices."""
    with world.lab.observe(everywhere=True) as watch:
        outcome = world.migrate(source="xen1", destination="xen2", **kind.asked)
    same_guest(watch.observation)
    assert outcome.status != 0, outcome.output[-3000:]
    assert {(finding["code"], finding["host"]) for finding in outcome.findings} == kind.found, outcome.message
    assert outcome.result["end_state"] == "refused"
    assert world.lab.guest.where() == ["xen1"]


def moved(world: World, record: Record, way: tuple[str, str], how: Mapping[str, str]) -> None:
    """Move the guest, which is one and the same at any time."""
    source, destination = way
    with world.lab.observe(everywhere=True) as watch:
        outcome = world.migrate(source=source, destination=destination, **how)
        watch.wait_answer(ANSWER_S)
    assert outcome.status == 0, outcome.output[-3000:]
    seen, result = same_guest(watch.observation), outcome.result
    record.note(total_ms=result["total_ms"], stop_ms=result["stop_ms"], gap_ms=seen.gap_ms)
    assert (result["owner"], result["end_state"]) == ("destination", "moved")
    assert result["method"] == how["migrate_method"]
    assert world.lab.guest.where() == [destination]
