# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A launcher that was without a processor for all of its time ends no session that has begun meanwhile."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._session import launch
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.journal import Journal
from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS

# A session's process, which says when it can be told to end, and what it does then.
PROCESS = """
import json, os, signal, sys, time
def told(*dummy):
    {told}
signal.signal(signal.SIGTERM, told)
print(flush=True)
while True:
    time.sleep(60)
"""
BEGINS = """open(sys.argv[1], "a").write(json.dumps({"step": "admitted"}) + "\\n")"""


@pytest.fixture(name="journal")
def make_journal(tmp_path: pathlib.Path) -> Journal:
    """The journal of a session that has come up."""
    journal = Journal(str(tmp_path))
    journal.write("opened")
    return journal


@pytest.fixture(name="begin")
def begin_process(tmp_path: pathlib.Path) -> t.Iterator[t.Callable[[str], subprocess.Popen[bytes]]]:
    """Return what starts a session's process."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(told: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-c", PROCESS.replace("{told}", told), str(tmp_path / "journal")]
        begun.append(subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True))
        assert begun[-1].stdout is not None and begun[-1].stdout.readline()
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


Begin = t.Callable[[str], "subprocess.Popen[bytes]"]


def places(folder: pathlib.Path) -> launch.Places:
    """The folders of a session that has all in one."""
    return launch.Places(str(folder), str(folder), str(folder))


@pytest.mark.parametrize("told", ["sys.exit(0)", "pass"], ids=["ends when told", "does not"])
def test_a_session_that_has_not_begun_is_ended(
    tmp_path: pathlib.Path, journal: Journal, begin: Begin, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left behind, whatever it does when it is told to end."""
    if told == "pass":
        monkeypatch.setattr(launch, "_END_S", 0.5)
    process = begin(told)
    assert launch._end(process, places(tmp_path))
    process.wait(60)


def test_a_session_that_has_begun_is_left_to_go_on(tmp_path: pathlib.Path, journal: Journal, begin: Begin) -> None:
    """Its guest may stand still, and the destination run it: what was killed would be left to whoever settles."""
    process = begin("sys.exit(0)")
    journal.write("admitted", durable=False)
    assert not launch._end(process, places(tmp_path))
    assert process.poll() is None and _procfs.state(process.pid) in ("R", "S")


def test_a_session_that_begins_while_it_is_told_to_end_is_not_killed(
    tmp_path: pathlib.Path, journal: Journal, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has heard, and calls the move off in its own way."""
    monkeypatch.setattr(launch, "_END_S", 5.0)
    process = begin(BEGINS)
    assert not launch._end(process, places(tmp_path))
    assert process.poll() is None


# A launcher that is ended just while it looks whether the session has begun.
ENDS = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._session import launch
class Known:
    pid = int(sys.argv[2])
    def poll(self):
        return None
def read(folder):
    os.kill(os.getpid(), number)
number = getattr(signal, sys.argv[4])
# Whoever runs the tests may have it ignored.
number == signal.SIGKILL or signal.signal(number, signal.SIG_DFL)
launch.journal.read = read
launch._end(Known(), launch.Places(*sys.argv[3:4] * 3))
"""


@pytest.mark.parametrize("number", ["SIGHUP", "SIGINT", "SIGTERM", "SIGKILL"])
def test_a_launcher_that_is_ended_keeps_no_session_back(
    tmp_path: pathlib.Path, journal: Journal, begin: Begin, number: str
) -> None:
    """Nobody would let the session go on, whose guest may stand still, or which has yet to begin."""
    process = begin("sys.exit(0)")
    words = [sys.executable, "-c", ENDS, str(COLLECTIONS), str(process.pid), str(tmp_path), number]
    launcher = subprocess.run(words, timeout=60, check=False, capture_output=True)
    assert launcher.returncode == -getattr(signal, number)
    assert _procfs.state(process.pid) in ("R", "S")
    Journal(str(tmp_path), str(tmp_path)).write("admitted")


def test_an_answer_that_is_there_is_read_however_late(tmp_path: pathlib.Path) -> None:
    """The session has come up in time, and was killed because its launcher did not."""
    ready, tell = os.pipe()
    os.write(tell, b'{"admitted": true}\n')
    try:
        assert launch._first_line(ready, -1.0) == {"admitted": True}
        assert launch._first_line(ready, -1.0) is None
    finally:
        os.close(ready)
        os.close(tell)


LAUNCHES = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session import launch
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.test_begins import settings
run, lib = sys.argv[2:]
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
try:
    launch.launch(launch.Places(run, run, lib), "receiver", settings(run, lib), 60.0)
except Dom0XenError as exc:
    sys.exit(f"{exc.code}: {exc.message}. {exc.remedy}")
"""


def test_without_room_it_is_said_what_lacks(tmp_path: pathlib.Path) -> None:
    """In the words of the system; and the key is not left behind."""
    run, lib = tmp_path / "run", tmp_path / "lib"
    for folder in (run, lib):
        folder.mkdir(mode=0o700)
    (run / "key.pem").write_text("secret")
    words = [sys.executable, "-c", LAUNCHES, str(COLLECTIONS), str(run), str(lib)]
    done = subprocess.run(words, timeout=60, check=False, capture_output=True, text=True)
    assert done.stderr.startswith("session_start: the session cannot begin: File too large. See that /run")
    assert done.returncode == 1 and not run.exists()
