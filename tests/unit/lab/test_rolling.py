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
import time
import types
import typing as t
from pathlib import Path

import pytest
import yaml
from cases.world import Left, World
from dom0lab import Lab, LabError, Observation, control, lun, qemu
from dom0lab.lun import Stamps
from rolling import __main__ as rolling
from rolling import hosts, machines
from rolling.record import Part, Record
from rolling.residents import RESIDENTS
from rolling.verdict import CLOSED, GuestSeen, HostSeen, checks, off

from ansible_collections.dom0.xen.plugins.module_utils._facts import sessions

SEEN = Observation(
    gap_ms=5000, usual_ms=500, asked=100, answered=90, lost=10, double_answers=0, duration_ms=50000,
    boot_id_unchanged=True, counter_never_fell=True, memory_verified=True, boots=1,
    before={"boot_id": "b", "counter": 7}, after={"boot_id": "b"},
)  # fmt: skip
# Of a part that was stopped: nobody has looked at all of the guest's memory.
STOPPED = dataclasses.replace(SEEN, memory_verified=False, after={}, before={"boot_id": "b", "counter": 3})
GUEST = GuestSeen("db", "xen1", "b", ["xen1"], [SEEN], Stamps(1000))
HOST = HostSeen(
    "xen1", "first", boot_id="second", boots=["first", "second"], clock_off_s=0.4, bridge=True, disk=True,
    domains=["db"],
)  # fmt: skip


def well(status: int = 0, guest: GuestSeen = GUEST, host: HostSeen = HOST) -> bool:
    """Whether every check holds of one guest and one host."""
    return all(check.ok for check in checks(status, [guest], [host]))


def seen(**changes: t.Any) -> GuestSeen:
    """The guest, with something else seen of it from outside."""
    return dataclasses.replace(GUEST, seen=[dataclasses.replace(SEEN, **changes)])


def test_what_is_well_is_well() -> None:
    """What the others differ from; a guest without a disk has no stamps."""
    assert well()
    assert well(guest=dataclasses.replace(GUEST, stamps=None))
    assert well(guest=dataclasses.replace(GUEST, seen=[STOPPED, SEEN])), "stopped, and gone on with"


@pytest.mark.parametrize(
    "bad",
    [
        dataclasses.replace(GUEST, where=[]),
        dataclasses.replace(GUEST, where=["xen2"]),
        dataclasses.replace(GUEST, where=["xen1", "xen2"]),
        dataclasses.replace(GUEST, seen=[]),
        dataclasses.replace(GUEST, seen=[SEEN, STOPPED]),
        dataclasses.replace(GUEST, seen=[dataclasses.replace(STOPPED, before={"boot_id": "a", "counter": 3}), SEEN]),
        dataclasses.replace(GUEST, seen=[dataclasses.replace(STOPPED, before={"boot_id": "b", "counter": 9}), SEEN]),
        dataclasses.replace(GUEST, seen=[dataclasses.replace(STOPPED, double_answers=1), SEEN]),
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
    assert CLOSED == sessions.CLOSED


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


RECORD = Record("rev", "4.17.4", "today", {"xen1": "first"}, {"db": "b"})


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the figures, and for what belongs to them."""
    monkeypatch.setattr(rolling, "RESULT", tmp_path / "maintain.json")
    monkeypatch.setattr(rolling, "FOLDER", tmp_path / "maintain")
    (tmp_path / "maintain" / "moves").mkdir(parents=True)
    return tmp_path


def test_figures_are_written_and_decide(places: Path) -> None:
    """The exit status follows from the checks in the file; moves are in it by name."""
    (places / "maintain" / "moves" / "db@xen1.json").write_text('{"owner": "destination", "total_ms": 5}')
    (places / "maintain" / "moves" / "cut.json").write_text("{")

    class Answers:
        """A lab whose hosts say something, and nothing more."""

        hosts: t.ClassVar[dict[str, t.Any]] = {}

        def run(self, *dummy: t.Any, **more: t.Any) -> t.Any:
            """What a command printed."""
            return subprocess.CompletedProcess([], 0, stdout="4.17.4\n")

    lab = t.cast(t.Any, Answers())
    lab.hosts["xen1"] = type("Host", (Answers,), {"name": "xen1"})()
    record = dataclasses.replace(RECORD, parts=[Part(None, 60.0), Part(0, 40.0)])
    assert rolling.written(lab, record, [GUEST], [HOST])
    document = json.loads((places / "maintain.json").read_text())
    assert document["moves"]["db@xen1"]["total_ms"] == 5 and document["moves"]["cut"]["owner"] is None
    assert document["guests"][0]["stamps"]["count"] == 1000 and document["hosts"][0]["reboots"] == 1
    assert document["wall_s"] == 100.0 and document["state"] == "over"
    assert not (places / "maintain" / "xen1").exists()
    with pytest.raises(LabError, match="is over"):
        Record.load(places / "maintain.json")
    assert not rolling.written(lab, record, [GUEST], [dataclasses.replace(HOST, boots=["first"])])
    assert (places / "maintain" / "xen1").exists(), "the lab is gone afterwards"
    record.parts.append(Part())
    assert not rolling.written(lab, record, [GUEST], [HOST]), "a part that was stopped has not ended well"


def test_a_run_that_is_stopped_leaves_what_it_knows(tmp_path: Path) -> None:
    """The next one knows the beginning, and each part; one in which a guest had no time to answer says nothing."""
    silent = dataclasses.replace(STOPPED, answered=0)
    parts = [Part(None, 60.0, {"db": STOPPED}, [{"host": "xen1"}]), Part(None, 1.0, {"db": silent})]
    record = dataclasses.replace(RECORD, parts=parts)
    record.save(tmp_path / "known.json", {"db@xen1": {"owner": "destination"}})
    again = Record.load(tmp_path / "known.json")
    assert again == record and again.observations("db") == [STOPPED]
    assert [path.name for path in tmp_path.iterdir()] == ["known.json"]
    for spoilt in ("", "{}", '{"state": "under way"}'):
        (tmp_path / "known.json").write_text(spoilt)
        with pytest.raises(LabError, match="no run to go on with"):
            Record.load(tmp_path / "known.json")


def test_a_run_that_failed_is_picked_up_and_one_that_did_not_is_judged() -> None:
    """An hour and a half in, the same command goes on where it was; done twice it would reboot the hosts again."""
    ended = {status: dataclasses.replace(RECORD, parts=[Part(0), Part(status)]) for status in (None, 0, 2)}
    assert {status: record.maintained for status, record in ended.items()} == {None: False, 0: True, 2: False}
    assert not RECORD.maintained


class Watched:
    """A guest that is seen at every moment, and an observer that breaks when all of its memory is to be looked at."""

    def __init__(self) -> None:
        self.observation: Observation | None = None

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *dummy: object) -> None:
        """It ends."""

    def so_far(self) -> Observation:
        """What was seen until now."""
        return STOPPED

    def wait_answer(self, timeout: float) -> None:
        """It answers."""

    def report(self) -> Observation:
        """It breaks."""
        raise LabError("the observer failed")


class Watching:
    """A lab that is watched, and nothing more."""

    hosts: t.ClassVar[dict[str, t.Any]] = {}

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def observe(self, *dummy: t.Any, **more: t.Any) -> Watched:
        """Watch a guest."""
        return Watched()


def test_what_a_stopped_run_has_seen_is_on_record(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what was seen just before it was stopped. One that goes on runs the playbook, unless that had ended well."""
    monkeypatch.setattr(rolling, "LOOK_S", 3600.0)
    monkeypatch.setattr(control, "ask", lambda *dummy, **more: {"hosts": {}})
    ran: list[int] = []

    def maintain(lab: Lab) -> int:
        ran.append(len(ran))
        if len(ran) == 1:
            raise SystemExit(143)
        return 4 if len(ran) == 2 else 0

    monkeypatch.setattr(rolling, "maintain", maintain)
    lab, record = t.cast(Lab, Watching(places)), dataclasses.replace(RECORD, parts=[])
    with pytest.raises(SystemExit):
        rolling.go_on(lab, record)
    record = Record.load(places / "maintain.json")
    assert [(part.status, part.observed["db"]) for part in record.parts] == [(None, STOPPED)]
    for dummy in range(3):
        rolling.go_on(lab, record)
        record = Record.load(places / "maintain.json")
    assert [part.status for part in record.parts] == [None, 4, 0, 0] and ran == [0, 1, 2]
    assert record.parts[-1].observed["db"] == STOPPED, "an observer that breaks costs nothing but its last look"


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


def test_marks_and_slots_are_no_remains() -> None:
    """A slot that was used stays until the next one is taken; what marks a host is judged by itself."""
    left = Left(folders=[], journals=["fleet"], marks=[CLOSED], processes=[], ports=[], domains={})
    assert left.remains == []


def test_a_lab_that_breaks_is_not_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with 2, and says what it was; where nothing was begun there is nothing to go on with."""

    def up(*dummy: t.Any) -> Lab:
        raise LabError("a host did not boot")

    monkeypatch.setattr(Lab, "up", up)
    monkeypatch.setattr(rolling, "RESULT", tmp_path / "maintain.json")
    monkeypatch.setattr(rolling, "state_root", lambda: tmp_path)
    (tmp_path / "maintain.json").write_text("{}")
    assert rolling.run() == 2
    assert "a host did not boot" in capsys.readouterr().err
    assert not (tmp_path / "maintain.json").exists(), "the figures of another run are none of this one"
    assert rolling.run(continues=True) == 2
    assert "Begin anew" in capsys.readouterr().err
