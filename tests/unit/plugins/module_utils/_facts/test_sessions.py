# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sessions have left on a host is told, and a dead one is not taken for one that runs."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import sessions_seen

A, B, C = "a" * 16, "b" * 16, "c" * 16


def _leave(root: pathlib.Path, folder: str, name: str | None, age_s: int = 0, **document: t.Any) -> None:
    path = root / folder
    path.mkdir(parents=True)
    if name:
        domain = {"uuid": "u", "name": "centos"}
        (path / name).write_text(json.dumps({"phase": "ended", "owner": "source", "domain": domain, **document}))
    os.utime(path, (10**9 - age_s, 10**9 - age_s))


def _process(proc: pathlib.Path, pid: int, argument: str) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "stat").write_text(f"{pid} (python3) S 1")
    (folder / "cmdline").write_bytes(b"python3\0" + argument.encode() + b"\0")


def test_running_session(tmp_path: pathlib.Path) -> None:
    """Its process has the session's folder in its command line."""
    command = [sys.executable, "-c", "print(flush=True); input()", str(tmp_path / f"{A}.sender")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as daemon:
        # Until it has begun, its command line is that of this process.
        assert daemon.stdout is not None and daemon.stdout.readline()
        for session, age_s in ((A, 0), (B, 9)):
            status = {"pid": daemon.pid, "phase": "streaming", "end_state": None}
            _leave(tmp_path, f"{session}.sender", "status.json", age_s=age_s, **status)
        running, dead = sessions_seen(str(tmp_path), str(tmp_path / "none"))
        daemon.kill()
    assert (running.session, running.alive, running.phase, running.end_state) == (A, True, "streaming", None)
    assert (running.domain.uuid, running.domain.name, running.role) == ("u", "centos", "sender")
    assert not dead.alive


@pytest.mark.parametrize("word", ["x", f"{A}.sender", "{folder}/status.json"])
def test_pid_is_believed_only_with_the_folder_in_its_command_line(word: str, tmp_path: pathlib.Path) -> None:
    """The pid may be another process by now, even one that looks at the session's files."""
    folder = tmp_path / f"{A}.sender"
    _process(tmp_path / "proc", 10, word.format(folder=folder))
    _leave(tmp_path, folder.name, "status.json", pid=10)
    assert not sessions_seen(str(tmp_path), "/none", proc=str(tmp_path / "proc"))[0].alive


def test_session_that_has_removed_its_folder(tmp_path: pathlib.Path) -> None:
    """At its end the result is all that is left, and it still runs until its process has gone."""
    runtime, journal, proc = tmp_path / "run", tmp_path / "journal", tmp_path / "proc"
    _process(proc, 10, str(runtime / f"{A}.sender"))
    _leave(journal, f"{A}.sender", "result.json", pid=10)
    assert sessions_seen(str(runtime), str(journal), proc=str(proc))[0].alive
    assert not sessions_seen(None, str(journal), proc=str(proc))[0].alive


def test_status_goes_before_result(tmp_path: pathlib.Path) -> None:
    """While the session runs, its status is the newer word; afterwards only the result is left."""
    runtime, journal = tmp_path / "run", tmp_path / "journal"
    _leave(runtime, f"{A}.receiver", "status.json", phase="gate", end_state=None)
    _leave(journal, f"{A}.receiver", "result.json", phase="ended", end_state="moved", owner="destination")
    _leave(journal, f"{B}.receiver", "result.json", age_s=5, phase="ended", end_state="moved", owner="destination")
    first, second = sessions_seen(str(runtime), str(journal))
    assert (first.session, first.phase) == (A, "gate")
    assert (second.session, second.end_state, second.owner) == (B, "moved", "destination")


def test_session_that_a_restart_ended(tmp_path: pathlib.Path) -> None:
    """Only the journal's folder is left: nobody knows how it ended."""
    _leave(tmp_path, f"{C}.sender", None)
    (seen,) = sessions_seen(None, str(tmp_path))
    assert (seen.phase, seen.owner, seen.end_state, seen.alive, seen.pid) == ("unknown", "unsettled", None, False, None)
    assert seen.domain.uuid is None


@pytest.mark.parametrize("watches", [True, False])
def test_one_that_was_killed_while_it_watched_is_not_over(watches: bool, tmp_path: pathlib.Path) -> None:
    """It had ended with the domain running here; what the guest has done since nobody knows."""
    _leave(tmp_path, f"{A}.sender", "status.json", end_state="stayed", pid=10, watches=watches)
    (seen,) = sessions_seen(str(tmp_path), str(tmp_path / "none"), proc=str(tmp_path / "proc"))
    assert (seen.owner, seen.end_state) == (("unsettled", None) if watches else ("source", "stayed"))
    assert seen.over is not watches


BOOT, EARLIER = "this boot", "an earlier boot"


def _begin(root: pathlib.Path, session: str, boot_id: str, monotonic_s: t.Any, unix_s: t.Any, age_s: int = 0) -> None:
    """A session's journal, with the moment of its first record, and a folder that was changed at another one."""
    _leave(root, f"{session}.sender", None)
    details = {"uuid": "u", "name": "centos", "boot_id": boot_id}
    record = {"step": "opened", "monotonic_s": monotonic_s, "unix_s": unix_s, "details": details}
    (root / f"{session}.sender" / "journal").write_text(json.dumps(record) + "\n")
    os.utime(root / f"{session}.sender", (10**9 - age_s, 10**9 - age_s))


def _boot(proc: pathlib.Path) -> str:
    folder = proc / "sys" / "kernel" / "random"
    folder.mkdir(parents=True)
    (folder / "boot_id").write_text(BOOT + "\n")
    return str(proc)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ((BOOT, 100, 9000), (BOOT, 200, 2000)),
        ((BOOT, 100, 9000), (BOOT, 200.5, 9000)),
        ((EARLIER, 100, 9000), (EARLIER, 200, 2000)),
        ((EARLIER, 5000, 9000), (BOOT, 100, 2000)),
        ((EARLIER, 5000, 2000), ("another earlier boot", 100, 9000)),
    ],
    ids=["clock set back", "at once", "in an earlier boot", "clock was ahead before the boot", "two earlier boots"],
)
def test_the_clock_does_not_tell_which_was_begun_later(
    first: tuple[str, float, float], then: tuple[str, float, float], tmp_path: pathlib.Path
) -> None:
    """It may have been set in between; and a folder is changed by whoever settles, at any time after that."""
    proc, root = _boot(tmp_path / "proc"), tmp_path / "journal"
    _begin(root, A, *first)
    _begin(root, B, *then, age_s=90)
    assert [entry.session for entry in sessions_seen(None, str(root), proc=proc)] == [B, A]


def test_a_boot_is_not_told_apart_by_another_one(tmp_path: pathlib.Path) -> None:
    """The clock was set back and forth in the earlier one: all of it is earlier than the next."""
    proc, root = _boot(tmp_path / "proc"), tmp_path / "journal"
    _begin(root, A, EARLIER, 100, 9000)
    _begin(root, B, EARLIER, 200, 2000)
    _begin(root, C, "one before that", 100, 5000)
    assert [entry.session for entry in sessions_seen(None, str(root), proc=proc)] == [B, A, C]


@pytest.mark.parametrize("value", [None, True, "x", [], 10**400, float("nan"), -(10**400)], ids=repr)
def test_a_beginning_without_a_moment(value: t.Any, tmp_path: pathlib.Path) -> None:
    """Somebody's hand has changed it: then its folder tells."""
    proc, root = _boot(tmp_path / "proc"), tmp_path / "journal"
    _begin(root, A, BOOT, value, value, age_s=9)
    _begin(root, B, BOOT, value, value)
    assert [entry.session for entry in sessions_seen(None, str(root), proc=proc)] == [B, A]


def test_torn_or_foreign_documents_are_no_failure(tmp_path: pathlib.Path) -> None:
    """Facts are gathered on hosts in any state."""
    for number, text in enumerate(["", "{", "[]", '{"domain": null, "pid": null}']):
        folder = tmp_path / f"{number:016x}.sender"
        folder.mkdir()
        (folder / "result.json").write_text(text)
    assert len(sessions_seen(None, str(tmp_path))) == 4


def test_only_the_newest_are_told(tmp_path: pathlib.Path) -> None:
    """A host that has seen a thousand moves does not answer with a thousand sessions."""
    for number in range(30):
        _leave(tmp_path, f"{number:016x}.sender", "result.json", age_s=number, end_state="stayed")
    found = sessions_seen(None, str(tmp_path))
    assert [entry.session for entry in found] == [f"{number:016x}" for number in range(20)]


@pytest.mark.parametrize("value", [None, 5, "x", [], ["a"], {"uuid": []}, 10**400, True], ids=repr)
def test_values_of_another_kind(value: t.Any, tmp_path: pathlib.Path) -> None:
    """A status that a disk or somebody's hand has changed is one session of which less is known, not the end of all."""
    document = dict.fromkeys(("domain", "pid", "phase", "owner", "end_state"), value)
    _leave(tmp_path, f"{A}.sender", "status.json", **document)
    _leave(tmp_path, f"{B}.sender", "status.json", age_s=9)
    broken, sound = sessions_seen(str(tmp_path), "/none", proc=str(tmp_path / "proc"))
    assert not broken.alive and broken.domain.uuid is None
    assert isinstance(broken.phase, str) and isinstance(broken.owner, str)
    assert (sound.phase, sound.domain.name) == ("ended", "centos")


def test_old_sessions_are_told_until_they_have_ended_well(tmp_path: pathlib.Path) -> None:
    """What was left unsettled does not drop out of sight because many moves have followed."""
    for number in range(30):
        _leave(tmp_path, f"{number:016x}.sender", "result.json", age_s=number, end_state="moved")
    _leave(tmp_path, f"{A}.sender", "result.json", age_s=40, end_state="unsettled", owner="unsettled")
    _leave(tmp_path, f"{B}.sender", None, age_s=50)
    assert [entry.session for entry in sessions_seen(None, str(tmp_path))][20:] == [A, B]


def test_one_that_was_killed_while_it_watched_has_no_owner(tmp_path: pathlib.Path) -> None:
    """It had said that the domain stays, and nobody knows whether it does; one that still watches knows."""
    for session, pid in ((A, 10), (B, 11)):
        _leave(tmp_path, f"{session}.sender", "status.json", pid=pid, age_s=pid, watches=True)
    _process(tmp_path / "proc", 10, str(tmp_path / f"{A}.sender"))
    watching, killed = sessions_seen(str(tmp_path), "/none", proc=str(tmp_path / "proc"))
    assert (watching.alive, watching.owner) == (True, "source")
    assert (killed.alive, killed.owner, killed.over) == (False, "unsettled", False)


OPENED = {"step": "opened", "details": {"uuid": "u", "name": "centos", "after_tasks": True}}


@pytest.mark.parametrize(
    ("records", "told"),
    [
        pytest.param([OPENED, {"step": "ended"}], "owed", id="not run"),
        pytest.param([OPENED, {"step": "after_tasks_done"}, {"step": "fenced"}], "done", id="run"),
        pytest.param([{"step": "opened", "details": {}}, {"step": "ended"}], None, id="none"),
        pytest.param([{"step": "opened", "details": {"after_tasks": "yes"}}], None, id="spoilt"),
        pytest.param([], None, id="no journal"),
    ],
)
def test_what_is_to_be_run_after_the_move_is_told(
    records: list[dict[str, t.Any]], told: str | None, tmp_path: pathlib.Path
) -> None:
    """Whoever comes after a run that has died hears of it, until it is on record that it was done."""
    _leave(tmp_path, f"{A}.sender", "result.json", end_state="moved")
    lines = [json.dumps(record) for record in records]
    # A record that was torn off was never written.
    (tmp_path / f"{A}.sender" / "journal").write_text("\n".join([*lines, '{"step":"after_tasks_done"}']))
    (seen,) = sessions_seen(None, str(tmp_path))
    assert seen.after_tasks == told


def test_a_session_that_owes_something_is_not_cut_off(tmp_path: pathlib.Path) -> None:
    """However many others have ended since."""
    for session, age_s, records in ((A, 0, []), (B, 5, []), (C, 9, [OPENED])):
        _leave(tmp_path, f"{session}.sender", "result.json", age_s=age_s, end_state="moved")
        journal = tmp_path / f"{session}.sender" / "journal"
        journal.write_text("".join(json.dumps(record) + "\n" for record in records))
        os.utime(journal.parent, (10**9 - age_s, 10**9 - age_s))
    assert [seen.session for seen in sessions_seen(None, str(tmp_path), limit=1)] == [A, C]
