# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling maintenance that is stopped, or fails, is on record, and goes on where it was; run without a lab."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from dom0lab import Lab, LabError, Observation, control
from rolling import __main__ as rolling
from rolling.record import Part, Record

from ansible_collections.dom0.xen.tests.unit.lab.rolled import GUEST, HOST, STOPPED

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
