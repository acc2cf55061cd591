# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A migration is watched to its end, through trouble, and never called a success before it has said so itself."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook
from ansible_collections.dom0.xen.tests.unit.plugins.action.connections import lose_the_first_answer, out_of_reach
from ansible_collections.dom0.xen.tests.unit.plugins.answering import Answering, HeldGate

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(300)

# A session's process: a status that changes every 0.2 s until it is told to end, then nothing but the result.
PROCESS = """
import json, os, sys, time
folder, last = sys.argv[1:]
status = {"pid": os.getpid(), "domain": {"name": "centos"}, "owner": "source", "bytes": 0, "expected_bytes": 134217728}
while not os.path.exists(folder + "/enough"):
    status.update(sequence=status.get("sequence", 0) + 1, phase="streaming", round=1, bytes=status["bytes"] + 4194304)
    with open(folder + "/new", "w") as file:
        json.dump(status, file)
    os.replace(folder + "/new", folder + "/status.json")
    time.sleep(0.2)
if last != "killed":
    status.update(phase="ended", end_state=last, owner="destination" if last == "moved" else "source", total_ms=4200)
    with open(folder + "/result.json", "w") as file:
        json.dump(status, file)
    os.unlink(folder + "/status.json")
"""

PROGRESS = "[xen1 → xen2] centos: round 1, "


class Session:
    """A process of a session, and the task that watches it."""

    def __init__(self, folder: pathlib.Path) -> None:
        """Use this folder for its files."""
        self.folder = folder
        self.folder.mkdir()

    def start(self, last: str) -> subprocess.Popen[bytes]:
        """Start the process; it ends with this end state, or as if killed."""
        process = subprocess.Popen([sys.executable, "-c", PROCESS, str(self.folder), last])
        while not (self.folder / "status.json").exists():
            time.sleep(0.05)
        return process

    def end_after(self, text: str) -> t.Callable[[str], None]:
        """Return what ends the process once a line of the log has this text."""

        def heed(line: str) -> None:
            if text in line:
                (self.folder / "enough").touch()

        return heed

    def watch(self, **options: t.Any) -> dict[str, t.Any]:
        """Return the task."""
        arguments = {
            "status_path": str(self.folder / "status.json"),
            "result_path": str(self.folder / "result.json"),
            "source": "xen1",
            "destination": "xen2",
            "interval": 1,
            **options,
        }
        return {"name": "Watch", "dom0.xen.migration_watch": arguments, "register": "result", "ignore_errors": True}


@pytest.fixture
def session(tmp_path: pathlib.Path) -> Session:
    """A session in a folder whose name needs quoting."""
    return Session(tmp_path / "a session's folder")


def test_progress_is_shown_until_the_session_has_ended(playbook: Playbook, session: Session) -> None:
    """Lines with round and amount, and the session's own last word as the result; no module runs for it."""
    with session.start("moved") as process:
        run = playbook.run(session.watch(pid=process.pid), heed=session.end_after(PROGRESS))
    assert (run.results["ending"], run.results["owner"], run.results["changed"]) == ("ended", "destination", False)
    assert run.results["status"]["end_state"] == "moved"
    assert PROGRESS in run.log
    assert "[xen1 → xen2] centos: moved" in run.log
    assert "Using module file" not in run.log


def test_each_look_is_kept(playbook: Playbook, session: Session, tmp_path: pathlib.Path) -> None:
    """A line of JSON each, to the end, behind what is there; one that cannot be written is told and ends nothing."""
    kept = tmp_path / "progress.jsonl"
    kept.write_text("{}\n")
    with session.start("moved") as process:
        task = session.watch(pid=process.pid, progress_path=str(kept))
        run = playbook.run(task, heed=session.end_after(PROGRESS))
    dummy, *looks = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [each["phase"] for each in looks[-2:]] == ["streaming", "ended"] and looks[-1]["end_state"] == "moved"
    assert (looks[0]["domain"], looks[0]["source"], looks[0]["round"]) == ("centos", "xen1", 1)
    assert looks[0]["bytes"] > 0 and looks[0]["stalled_s"] == 0 and "is not written" not in run.log
    (session.folder / "enough").unlink()
    with session.start("moved") as process:
        task = session.watch(pid=process.pid, progress_path=str(tmp_path / "none" / "progress.jsonl"))
        run = playbook.run(task, heed=session.end_after(PROGRESS))
    assert run.results["ending"] == "ended" and "progress.jsonl is not written: No such file" in run.log


def test_a_killed_process_is_no_success(playbook: Playbook, session: Session) -> None:
    """Its last status may have looked as good as it likes."""
    with session.start("killed") as process:
        run = playbook.run(session.watch(pid=process.pid), heed=session.end_after(PROGRESS))
    assert (run.results["ending"], run.results["owner"]) == ("gone", "unsettled")


def test_a_spell_out_of_reach_is_survived_and_said_once(playbook: Playbook, session: Session) -> None:
    """The migration does not need the controller."""
    down = out_of_reach(playbook, 3)
    with session.start("moved") as process:
        run = playbook.run(session.watch(pid=process.pid), heed=session.end_after(PROGRESS))
    assert run.results["ending"] == "ended"
    assert down.read_text() == ""
    said = [line for line in run.log.splitlines() if line.startswith("[xen1 → xen2] xen1 does not answer")]
    assert len(said) == 1


def test_a_source_that_is_out_of_reach_ends_the_watch_and_nothing_else(playbook: Playbook, session: Session) -> None:
    """Nobody sits before a run for hours whose source has lost its power; the clean-up must not touch the session."""
    out_of_reach(playbook, 1000)
    with session.start("moved") as process:
        run = playbook.run(session.watch(pid=process.pid, silence_timeout=3))
        assert process.poll() is None
        process.kill()
    assert (run.results["failed"], run.results["continues"], run.results["code"]) == (True, True, "watch_out_of_reach")
    assert "xen1 has not answered for" in run.results["msg"]
    assert "Nothing was stopped. Run the same command again" in run.results["remedy"]


def test_a_source_out_of_reach_may_have_heard_that_the_tasks_at_the_gate_begin(
    playbook: Playbook, tmp_path: pathlib.Path
) -> None:
    """Its guest then stands still until they are undone: who is told that nothing was stopped goes back to bed."""
    out_of_reach(playbook, 1000)
    run = playbook.run(watch_the_gate(tmp_path, gate_tasks=True, silence_timeout=3))
    assert run.results["code"] == "watch_out_of_reach"
    assert "the guest stands still there: without a permission until migrate_gate_undo_tasks" in run.results["remedy"]
    assert "as soon as xen1 answers" in run.results["remedy"]


def test_when_the_time_is_over_the_migration_goes_on(playbook: Playbook, session: Session) -> None:
    """The message names that, and how to adopt it; the clean-up can tell it from a failure."""
    with session.start("moved") as process:
        run = playbook.run(session.watch(timeout=2))
        assert process.poll() is None
        process.kill()
    assert (run.results["failed"], run.results["continues"], run.results["code"]) == (True, True, "watch_timeout")
    assert "goes on" in run.results["msg"]
    assert "Run the same command again" in run.results["msg"]


def test_an_end_that_is_there_already_is_read_at_once(playbook: Playbook, session: Session) -> None:
    """As when a second run reports the first one's session."""
    (session.folder / "result.json").write_text(
        json.dumps({"phase": "ended", "end_state": "stayed", "owner": "source"})
    )
    run = playbook.run(session.watch(), session.watch(until="gate"))
    assert (run.results["ending"], run.results["owner"]) == ("ended", "source")


def test_in_check_mode_there_is_nothing_to_watch(playbook: Playbook, session: Session) -> None:
    """Check mode waits for nobody."""
    assert playbook.run(session.watch(), arguments=["--check"]).results["skipped"] is True


def at_the_gate(folder: pathlib.Path, **more: t.Any) -> None:
    """Write the status of a sender whose permission waits for the controller."""
    status = {"pid": os.getpid(), "domain": {"name": "centos"}, "owner": "source", "phase": "gate", "sequence": 7}
    documents.write(str(folder / "status.json"), {**status, "gate": {"kind": "controller", "waits": True}, **more})


def watch_the_gate(folder: pathlib.Path, **options: t.Any) -> dict[str, t.Any]:
    """Return the task that watches until the controller has to speak."""
    paths = {"status_path": str(folder / "status.json"), "result_path": str(folder / "result.json")}
    hosts = {"source": "xen1", "destination": "xen2"}
    arguments = {**paths, **hosts, "until": "gate", "gate": "controller", "interval": 1, **options}
    return {"name": "Watch", "dom0.xen.migration_watch": arguments, "register": "result", "ignore_errors": True}


def test_that_the_tasks_at_the_gate_begin_is_on_record_when_the_watch_ends(
    playbook: Playbook, tmp_path: pathlib.Path
) -> None:
    """Whatever becomes of the controller from here on, the sender knows that they may have begun."""
    with Answering(tmp_path / "a session's folder") as session:
        at_the_gate(session.folder)
        run = playbook.run(watch_the_gate(session.folder, gate_tasks=True))
    assert (run.results["ending"], run.results["tasks_begun"], run.results["changed"]) == ("gate", True, True)
    assert session.commands == ["gate_start"]
    assert "Using module file" not in run.log


@pytest.mark.parametrize(
    "options", [{}, {"gate_tasks": True, "gate": "engine"}, {"gate_tasks": True, "until": "ended", "timeout": 2}]
)
def test_without_tasks_to_begin_nothing_is_put_on_record(
    playbook: Playbook, tmp_path: pathlib.Path, options: dict[str, t.Any]
) -> None:
    """The source could not go on by itself after a refusal, for nothing."""
    with Answering(tmp_path / "session") as session:
        at_the_gate(session.folder)
        run = playbook.run(watch_the_gate(session.folder, **options))
    assert run.results.get("tasks_begun", False) is False and not run.results.get("changed", False)
    assert session.heard == []


def test_tasks_that_may_not_begin_are_not_begun(playbook: Playbook, tmp_path: pathlib.Path) -> None:
    """The gate's time was over in that moment: the watch tells the end, and the role has nothing to refuse or undo."""
    folder = tmp_path / "session"

    def give_up(dummy: t.Mapping[str, t.Any]) -> bool:
        at_the_gate(folder, phase="ended", end_state="stayed", gate={"waits": False})
        return False

    with Answering(folder, takes=give_up) as session:
        at_the_gate(folder)
        run = playbook.run(watch_the_gate(folder, gate_tasks=True))
    assert (run.results["ending"], run.results["tasks_begun"], run.results["changed"]) == ("ended", False, False)
    assert session.commands == ["gate_start"]


def test_an_answer_that_is_lost_is_asked_for_again(playbook: Playbook, tmp_path: pathlib.Path) -> None:
    """The sender has taken the word, and says so at the next look: the tasks begin, once, and are on record."""
    lose_the_first_answer(playbook)
    rules = HeldGate()
    with Answering(tmp_path / "session", takes=rules) as session:
        at_the_gate(session.folder)
        run = playbook.run(watch_the_gate(session.folder, gate_tasks=True))
    assert (run.results["ending"], run.results["tasks_begun"]) == ("gate", True), run.log[-3000:]
    assert session.commands == ["gate_start", "gate_start"]
    assert rules.state.must_undo
