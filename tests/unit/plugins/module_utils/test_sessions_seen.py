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

from ansible_collections.dom0.xen.plugins.module_utils._sessions_seen import sessions_seen

A, B, C = "a" * 16, "b" * 16, "c" * 16


def _leave(root: pathlib.Path, folder: str, name: str | None, age_s: int = 0, **document: t.Any) -> None:
    path = root / folder
    path.mkdir(parents=True)
    if name:
        domain = {"uuid": "u", "name": "centos"}
        (path / name).write_text(json.dumps({"phase": "ended", "owner": "source", "domain": domain, **document}))
    os.utime(path, (10**9 - age_s, 10**9 - age_s))


def test_running_session(tmp_path: pathlib.Path) -> None:
    """Its process has the session's folder in its command line."""
    command = [sys.executable, "-c", "print(flush=True); input()", f"/run/dom0-xen/{A}.sender"]
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


def test_pid_alone_is_believed_only_with_the_session_in_its_command_line(tmp_path: pathlib.Path) -> None:
    """The pid may be another process by now."""
    _leave(tmp_path, f"{A}.sender", "status.json", pid=os.getpid())
    assert not sessions_seen(str(tmp_path), "/none")[0].alive


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
        _leave(tmp_path, f"{number:016x}.sender", "result.json", age_s=number)
    found = sessions_seen(None, str(tmp_path))
    assert [entry.session for entry in found] == [f"{number:016x}" for number in range(20)]
