# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rolling maintenance of real hosts begins with: guests, tasks, and machines that begin anew."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
import time
import types
import typing as t
from pathlib import Path

import pytest
import yaml
from dom0lab import Lab, LabError, control, lun, qemu
from rolling import __main__ as rolling
from rolling import hosts, machines
from rolling.residents import RESIDENTS
from rolling.verdict import HostSeen, off


def test_there_are_four_guests_and_each_host_has_some() -> None:
    """A host without one would be emptied of nothing; the last numbers of all addresses differ."""
    names = {f"xen{number}" for number in range(1, len(rolling.SETTINGS.releases) + 1)}
    assert len(names) == 3 and len(RESIDENTS) == 4
    assert {one.home for one in RESIDENTS} == names
    assert [one.spec.disk for one in RESIDENTS if one.spec.disk] == [lun.DEVICE], "one disk has one writer"
    for each in ("name", "uuid", "mac", "address"):
        assert len({getattr(one.spec, each) for one in RESIDENTS}) == len(RESIDENTS)
    last = {int(one.spec.address.rpartition(".")[2]) for one in RESIDENTS}
    observers = {one.observer for one in RESIDENTS}
    assert len(observers) == len(RESIDENTS) and not observers & last
    assert min(observers) >= 20 and max(observers) < 50


def test_the_task_file_reboots_once() -> None:
    """And not again where a run was cut off behind the reboot; the run requires that each host was booted anew."""
    (task,) = yaml.safe_load(rolling.TASKS.read_text())
    assert "ansible.builtin.reboot" in task and task["when"] == "not maintain_rebooted"
    told = rolling.variables(Path("folder"), ["xen1", "xen2", "xen3"])
    assert (told["dom0s"], told["maintain_reboot"], told["maintain_return"]) == ("xen1,xen2,xen3", "true", "all")
    assert told["maintain_tasks"] == str(rolling.TASKS)


def test_the_unit_keeps_the_record_and_knows_the_disk_that_the_rest_means() -> None:
    """It is a file of its own, which a host has before its first reboot."""
    unit = configparser.RawConfigParser(strict=False, delimiters="=")
    text = (hosts.ON_HOST / hosts.UNIT).read_text()
    unit.read_string(text)
    assert unit["Service"]["Type"] == "oneshot" and "ssh.service" in unit["Unit"]["Before"]
    assert f">> {hosts.BOOTS}'" in text and f"test -b {lun.DEVICE} " in text


def test_a_host_tells_what_is_asked_of_it(tmp_path: Path) -> None:
    """Run here: its boots from the file, and nothing that is not there."""
    (tmp_path / "boots").write_text("first\nsecond\n")
    command = [sys.executable, "-I", str(hosts.ON_HOST / "after.py"), str(tmp_path / "boots"), str(tmp_path / "disk")]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert off(told.pop("clock_s"), 0.0, float("inf")) == 0.0
    assert told["boots"] == ["first", "second"] and told["disk"] is False and len(told["boot_id"]) == 36
    assert HostSeen("xen1", "first", **told).boots == ["first", "second"]
    (tmp_path / "boots").unlink()
    (tmp_path / "disk").touch()
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert told["boots"] == [] and told["disk"] is True


class Switched:
    """The supervisor: which machines there are, and what was asked of it."""

    def __init__(self) -> None:
        self.pids: dict[str, int | None] = {"xen1": 1, "xen2": 2}
        self.asked: list[tuple[str, dict[str, t.Any]]] = []

    def ask(self, folder: Path, verb: str, **more: t.Any) -> dict[str, t.Any]:
        """Answer as the supervisor does."""
        if verb != "status":
            self.asked.append((verb, more))
            self.pids[more["host"]] = None if verb == "stop" else 9
        return {"hosts": {name: {"pid": pid, "ended": None if pid else 0} for name, pid in self.pids.items()}}


def test_a_machine_that_ended_begins_anew_with_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """QEMU ends with a host that reboots. One that hangs in its reset is switched off before; others are left alone."""
    switched = Switched()
    monkeypatch.setattr(control, "ask", switched.ask)
    lab = t.cast(Lab, types.SimpleNamespace(folder=tmp_path, hosts=dict.fromkeys(switched.pids)))
    watched = machines.Machines(lab, tmp_path / lun.FILE, tell=lambda text: None)
    watched.look()
    assert switched.asked == [] and watched.resets == []
    switched.pids["xen2"] = None
    watched.look()
    assert switched.asked == [("start", {"host": "xen2", "more": lun.words(tmp_path / lun.FILE)})]
    watched.look()
    assert len(switched.asked) == 1, "it is there again"
    (tmp_path / "xen1.serial").write_text("(XEN) Hardware Dom0 shutdown: rebooting machine\r\n")
    watched.look()
    assert len(switched.asked) == 1, "it may yet be reset"
    monkeypatch.setattr(machines, "HANGS_S", 0.0)
    watched.look()
    assert [verb for verb, dummy in switched.asked[1:]] == ["stop", "start"]
    assert [(reset["host"], reset["by_hand"]) for reset in watched.resets] == [("xen2", False), ("xen1", True)]


def test_something_is_done_again_and_again_whatever_it_raises(capsys: pytest.CaptureFixture[str]) -> None:
    """A supervisor that does not answer once must not leave a host without its machine for good."""
    calls: list[int] = []

    def do() -> None:
        calls.append(1)
        if len(calls) < 3:
            raise LabError("no answer")

    with machines.Every(0.01, do):
        deadline = time.monotonic() + 60
        while len(calls) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert capsys.readouterr().out == "LabError: no answer\n", "said once"


def test_the_disk_is_behind_the_hosts_own_ones(tmp_path: Path) -> None:
    """By the words that QEMU is started with: the names of the others in dom0 follow from their places."""
    blockdev, node, device, said = lun.words(tmp_path / "lun.raw")
    assert (blockdev, device) == ("-blockdev", "-device")
    assert json.loads(node)["file"] == {
        "driver": "file", "filename": str(tmp_path / "lun.raw"), "locking": "off", "cache": {"direct": False},
    }  # fmt: skip
    spec = qemu.HostSpec(1, "bookworm", tmp_path)
    words = qemu.command(spec, kvm=False, ssh_port=1, guest_disk=tmp_path)
    taken = 2 + sum(word in ("-device", "-drive") for word in words)
    assert f"serial={lun.SERIAL},addr=0x10" in said and taken < lun.SLOT
