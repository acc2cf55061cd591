# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What xl starts while the guest stands still has precedence, and loses it again; nobody else's does."""

from __future__ import annotations

import os
import subprocess
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._toolstack import priority
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


def test_heirs_lose_it_with_their_session_only(xls: t.Callable[[str], subprocess.Popen[bytes]]) -> None:
    """A device model started by a hurried xl does not keep its niceness for the guest's life."""
    xl, other = xls(SESSION), xls(f"{SESSION}0")
    before = started(xl)
    priority.hurry(xl.pid)
    priority.hurry(other.pid)
    heirs = [started(xl), started(other)]
    assert [_procfs.niceness(pid) for pid in (before, *heirs)] == [0, priority.HURRIED, priority.HURRIED]
    priority.slow_down(xl.pid)
    assert [_procfs.niceness(pid) for pid in (xl.pid, started(xl), heirs[0])] == [0, 0, priority.HURRIED]
    xl.communicate()
    assert priority.slow_down_all(SESSION) == [heirs[0]]
    assert [_procfs.niceness(pid) for pid in heirs] == [0, priority.HURRIED]
    assert priority.slow_down_all(SESSION) == []


def test_a_process_that_is_gone_is_no_failure() -> None:
    """It may end at any moment."""
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    priority.hurry(gone.pid)
    priority.slow_down(gone.pid)
    assert _procfs.niceness(gone.pid) is None
