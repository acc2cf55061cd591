# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A claimed host hears of its run for as long as that lives, whatever the run does meanwhile, and no longer."""

from __future__ import annotations

import os
import pathlib
import subprocess
import time
import typing as t

import pytest
from ansible import constants

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._marks import claims
from ansible_collections.dom0.xen.plugins.plugin_utils import _claim_keeper as keeper
from ansible_collections.dom0.xen.plugins.plugin_utils import _controller as controller

TOKEN = "a" * 16
PAST_S = 400.0


class Shell:
    """What an action offers of its connection: commands of this machine."""

    def _low_level_execute_command(self, cmd: str, in_data: bytes | None = None) -> dict[str, t.Any]:
        done = subprocess.run(["sh", "-c", cmd], input=in_data, capture_output=True, check=False)
        return {"rc": done.returncode, "stdout": done.stdout.decode(), "stderr": done.stderr.decode()}


class Away(Shell):
    """A host that does not answer until a file is there."""

    def __init__(self, answers: pathlib.Path) -> None:
        self._answers = answers

    def _low_level_execute_command(self, cmd: str, in_data: bytes | None = None) -> dict[str, t.Any]:
        if not self._answers.exists():
            raise OSError("no route to host")
        return super()._low_level_execute_command(cmd, in_data)


@pytest.fixture
def run() -> t.Iterator[subprocess.Popen[bytes]]:
    """A process that stands for the run."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.fixture
def host(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A claimed host, of which it is said often; its journal."""
    monkeypatch.setattr(claims, "BEAT_S", 0.2)
    monkeypatch.setattr(keeper, "_LOOK_S", 0.1)
    root = str(tmp_path / "journal")
    claims.claim(root, claims.Claim(token=TOKEN, run="evacuate xen1", by="alice", controller="ctl1"), 300.0)
    return root


def start(host: str, run: subprocess.Popen[bytes], shell: Shell, mark: pathlib.Path) -> bool:
    """Have the claim kept."""
    of = {**controller.holder(), "pid": run.pid, "started": _procfs.start_time(run.pid)}
    return keeper.start(t.cast(t.Any, shell), str(mark), claims.beat_path(host, TOKEN), of)


def within(seconds: float, so: t.Callable[[], object]) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if so():
            return True
        time.sleep(0.05)
    return False


def silent(host: str) -> None:
    """Make it long ago that the run was heard of."""
    past = time.time() - PAST_S
    os.utime(claims.beat_path(host, TOKEN), (past, past))


def heard(host: str, seconds: float = 10.0) -> bool:
    """Whether the run is heard of in time."""
    beat = claims.beat_path(host, TOKEN)
    return within(seconds, lambda: os.stat(beat).st_mtime > time.time() - PAST_S / 2)


def pid_in(mark: pathlib.Path) -> int:
    """Return the process that keeps the claim."""
    assert within(10.0, lambda: mark.read_text())
    return int(mark.read_text())


def test_heard_of_until_the_run_ends(host: str, run: subprocess.Popen[bytes], tmp_path: pathlib.Path) -> None:
    """Nothing else of the run speaks with the host. There is one process, with no pipe of what has begun it."""
    mark = tmp_path / "mark"
    assert start(host, run, Shell(), mark)
    assert not start(host, run, Shell(), mark), "it is there"
    pid = pid_in(mark)
    for dummy in range(2):
        silent(host)
        assert heard(host)
    opened = {os.path.realpath(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")}
    assert {path for path in opened if not path.endswith(("/dev/null", str(mark)))} == set()
    run.kill()
    run.wait()
    assert within(10.0, lambda: not _procfs.is_alive(pid))
    silent(host)
    assert not heard(host, 1.0)


def test_heard_of_no_more_when_given_up(host: str, run: subprocess.Popen[bytes], tmp_path: pathlib.Path) -> None:
    """And claimed again, it is kept again."""
    mark = tmp_path / "mark"
    assert start(host, run, Shell(), mark)
    pid = pid_in(mark)
    keeper.stop(str(mark))
    assert within(10.0, lambda: not _procfs.is_alive(pid))
    silent(host)
    assert not heard(host, 1.0)
    assert start(host, run, Shell(), mark) and heard(host)
    keeper.stop(str(mark))
    keeper.stop(str(mark))


def test_another_run_takes_the_host_over(host: str, run: subprocess.Popen[bytes], tmp_path: pathlib.Path) -> None:
    """Nothing is left behind on it, and the process ends."""
    mark = tmp_path / "mark"
    assert start(host, run, Shell(), mark)
    pid = pid_in(mark)
    other = claims.Claim(token="b" * 16, run="evacuate xen1", by="bob", controller="ctl2")
    claims.claim(host, other, 300.0, take_over=True)
    assert within(10.0, lambda: not _procfs.is_alive(pid) and not mark.exists())
    assert not os.path.exists(claims.beat_path(host, TOKEN))


def test_a_host_that_boots(host: str, run: subprocess.Popen[bytes], tmp_path: pathlib.Path) -> None:
    """It does not answer for a while, and hears of the run afterwards."""
    mark, answers = tmp_path / "mark", tmp_path / "answers"
    silent(host)
    assert start(host, run, Away(answers), mark)
    assert not heard(host, 1.0)
    answers.touch()
    assert heard(host)
    keeper.stop(str(mark))


def test_none_where_processes_cannot_be_told_apart(host: str, tmp_path: pathlib.Path) -> None:
    """It could outlive the run, and nobody would believe that the run has ended."""
    mark = tmp_path / "mark"
    unknown = {**controller.holder(), "pid": 0, "started": 0, "machine": ""}
    assert not keeper.start(t.cast(t.Any, Shell()), str(mark), claims.beat_path(host, TOKEN), unknown)
    assert not mark.exists()


def test_they_are_no_tasks_of_the_run(
    host: str, run: subprocess.Popen[bytes], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the run is the first process of a container they are its children, and would be taken for moves at work."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    marks = [pathlib.Path(keeper.mark_path(TOKEN, name, host)) for name in ("xen1", "xen2")]
    for mark in marks:
        assert start(host, run, Shell(), mark)
    found = {pid_in(mark) for mark in marks}
    assert len(found) == 2 and keeper.pids() == found
    for mark in marks:
        keeper.stop(str(mark))
    assert keeper.pids() == frozenset()
