# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What xl starts while the guest stands still has precedence, and loses it again; nobody else's does."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._toolstack import priority
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.priority import Precedence
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import spawn

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may put processes first")
SESSION = "0123456789abcdef"
# Starts one process for each line that it reads, as xl starts its scripts, and one that outlives it.
STARTS = "while read line; do sleep 100 >&2 & echo $!; done"


def started(xl: subprocess.Popen[bytes]) -> int:
    assert xl.stdin is not None and xl.stdout is not None
    xl.stdin.write(b"one\n")
    xl.stdin.flush()
    return int(xl.stdout.readline())


@pytest.fixture
def xls() -> t.Iterator[t.Callable[[str], subprocess.Popen[bytes]]]:
    """Makes stand-ins for the xl of a session."""
    made: list[subprocess.Popen[bytes]] = []

    def make(session: str) -> subprocess.Popen[bytes]:
        mark = {priority.MARK: session}
        argv = ["setsid", "sh", "-c", STARTS]
        made.append(spawn(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None, mark=mark))
        return made[-1]

    yield make
    for xl in made:
        xl.communicate()
    for pid in _procfs.pids():
        if (_procfs.variable(pid, priority.MARK) or "").startswith(SESSION):
            os.kill(pid, 9)


def niceness(*pids: int) -> list[int | None]:
    return [_procfs.niceness(pid) for pid in pids]


def test_heirs_lose_it_with_their_session_only(xls: t.Callable[[str], subprocess.Popen[bytes]]) -> None:
    """A device model started by a hurried xl does not keep its niceness for the guest's life."""
    xl, other = xls(SESSION), xls(f"{SESSION}0")
    before = started(xl)
    precedence = [Precedence(xl.pid), Precedence(other.pid)]
    for each in precedence:
        each.give()
    heirs = [started(xl), started(other)]
    assert niceness(before, *heirs) == [0, priority.XL, priority.XL]
    precedence[0].take_back()
    assert niceness(xl.pid, os.getpid(), started(xl), heirs[0]) == [0, 0, 0, priority.XL]
    xl.communicate()
    assert priority.take_back_left(SESSION) == [heirs[0]]
    assert niceness(*heirs) == [0, priority.XL]
    assert priority.take_back_left(SESSION) == []


@pytest.fixture
def store(tmp_path: pathlib.Path) -> t.Iterator[subprocess.Popen[bytes]]:
    """A stand-in for xenstored, by the name of its program."""
    program = tmp_path / "oxenstored"
    program.symlink_to(str(shutil.which("sleep")))
    with subprocess.Popen([program, "100"]) as process:
        while _procfs.program(process.pid) != "oxenstored":
            time.sleep(0.01)
        yield process
        process.kill()


def test_xenstored_has_it_as_long_as_its_xl(
    xls: t.Callable[[str], subprocess.Popen[bytes]], store: subprocess.Popen[bytes]
) -> None:
    """The scripts wait for it."""
    precedence = Precedence(xls(SESSION).pid)
    precedence.give()
    assert niceness(store.pid) == [priority.STORE]
    precedence.take_back()
    assert niceness(store.pid) == [0]
    precedence.give()
    assert priority.take_back_left("of another session") == [store.pid]
    assert niceness(store.pid) == [0]


def test_what_the_hosts_owner_has_set_stays(
    xls: t.Callable[[str], subprocess.Popen[bytes]], store: subprocess.Popen[bytes]
) -> None:
    """A xenstored that has precedence anyway keeps it."""
    os.setpriority(os.PRIO_PROCESS, store.pid, -10)
    precedence = Precedence(xls(SESSION).pid)
    precedence.give()
    precedence.take_back()
    priority.take_back_left(SESSION)
    assert niceness(store.pid) == [-10]


def test_a_process_that_is_gone_is_no_failure() -> None:
    """It may end at any moment."""
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    precedence = Precedence(gone.pid)
    precedence.give()
    precedence.take_back()
    assert niceness(gone.pid) == [None]
