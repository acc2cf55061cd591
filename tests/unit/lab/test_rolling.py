# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rolling maintenance of real hosts calls nothing well that is not; run without a lab."""

from __future__ import annotations

import configparser
import dataclasses
import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from cases.world import Left, World
from dom0lab import Lab, LabError, Observation, lun
from dom0lab.lun import Stamps
from rolling import __main__ as rolling
from rolling import hosts
from rolling.residents import RESIDENTS
from rolling.verdict import CLOSED, GuestSeen, HostSeen, checks, off

from ansible_collections.dom0.xen.plugins.module_utils import _sessions_seen

SEEN = Observation(
    gap_ms=5000, usual_ms=500, asked=100, answered=90, lost=10, double_answers=0, duration_ms=50000,
    boot_id_unchanged=True, counter_never_fell=True, memory_verified=True, boots=1, after={"boot_id": "b"},
)  # fmt: skip
GUEST = GuestSeen("db", "xen1", "b", ["xen1"], SEEN, Stamps(1000))
HOST = HostSeen(
    "xen1", "first", boot_id="second", boots=["first", "second"], clock_off_s=0.4, bridge=True, disk=True,
    domains=["db"],
)  # fmt: skip


def well(status: int = 0, guest: GuestSeen = GUEST, host: HostSeen = HOST) -> bool:
    """Whether every check holds of one guest and one host."""
    return all(check.ok for check in checks(status, [guest], [host]))


def seen(**changes: t.Any) -> GuestSeen:
    """The guest, with something else seen of it from outside."""
    return dataclasses.replace(GUEST, observation=dataclasses.replace(SEEN, **changes))


def test_what_is_well_is_well() -> None:
    """What the others differ from; a guest without a disk has no stamps."""
    assert well()
    assert well(guest=dataclasses.replace(GUEST, stamps=None))


@pytest.mark.parametrize(
    "bad",
    [
        dataclasses.replace(GUEST, where=[]),
        dataclasses.replace(GUEST, where=["xen2"]),
        dataclasses.replace(GUEST, where=["xen1", "xen2"]),
        dataclasses.replace(GUEST, observation=None),
        dataclasses.replace(GUEST, boot_id="a"),
        dataclasses.replace(GUEST, stamps=Stamps(5, "stamp 5 carries number 7")),
        seen(boot_id_unchanged=False),
        seen(counter_never_fell=False),
        seen(memory_verified=False),
        seen(double_answers=1),
        seen(after={}),
    ],
)
def test_a_guest_that_is_not_well_is_not_called_so(bad: GuestSeen) -> None:
    """One thing that is wrong with one guest is enough."""
    assert not well(guest=bad)


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("boots", ["first"]),
        ("boots", ["first", "between", "second"]),
        ("boots", ["other", "second"]),
        ("boots", ["first", "other"]),
        ("boots", []),
        ("boot_id", "first"),
        ("clock_off_s", 60.0),
        ("clock_off_s", None),
        ("bridge", False),
        ("disk", False),
        ("marks", [CLOSED]),
        ("marks", ["claim.json"]),
        ("remains", ["port 49152"]),
        ("error", "no answer"),
    ],
)
def test_a_host_that_is_not_well_is_not_called_so(wrong: str, value: t.Any) -> None:
    """Not rebooted, rebooted twice, without what it had, closed, claimed, or not clean."""
    assert not well(host=dataclasses.replace(HOST, **{wrong: value}))


def test_a_run_that_failed_is_not_well() -> None:
    """Though all is as it should be."""
    assert not well(status=2)


def test_reboots_are_counted_from_the_boot_of_before() -> None:
    """A record that does not belong to what was seen counts for nothing."""
    assert HOST.reboots == 1
    assert dataclasses.replace(HOST, boot_id="first", boots=["first"]).reboots == 0
    assert dataclasses.replace(HOST, boots=["first", "first", "second"]).reboots == -1


def test_the_time_that_a_login_takes_is_not_what_a_clock_is_off() -> None:
    """It was told between two moments."""
    assert (off(10.0, 9.0, 12.0), off(7.0, 9.0, 12.0), off(20.0, 9.0, 12.0)) == (0.0, 2.0, 8.0)


def test_the_mark_of_a_closed_host_is_the_one_that_there_is() -> None:
    """Another name would call every host open."""
    assert CLOSED == _sessions_seen.CLOSED


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


class Dead:
    """A host that does not answer."""

    name = "xen2"

    def run(self, *dummy: t.Any, **more: t.Any) -> t.Any:
        """What ssh says."""
        raise LabError("xen2: it ended with 255")


def test_a_host_that_did_not_come_back_is_told_beside_the_others(tmp_path: Path) -> None:
    """The figures of the others are not lost with it."""
    told = hosts.see(t.cast(World, None), t.cast(t.Any, Dead()), "first")
    assert "ended with 255" in told.error and not well(host=told)
    hosts.keep(t.cast(t.Any, Dead()), tmp_path)


def test_a_guest_that_is_nowhere_has_no_good_stamps(tmp_path: Path) -> None:
    """Nobody is asked, and nobody is paused."""
    told = rolling.judged(t.cast(Lab, None), t.cast(t.Any, None), ["xen1", "xen2"], tmp_path / "disk")
    assert told.problem == "the guest is on ['xen1', 'xen2']"


def test_figures_are_written_and_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit status follows from the checks in the file; moves are in it by name."""
    monkeypatch.setattr(rolling, "RESULT", tmp_path / "maintain.json")
    monkeypatch.setattr(rolling, "FOLDER", tmp_path / "maintain")
    (tmp_path / "maintain" / "moves").mkdir(parents=True)
    (tmp_path / "maintain" / "moves" / "db@xen1.json").write_text('{"owner": "destination", "total_ms": 5}')
    (tmp_path / "maintain" / "moves" / "cut.json").write_text("{")

    class Answers:
        """A lab whose hosts say something, and nothing more."""

        hosts: t.ClassVar[dict[str, t.Any]] = {}

        def run(self, *dummy: t.Any, **more: t.Any) -> t.Any:
            """What a command printed."""
            return subprocess.CompletedProcess([], 0, stdout="4.17.4\n")

    lab = t.cast(t.Any, Answers())
    lab.hosts["xen1"] = type("Host", (Answers,), {"name": "xen1"})()
    assert rolling.written(lab, 0, 1.0, [GUEST], [HOST])
    document = json.loads((tmp_path / "maintain.json").read_text())
    assert document["moves"]["db@xen1"]["total_ms"] == 5 and document["moves"]["cut"]["owner"] is None
    assert document["guests"][0]["stamps"]["count"] == 1000 and document["hosts"][0]["reboots"] == 1
    assert not (tmp_path / "maintain" / "xen1").exists()
    assert not rolling.written(lab, 0, 1.0, [GUEST], [dataclasses.replace(HOST, boots=["first"])])
    assert (tmp_path / "maintain" / "xen1").exists(), "the lab is gone afterwards"


def test_marks_and_slots_are_no_remains() -> None:
    """A slot that was used stays until the next one is taken; what marks a host is judged by itself."""
    left = Left(folders=[], journals=["fleet"], marks=[CLOSED], processes=[], ports=[], domains={})
    assert left.remains == []


def test_a_lab_that_breaks_is_not_a_result(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with 2, and says what it was."""

    def up(*dummy: t.Any) -> Lab:
        raise LabError("a host did not boot")

    monkeypatch.setattr(Lab, "up", up)
    assert rolling.run() == 2
    assert "a host did not boot" in capsys.readouterr().err
