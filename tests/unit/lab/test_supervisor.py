# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No process of the lab outlives it: not after a crash, not after a kill, not after an interrupt."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from dom0lab import control
from dom0lab.errors import LabError
from dom0lab.with_parent import with_parent

pytestmark = pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv is not installed")
HOSTS = ("xen1", "xen2")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_gone(pids: list[int], seconds: float = 25) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(alive, pids))


class Running(t.NamedTuple):
    folder: Path
    keeper: int
    pids: list[int]


@pytest.fixture
def running(tmp_path: Path) -> t.Iterator[Running]:
    """A supervisor with two stand-ins for QEMU, in a folder with a path too long for a socket's address."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    keeper = control.start(folder, {name: ["sleep", "1000"] for name in HOSTS})
    for name in HOSTS:
        control.ask(folder, "start", host=name)
    status = control.ask(folder, "status")
    made = Running(folder, keeper, [status["pid"], *(host["pid"] for host in status["hosts"].values())])
    yield made
    control.down(folder)
    if not wait_gone(made.pids, 5):
        for pid in filter(alive, made.pids):
            os.kill(pid, signal.SIGKILL)
        pytest.fail("processes were left behind")


def test_down_ends_everything(running: Running) -> None:
    """And cleans up its sockets, and may be repeated."""
    control.down(running.folder)
    assert wait_gone(running.pids)
    assert not list(running.folder.glob("*.port"))
    control.down(running.folder)
    os.close(running.keeper)


def test_the_starters_death_ends_everything(running: Running) -> None:
    """Closing the keeper is what the kernel does for a starter that was killed."""
    os.close(running.keeper)
    assert wait_gone(running.pids)


def test_detached_it_outlives_its_starter(running: Running) -> None:
    """`lab up` returns and the lab stays."""
    assert control.ask(running.folder, "detach")["attached"] is False
    os.close(running.keeper)
    time.sleep(1.2)
    assert all(map(alive, running.pids))


def test_a_killed_supervisor_takes_its_hosts_along(running: Running) -> None:
    """Even SIGKILL, which nobody can handle, leaves no QEMU."""
    os.kill(running.pids[0], signal.SIGKILL)
    assert wait_gone(running.pids)
    os.close(running.keeper)


def test_a_parent_that_died_at_once_leaves_nothing(tmp_path: Path) -> None:
    """The kernel says nothing when the parent is gone before the child asked to be told: the command does not run."""
    made = tmp_path / "made"
    waits = ["sh", "-c", 'sleep 1; exec "$@"', "sh", *with_parent("KILL", ["touch", str(made)])]
    subprocess.run(["sh", "-c", '"$@" &', "sh", *waits], check=True)
    subprocess.run(with_parent("KILL", ["touch", f"{made}.here"]), check=True)
    time.sleep(2)
    assert [path.name for path in tmp_path.iterdir()] == ["made.here"]


def test_one_host_stops_and_starts_alone(running: Running) -> None:
    """Power off is for one host; the other goes on. It may be started with something more than at first."""
    status = control.ask(running.folder, "stop", host="xen1")
    assert status["hosts"]["xen1"]["pid"] is None
    assert not alive(running.pids[1])
    assert alive(running.pids[2])
    again = control.ask(running.folder, "start", host="xen1", more=["1"])["hosts"]["xen1"]["pid"]
    assert alive(again)
    deadline = time.monotonic() + 25
    while (words := Path(f"/proc/{again}/cmdline").read_bytes().split(b"\0")[:-1]) != [b"sleep", b"1000", b"1"]:
        assert time.monotonic() < deadline, words
        time.sleep(0.05)
    with pytest.raises(LabError, match="unknown request"):
        control.ask(running.folder, "dance")
    os.close(running.keeper)
    assert wait_gone([*running.pids, again])


def test_a_wall_is_put_up_and_taken_away(running: Running) -> None:
    """By who asks for it; others see what it has on record."""
    asked = control.ask(running.folder, "wall", one="xen1", other="xen2", ports=(22,))
    assert asked["walls"] == [{"between": ["xen1", "xen2"], "knocks": [], "refused": 0}]
    assert control.ask(running.folder, "mend")["walls"] == []
    os.close(running.keeper)
    assert wait_gone(running.pids)


def test_nobody_there_is_said_in_plain_words(tmp_path: Path) -> None:
    """Not a traceback about sockets."""
    with pytest.raises(LabError, match="no lab is up"):
        control.ask(tmp_path, "status")
