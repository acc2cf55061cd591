# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the double promises beyond the contract of xl: its guests can tell a good migration from a bad one."""

from __future__ import annotations

import os
import pathlib
import struct
import subprocess
import sys
import threading
import time
import typing as t

import dom0_double
import pytest
from dom0_double.driver.commands import namespaces
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig, Host, Result
from dom0_double.driver.site import Site
from dom0_double.processes import of_host

UUID = GuestConfig.uuid
_DOUBLE = str(pathlib.Path(dom0_double.__file__).parents[1])


def waited(reached: t.Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.02)
    return reached()


def migrate(site: Site, command: str | None = None) -> Result:
    """Migrate from xen1 to xen2, by default with nothing between the two xl."""
    return site["xen1"].run(
        "xl", "migrate", "-s", "", "alma", command or f"exec {site['xen2'].paths.bin}/xl migrate-receive"
    )


def start(host: Host, **behaviour: float) -> None:
    """Start a small guest."""
    host.start_guest(GuestConfig(name="alma", memory_mib=8, compact=True, behaviour=behaviour))


def test_the_guest_goes_on_where_it_was(two_hosts: Site) -> None:
    """Same boot, a counter that goes on, memory as it was; never two at once, never none left."""
    start(two_hosts["xen1"], dirty_pages_per_s=2000, working_set=500)
    before = two_hosts["xen1"].guest("alma")
    assert migrate(two_hosts).status == 0
    after = two_hosts["xen2"].guest("alma")
    assert before is not None and after is not None
    assert after["boot_id"] == before["boot_id"]
    assert after["counter"] >= before["counter"]
    assert after["verified"]
    assert two_hosts["xen1"].guest("alma") is None
    assert two_hosts.overlaps(UUID) == []
    assert [run.host for run in two_hosts.running(UUID)] == ["xen2"]


@pytest.mark.parametrize("damage", ["flipped bit", "page of another frame", "stale page"])
def test_damaged_memory_is_noticed(two_hosts: Site, tmp_path: pathlib.Path, damage: str) -> None:
    """A stream with one wrong page restores, as on real Xen, but the guest does not verify."""
    start(two_hosts["xen1"])
    path = tmp_path / "saved"
    assert two_hosts["xen1"].run("xl", "save", "alma", str(path)).status == 0
    data = bytearray(path.read_bytes())
    at = first_pages(data)
    page = at + 50 * 4096
    if damage == "flipped bit":
        data[page + 2000] ^= 1
    elif damage == "page of another frame":
        data[page : page + 4096] = data[page + 4096 : page + 8192]
    else:
        # A whole page of version 0, as it was before the guest wrote to it.
        data[page : page + 4096] = bytes(4096)
    path.write_bytes(data)
    assert two_hosts["xen2"].run("xl", "restore", str(path)).status == 0
    guest = two_hosts["xen2"].guest("alma")
    assert guest is not None
    assert not guest["verified"]


def first_pages(data: bytearray) -> int:
    """Return where the data of the first PAGE_DATA record start."""
    at: int = 48 + struct.unpack_from("<I", data, 44)[0] + 16 + 8 + 40
    while True:
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 1:
            (count,) = struct.unpack_from("<I", data, at + 8)
            return at + 16 + 8 * int(count)
        at += 8 + length + -length % 8


@pytest.mark.parametrize(("rate", "live"), [(0.0, 2), (20000.0, 5)])
def test_rounds(two_hosts: Site, rate: float, live: int) -> None:
    """A quiet guest is stopped after a round of fewer than 50 pages, a busy one after five rounds."""
    start(two_hosts["xen1"], dirty_pages_per_s=rate, working_set=400)
    two_hosts["xen1"].configure(save_rate=20_000_000)
    two_hosts["xen1"].record_points()
    assert migrate(two_hosts).status == 0
    rounds = [point for point in two_hosts["xen1"].points() if point.startswith("save.round")]
    assert rounds == [f"save.round{number}" for number in range(live)]
    guest = two_hosts["xen2"].guest("alma")
    assert guest is not None and guest["verified"]


def test_too_little_memory_fails_in_mid_stream(two_hosts: Site) -> None:
    """Without autoballoon the destination finds out while it receives; the guest runs on, log-dirty left on."""
    two_hosts["xen1"].start_guest(GuestConfig(name="alma", memory_mib=32, compact=True))
    two_hosts["xen2"].configure(memory_mib=1024 + 64 + 4)
    done = migrate(two_hosts)
    assert done.status == 1
    assert "Failed to populate physmap" in done.stderr
    assert two_hosts["xen2"].domains() == []
    guest = two_hosts["xen1"].guest("alma")
    assert guest is not None
    assert (guest["running"], guest["log_dirty"]) == (True, True)


def test_pv_needs_shadow_paging(two_hosts: Site) -> None:
    """As on Debian's Xen: refused when the memory is to be sent, the guest runs on; saving works."""
    two_hosts["xen1"].start_guest(GuestConfig(name="alma", kind="pv"))
    done = migrate(two_hosts)
    assert (done.status, "Failed to enable logdirty: 95,22,0" in done.stderr) == (1, True)
    guest = two_hosts["xen1"].guest("alma")
    assert guest is not None and guest["running"]
    assert two_hosts["xen1"].run("xl", "save", "-c", "alma", "/dev/null").status == 0


def test_arrivals_wait_for_the_lock_of_xl(make_site: MakeSite) -> None:
    """Under autoballoon a second arrival is made only after the first has been received."""
    site = make_site("xen1", "xen2", autoballoon="on")
    for number in (1, 2):
        uuid = f"00000000-0000-0000-0000-00000000000{number}"
        site["xen1"].start_guest(GuestConfig(f"g{number}", uuid, memory_mib=8, compact=True))
    site["xen1"].configure(save_rate=6_000_000)
    site["xen2"].record_points()
    command = f"exec {site['xen2'].paths.bin}/xl migrate-receive"
    moves = [
        threading.Thread(target=site["xen1"].run, args=("xl", "migrate", "-s", "", f"g{number}", command))
        for number in (1, 2)
    ]
    for move in moves:
        move.start()
    for move in moves:
        move.join()
    points = [point for point in site["xen2"].points() if point in ("receive.created", "receive.restored")]
    assert points == ["receive.created", "receive.restored"] * 2
    assert sorted(info["name"] for info in site["xen2"].domains()) == ["g1", "g2"]


def test_the_log_of_runs_tells_one_boot_from_the_next(two_hosts: Site) -> None:
    """A guest that was moved is the same one, and one that has rebooted is not."""
    start(two_hosts["xen1"])
    assert migrate(two_hosts).status == 0
    two_hosts["xen2"].reboot_guest("alma")
    here, there, again = two_hosts.intervals(UUID)
    assert here.boot == there.boot != again.boot != ""


def boot_id(host: Host) -> str:
    """Return what a module on the host takes for the kernel's boot id."""
    return host.run("python3", "-c", "print(open('/proc/sys/kernel/random/boot_id').read())").stdout.strip()


def test_power_loss_ends_everything_at_once(two_hosts: Site) -> None:
    """Nothing of the host is left, its guest's run has an end, and its next boot knows no domain."""
    host = two_hosts["xen1"]
    start(host)
    sleeper = host.spawn("sleep", "100")
    before = boot_id(host)
    host.power_cycle()
    assert boot_id(host) != before or not namespaces()
    assert sleeper.wait(5) == -9
    assert host.domains() == []
    assert [run.why for run in two_hosts.intervals(UUID)] == ["power loss"]
    assert two_hosts.running(UUID) == []


def test_two_copies_at_once_are_noticed(two_hosts: Site, tmp_path: pathlib.Path) -> None:
    """The judge can convict: a copy that was restored while the first still ran is an overlap."""
    start(two_hosts["xen1"])
    path = tmp_path / "saved"
    assert two_hosts["xen1"].run("xl", "save", "-c", "alma", str(path)).status == 0
    assert two_hosts["xen2"].run("xl", "restore", str(path)).status == 0
    assert len(two_hosts.running(UUID)) == 2
    assert len(two_hosts.overlaps(UUID)) == 1


@pytest.mark.parametrize(("where", "fault", "running"), [
    ("xen2", {"point": "receive.ready", "action": "kill"}, "xen1"),
    ("xen1", {"point": "save.byte", "at": 100_000, "action": "kill"}, "xen1"),
    ("xen2", {"point": "receive.renamed", "action": "status", "status": 3}, "xen1"),
    ("xen2", {"point": "receive.unpaused", "action": "power_loss"}, None),
    ("xen1", {"point": "migrate.go", "action": "kill"}, "xen2"),
])  # fmt: skip
def test_faults_happen_where_they_are_said_to(
    two_hosts: Site, where: str, fault: dict[str, object], running: str | None
) -> None:
    """Each fault is used up by one hit, and the guest runs where the protocol leaves it."""
    start(two_hosts["xen1"])
    two_hosts[where].faults(fault)
    migrate(two_hosts)
    time.sleep(0.3)
    assert [run.host for run in two_hosts.running(UUID)] == ([running] if running else [])
    assert two_hosts.overlaps(UUID) == []
    assert two_hosts[where].paths.faults.read_text() == "[]"


def test_a_guest_that_reboots_comes_back(two_hosts: Site) -> None:
    """The monitor makes it anew; after a suspend that was undone there is no monitor, up to Xen 4.19."""
    host = two_hosts["xen1"]
    start(host)
    before = host.guest("alma")
    assert before is not None
    assert host.run("xl", "reboot", "alma").status == 0
    assert waited(lambda: (host.guest("alma") or before)["boot_id"] != before["boot_id"])
    after = host.guest("alma")
    assert after is not None and after["boot_id"] != before["boot_id"]
    assert host.run("xl", "save", "-c", "alma", "/dev/null").status == 0
    host.run("xl", "reboot", "alma")

    def shut_down() -> list[tuple[bool, int]]:
        return [(info["shutdown"], info["reason"]) for info in host.domains()]

    assert waited(lambda: shut_down() == [(True, 1)])
    time.sleep(0.5)
    assert shut_down() == [(True, 1)]


def test_up_again_starts_anew(two_hosts: Site) -> None:
    """Hosts that are made a second time are empty, and there is one machine for each."""
    start(two_hosts["xen1"])
    two_hosts.up(["xen1", "xen2"], suspend_timeout_s=1.0)
    assert two_hosts["xen1"].domains() == []
    assert [len(host.pids) for host in two_hosts.hosts.values()] == [1, 1]
    assert two_hosts.running(UUID) == []


def test_hosts_end_with_the_process_that_made_them(tmp_path: pathlib.Path) -> None:
    """A test run that is killed leaves no process and no memory behind."""
    code = f"""
import pathlib, time
from dom0_double.driver.site import Site
site = Site(pathlib.Path({str(tmp_path)!r}))
site.up(["xen1"])
site["xen1"].spawn("sleep", "100")
print("up", flush=True)
time.sleep(100)
"""
    environment = {**os.environ, "PYTHONPATH": _DOUBLE}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as made:
        assert made.stdout is not None
        assert made.stdout.readline() == b"up\n"
        root = tmp_path / "xen1"
        memory = (root / "run").resolve()
        # A process that executes its program shows no environment for a moment.
        assert waited(lambda: len(of_host(root)) == 2)
        made.kill()
    assert waited(lambda: of_host(root) == [])
    assert not memory.parent.exists()
