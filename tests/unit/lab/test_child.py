# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever runs the lab's cases takes them along, however it ends: they would go on with the next lab of the folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import proof
import pytest

pytestmark = pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
# As proof.cases: a lab around the cases. Signals are as in a terminal, wherever this test is run.
_RUNNER = """
import pathlib, signal, sys
from proof import child
for number in child.SIGNALS:
    signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
order = pathlib.Path("order")
with child.ended_by_signals():
    try:
        sys.exit(child.run(sys.argv[2:], pathlib.Path.cwd(), grace=float(sys.argv[1])))
    finally:
        with order.open("a") as file:
            file.write("lab down\\n")
"""
# A case that is in the middle of a move, and has to put something back.
_CASES = """
import os, pathlib, sys, time
import pytest
from cases.plays import Running

@pytest.fixture
def changed():
    yield
    time.sleep(0.5)
    with open("order", "a") as file:
        file.write("put back\\n")

def test_move(changed):
    here = pathlib.Path.cwd()
    run = Running(here / "run", [sys.executable, "-c", "import time; time.sleep(600)"], {})
    pathlib.Path("pids.new").write_text(f"{os.getpid()} {run._process.pid}")
    os.rename("pids.new", "pids")
    time.sleep(600)
"""
_DEAF = """
import os, pathlib, signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
other = subprocess.Popen(["sleep", "600"])
pathlib.Path("pids.new").write_text(f"{os.getpid()} {other.pid}")
os.rename("pids.new", "pids")
time.sleep(600)
"""


class Runner:
    """The runner, and the processes below it once they are there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.pids: list[int] = []

    def start(self, *command: str, grace: float = 30) -> subprocess.Popen[bytes]:
        """Start it over a command that tells the numbers of its processes."""
        path = os.pathsep.join([str(Path(proof.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, "-c", _RUNNER, str(grace), *command], cwd=self._folder,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not (self._folder / "pids").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.pids = [int(pid) for pid in (self._folder / "pids").read_text().split()]
        assert all(map(alive, self.pids))
        return self.process

    def cases(self) -> subprocess.Popen[bytes]:
        """Start it over a case."""
        (self._folder / "test_one.py").write_text(_CASES)
        options = ("-c", "/dev/null", "--rootdir", ".", "-p", "no:cacheprovider", "-p", "proof.ending")
        return self.start(sys.executable, "-m", "pytest", *options, "test_one.py")

    @property
    def order(self) -> list[str]:
        """What was put back, in which order."""
        path = self._folder / "order"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """A runner; nothing of it is left behind by this test itself."""
    made = Runner(tmp_path)
    yield made
    for pid in [*([made.process.pid] if made.process and made.process.poll() is None else []), *made.pids]:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: list[int], seconds: float = 10) -> bool:
    """Whether they all come to their end in time."""
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(alive, pids))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_cases_end_first_and_then_the_lab(runner: Runner, number: signal.Signals) -> None:
    """What a case has changed is put back while its hosts are there, and the controller that it started is gone."""
    process = runner.cases()
    process.send_signal(number)
    assert process.wait(30) == 128 + number
    assert not any(map(alive, runner.pids))
    assert runner.order == ["put back", "lab down"]


def test_a_killed_runner_leaves_nobody(runner: Runner) -> None:
    """The lab ends with it, and a case that went on would find the next one in its place."""
    process = runner.cases()
    process.kill()
    process.wait(10)
    assert gone(runner.pids)
    assert runner.order == []


def test_killed_cases_leave_no_controller(runner: Runner) -> None:
    """It has a session of its own, so nobody else would end it; the runner tells of the failure."""
    process = runner.cases()
    os.kill(runner.pids[0], signal.SIGKILL)
    assert process.wait(10) != 0
    assert gone(runner.pids)


def test_a_child_that_does_not_listen_is_killed_with_its_own(runner: Runner) -> None:
    """After the time that it has, the lab goes."""
    process = runner.start(sys.executable, "-c", _DEAF, grace=0.5)
    process.terminate()
    assert process.wait(10) == 128 + signal.SIGTERM
    assert gone(runner.pids)


def test_a_second_interrupt_does_not_wait(runner: Runner) -> None:
    """Somebody at a terminal wants out now; still nothing stays behind."""
    process = runner.start(sys.executable, "-c", _DEAF, grace=60)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 128 + signal.SIGINT
    assert gone(runner.pids)
    assert runner.order == ["lab down"]


def test_its_status_is_the_childs(runner: Runner, tmp_path: Path) -> None:
    """Where nobody interferes."""
    (tmp_path / "pids").write_text("")
    assert runner.start("sh", "-c", "exit 7").wait(20) == 7
