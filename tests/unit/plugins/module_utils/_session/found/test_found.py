# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions are found by their folders, and a process is only stopped when it is the session's."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import sessions_seen
from ansible_collections.dom0.xen.plugins.module_utils._procfs import command_line
from ansible_collections.dom0.xen.plugins.module_utils._session.found import found
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.journal import Journal

SESSION, OTHER = "0123456789abcdef", "fedcba9876543210"
UUID = "5d3d33a6-5a0c-4d0a-9f43-0a3d5ad0b111"


class Host:
    """The two roots of a host, with sessions that a test puts there."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.runtime, self.journal = folder / "run", folder / "lib"
        self.processes: list[subprocess.Popen[bytes]] = []

    def roots(self) -> tuple[str, str]:
        """Both roots."""
        return str(self.runtime), str(self.journal)

    def running(self, session: str, role: str = "sender", sentence: str = "import time; time.sleep(60)") -> int:
        """Start a process that looks like a session's daemon, with its status."""
        folder = self.runtime / f"{session}.{role}"
        folder.mkdir(parents=True)
        process = subprocess.Popen([sys.executable, "-c", sentence, role, str(folder)])
        self.processes.append(process)
        while str(folder) not in command_line(process.pid):
            # The kernel lets go of us before the new program's arguments can be seen.
            time.sleep(0.001)
        self.status(session, role, process.pid)
        return process.pid

    def status(self, session: str, role: str, pid: int) -> None:
        """Write the status document of a session."""
        folder = self.runtime / f"{session}.{role}"
        folder.mkdir(parents=True, exist_ok=True)
        documents.write(str(folder / documents.STATUS), self.document(session, role, pid, "streaming"))

    def ended(self, session: str, role: str = "sender", *steps: str, result: bool = True) -> None:
        """Leave behind what a session leaves behind."""
        folder = self.journal / f"{session}.{role}"
        folder.mkdir(parents=True)
        written = Journal(str(folder))
        for step in steps:
            written.write(step)
        written.close()
        if result:
            documents.write(str(folder / documents.RESULT), self.document(session, role, 1, "ended"))

    @staticmethod
    def document(session: str, role: str, pid: int, phase: str) -> dict[str, t.Any]:
        """A status document, as far as it matters here."""
        return {"session": session, "role": role, "pid": pid, "phase": phase, "domain": {"uuid": UUID, "name": "guest"}}


@pytest.fixture(name="host")
def make_host(tmp_path: pathlib.Path) -> t.Iterator[Host]:
    """A host; what was started on it is ended."""
    host = Host(tmp_path)
    yield host
    for process in host.processes:
        process.kill()
        process.wait()


def test_unknown(host: Host) -> None:
    """A session that was never here is no session, and waiting for its end is over at once."""
    assert found.status_of(*host.roots(), SESSION, "sender") is None
    assert found.sessions_of(*host.roots(), None, None) == []
    assert found.wait_for_end(*host.roots(), SESSION, "sender", 0.0)


def test_running(host: Host) -> None:
    """The status while it runs, and that its process is there."""
    pid = host.running(SESSION)
    document = found.status_of(*host.roots(), SESSION, "sender")
    assert document is not None
    assert (document["phase"], document["pid"], document["alive"], document["journal"]) == ("streaming", pid, True, [])
    assert not found.wait_for_end(*host.roots(), SESSION, "sender", 0.0)


def test_ended(host: Host) -> None:
    """Its result afterwards, with what was put on record."""
    host.ended(SESSION, "receiver", "ready", "commit", "running")
    document = found.status_of(*host.roots(), SESSION, "receiver")
    assert document is not None and (document["phase"], document["alive"]) == ("ended", False)
    assert [record["step"] for record in document["journal"]] == ["ready", "commit", "running"]


def test_journal_is_all_that_is_left(host: Host) -> None:
    """After a power loss there is no status and no result, and the session is found all the same."""
    host.ended(SESSION, "receiver", "commit", result=False)
    document = found.status_of(*host.roots(), SESSION, "receiver")
    assert document == {"session": SESSION, "role": "receiver", "alive": False, "journal": [{"step": "commit"}]}


def test_killed(host: Host) -> None:
    """A session whose process was killed still has its last status, and is not alive."""
    host.running(SESSION)
    host.processes[0].kill()
    host.processes[0].wait()
    document = found.status_of(*host.roots(), SESSION, "sender")
    assert document is not None and (document["phase"], document["alive"]) == ("streaming", False)


@pytest.mark.parametrize("watches", [True, False, None, 1, "yes"])
def test_whoever_reads_it_says_the_same_of_one_that_was_killed_while_it_watched(host: Host, watches: t.Any) -> None:
    """Modules that only look, and those that act, must not come to two ends of one session; whatever is in the file."""
    path = host.runtime / f"{SESSION}.sender"
    path.mkdir(parents=True)
    ended = {**host.document(SESSION, "sender", 1, "ended"), "owner": "source", "end_state": "stayed"}
    documents.write(str(path / documents.STATUS), {**ended, "watches": watches})
    document = found.status_of(*host.roots(), SESSION, "sender")
    (seen,) = sessions_seen(*host.roots())
    assert document is not None
    assert (document["owner"], document["end_state"]) == (seen.owner, seen.end_state)
    assert found.over(document) is seen.over is (watches is not True)


def test_another_process_with_the_pid(host: Host) -> None:
    """A pid that was used again by something else is not the session's process, and is never signalled."""
    with subprocess.Popen(["sleep", "60"]) as other:
        host.status(SESSION, "sender", other.pid)
        document = found.status_of(*host.roots(), SESSION, "sender")
        assert document is not None and not document["alive"]
        assert not found.ask_to_stop(document, str(host.runtime / f"{SESSION}.sender"))
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize("pid", [None, "1", -1, 0, 2**40, 1.5, True])
def test_pids_that_are_none(host: Host, pid: t.Any) -> None:
    """A status that holds something else where the pid should be names no process."""
    host.status(SESSION, "sender", pid)
    document = found.status_of(*host.roots(), SESSION, "sender")
    assert document is not None and not document["alive"]


def test_stopped(host: Host) -> None:
    """It is asked with SIGTERM, and its end is waited for."""
    code = (
        "import signal, sys, time, pathlib\n"
        "folder = pathlib.Path(sys.argv[2])\n"
        "signal.signal(signal.SIGTERM, lambda *dummy: sys.exit(0))\n"
        "(folder / 'up').touch()\n"
        "time.sleep(60)\n"
    )
    host.running(SESSION, sentence=code)
    folder = host.runtime / f"{SESSION}.sender"
    deadline = time.monotonic() + 20
    while not (folder / "up").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    document = found.status_of(*host.roots(), SESSION, "sender")
    assert document is not None and found.ask_to_stop(document, str(folder))
    # A child of ours that has ended is a zombie, which is no running process.
    assert found.wait_for_end(*host.roots(), SESSION, "sender", 20.0)
    assert host.processes[0].wait() == 0


def test_sessions_of_a_domain(host: Host) -> None:
    """By identity or by domain, both roles, each once though both roots know it."""
    host.running(SESSION)
    host.ended(SESSION, "sender", "admitted", result=False)
    host.ended(SESSION, "receiver", "commit")
    host.ended(OTHER, "sender", "ended")
    (host.runtime / "no-session.sender").mkdir()

    def names(session: str | None, uuid: str | None) -> set[tuple[str, str]]:
        return {(item["session"], item["role"]) for item in found.sessions_of(*host.roots(), session, uuid)}

    assert len(found.sessions_of(*host.roots(), None, None)) == 3
    assert names(SESSION, None) == {(SESSION, "sender"), (SESSION, "receiver")}
    assert names(None, UUID) == {(SESSION, "sender"), (SESSION, "receiver"), (OTHER, "sender")}
    assert names(None, UUID.replace("5", "6")) == set()
