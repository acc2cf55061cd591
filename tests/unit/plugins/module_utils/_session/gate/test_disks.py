# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source's disks are seen at rest before the destination may write to them."""

from __future__ import annotations

import os
import pathlib
import time

import pytest
from dom0_double.driver.fixture import MakeSite, make_site

from ansible_collections.dom0.xen.plugins.module_utils._session.gate import disks
from ansible_collections.dom0.xen.plugins.module_utils._session.gate.disks import Disk, Rest
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

__all__ = ["make_site"]


class Dom0:
    """Block devices as sysfs shows them, each a file in ``dev``."""

    def __init__(self, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sys, self.dev = folder / "sys", folder / "dev"
        self.dev.mkdir()
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(disks, "SYSFS", str(self.sys))
        monkeypatch.setattr(disks, "DEVICES", str(self.dev))

    def device(self, number: str, name: str, inflight: str = "       0        0\n") -> Disk:
        """Add a device; return the disk that it is."""
        place = self.sys / "dev" / "block" / number
        place.mkdir(parents=True)
        (place / "inflight").write_text(inflight)
        (place / "uevent").write_text(f"MAJOR={number}\nDEVNAME={name}\nDEVTYPE=disk\n")
        (self.dev / name).write_text("")
        return Disk(f"/dev/vg/{name}", number)

    def busy(self, disk: Disk, inflight: str) -> None:
        """Change how many reads and writes are under way."""
        (self.sys / "dev" / "block" / str(disk.number) / "inflight").write_text(inflight)

    def rest(self, *found: Disk, limit_s: float = 5.0) -> Rest:
        """Begin to look."""
        self._monkeypatch.setattr(disks, "LIMIT_S", limit_s)
        rest = Rest(found)
        rest.begin()
        return rest


@pytest.fixture
def dom0(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Dom0:
    """A dom0 without disks."""
    return Dom0(tmp_path, monkeypatch)


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were flushed, in order."""
    seen: list[str] = []
    fsync = os.fsync

    def noted(fd: int) -> None:
        seen.append(os.readlink(f"/proc/self/fd/{fd}"))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", noted)
    return seen


def wait(rest: Rest) -> None:
    """Wait until it is over."""
    deadline = time.monotonic() + 20
    while not rest.over:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_domain_without_disks_is_not_kept_waiting(dom0: Dom0) -> None:
    """Nothing is waited for that is not there."""
    rest = dom0.rest()
    wait(rest)
    assert rest.against() is None


def test_the_disks_are_flushed_once_nothing_is_under_way(dom0: Dom0, flushed: list[str]) -> None:
    """A flush before the last write has come back would leave that write in a cache."""
    one, two = dom0.device("253:1", "dm-1"), dom0.device("7:0", "loop0", "       0        3\n")
    rest = dom0.rest(one, two)
    time.sleep(0.2)
    assert not rest.over
    assert flushed == []
    dom0.busy(two, "       0        0\n")
    wait(rest)
    assert rest.against() is None
    assert flushed == [str(dom0.dev / "dm-1"), str(dom0.dev / "loop0")]


def test_a_disk_that_stays_busy_keeps_the_gate_closed(dom0: Dom0, flushed: list[str]) -> None:
    """A write that is still under way could reach the disk after those of the destination."""
    rest = dom0.rest(dom0.device("8:16", "sdb", "       1        0\n"), limit_s=0.3)
    wait(rest)
    failure = rest.against()
    assert failure is not None
    assert failure.code == "disk_busy"
    assert "/dev/vg/sdb" in failure.msg
    assert flushed == []


def test_a_flush_that_fails_keeps_the_gate_closed(dom0: Dom0, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written at the source is missing at the destination."""

    def fails(dummy: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fails)
    rest = dom0.rest(dom0.device("8:16", "sdb"))
    wait(rest)
    failure = rest.against()
    assert failure is not None
    assert failure.code == "disk_flush"
    assert "Input/output error" in failure.msg


def test_a_flush_that_hangs_does_not_hang_the_session(dom0: Dom0, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender goes on answering, and the guest goes on at the source when the time is over."""
    monkeypatch.setattr(os, "fsync", lambda dummy: time.sleep(2))
    rest = dom0.rest(dom0.device("8:16", "sdb"), limit_s=0.3)
    wait(rest)
    assert (rest.against() or pytest.fail("the gate is open")).code == "disk_busy"


def test_an_image_of_qemu_is_flushed_by_its_name(tmp_path: pathlib.Path, dom0: Dom0, flushed: list[str]) -> None:
    """It has no device of its own; what is no file on this host is left to the check, which warns of it."""
    image = tmp_path / "guest.raw"
    image.write_text("")
    rest = dom0.rest(Disk(f"raw:{image}", None), Disk("rbd:pool/image", None), Disk("", None))
    wait(rest)
    assert rest.against() is None
    assert flushed == [str(image)]


def test_the_disks_are_those_that_the_domain_may_write(make_site: MakeSite) -> None:
    """Of a CD nothing can be lost; the numbers of a device are hexadecimal in XenStore."""
    host = make_site("xen1")["xen1"]
    with XenStore(str(host.paths.store_socket)) as store:
        for kind, device, values in (
            ("vbd", "51712", {"mode": "w", "params": "/dev/vg/disk", "physical-device": "fd:1a"}),
            ("vbd", "51728", {"mode": "r", "params": "/srv/cd.iso", "physical-device": "7:1"}),
            ("qdisk", "51744", {"mode": "w", "params": "aio:/srv/guest.raw"}),
        ):
            for key, value in values.items():
                store.write(f"/local/domain/0/backend/{kind}/9/{device}/{key}", value)
        found = disks.written(store, 9)
    assert found == (Disk("/dev/vg/disk", "253:26"), Disk("aio:/srv/guest.raw", None))
