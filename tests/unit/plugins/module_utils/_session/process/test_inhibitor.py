# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shutdown of dom0 is held off as long as the process that moves a domain lives, and not a moment longer."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._session.process import inhibitor
from ansible_collections.dom0.xen.plugins.module_utils._session.process.inhibitor import Inhibitor

# What systemd-inhibit does (src/login/inhibit.c): parse, ask logind, run the command as a child, and wait for it.
PROGRAM = """#!/bin/sh
echo $$ >{folder}/pid
printf '%s\\n' "$@" >{folder}/arguments
while [ "${{1#--}}" != "$1" ]; do shift; done
{before}
"$@"
"""


class Tool:
    """A program in the place of systemd-inhibit, as logind is not to be had in a test."""

    def __init__(self, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self.answer("")
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def answer(self, before: str) -> None:
        """Say what happens before the lock is held."""
        path = self._folder / "systemd-inhibit"
        path.write_text(PROGRAM.format(folder=self._folder, before=before))
        path.chmod(0o755)

    def arguments(self) -> list[str]:
        """Return what it was called with."""
        return (self._folder / "arguments").read_text().splitlines()

    def gone(self) -> bool:
        """Wait until it and its command have ended."""
        pid = int((self._folder / "pid").read_text())
        return _eventually(lambda: not _procfs.is_alive(pid))


def _eventually(happened: t.Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def tool(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """One that grants the lock at once."""
    return Tool(tmp_path, monkeypatch)


def test_lock_is_held_until_it_is_released(tool: Tool, tmp_path: pathlib.Path) -> None:
    """Against shutdown and sleep, with words that say why; told only once logind has granted it."""
    lock = Inhibitor("centos", str(tmp_path))
    assert lock.state in (inhibitor.ASKED, inhibitor.HELD)
    assert _eventually(lambda: lock.state == inhibitor.HELD)
    arguments = tool.arguments()
    assert arguments[:3] == ["--what=shutdown:sleep", "--mode=block", "--who=dom0.xen"]
    assert "centos" in arguments[3]
    time.sleep(0.1)
    assert lock.state == inhibitor.HELD
    lock.release()
    assert tool.gone()
    lock.release()


def test_lock_goes_with_a_killed_process(tool: Tool, tmp_path: pathlib.Path) -> None:
    """Nothing can be tidied up after SIGKILL: the pipe's end must be nobody else's, nor of a later child."""
    code = (
        "import subprocess, sys, time\n"
        "from ansible_collections.dom0.xen.plugins.module_utils._session.process.inhibitor import Inhibitor\n"
        f"lock = Inhibitor('centos', {str(tmp_path)!r})\n"
        "child = subprocess.Popen(['sleep', '30'], close_fds=False)\n"
        "while lock.state != 'held': time.sleep(0.01)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(30)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as session:
        assert session.stdout is not None
        child = int(session.stdout.readline())
        session.kill()
        session.wait()
    assert _procfs.is_alive(child)
    assert tool.gone()
    os.kill(child, signal.SIGKILL)


def test_start_does_not_wait_for_an_answer(tool: Tool, tmp_path: pathlib.Path) -> None:
    """A logind that hangs must not keep a migration from starting, nor from ending."""
    tool.answer("read -r answer")
    started = time.monotonic()
    lock = Inhibitor("centos", str(tmp_path))
    assert lock.state == inhibitor.ASKED
    lock.release()
    assert time.monotonic() - started < 20
    assert _eventually((tmp_path / "pid").exists)
    assert tool.gone()


@pytest.mark.parametrize("before", ["exit 1", "kill -9 $$"])
def test_refusal_is_told(before: str, tool: Tool, tmp_path: pathlib.Path) -> None:
    """The session goes on, and its status says that nothing holds off a shutdown."""
    tool.answer(before)
    lock = Inhibitor("centos", str(tmp_path))
    assert _eventually(lambda: lock.state == inhibitor.FAILED)
    lock.release()


def test_host_without_systemd_has_none(tool: Tool, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started where systemd does not run the host, where it has no such program, or none can be run."""
    lock = Inhibitor("centos", "/nonexistent")
    lock.release()
    assert lock.state == inhibitor.ABSENT and not (tmp_path / "pid").exists()
    (tmp_path / "systemd-inhibit").write_text("no program")
    assert Inhibitor("centos", str(tmp_path)).state == inhibitor.FAILED
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    assert Inhibitor("centos", str(tmp_path)).state == inhibitor.ABSENT


def test_descriptors_are_all_given_back(tool: Tool, tmp_path: pathlib.Path) -> None:
    """Also when the program could not be started."""
    before = len(os.listdir("/proc/self/fd"))
    for text in ("", "no program"):
        if text:
            (tmp_path / "systemd-inhibit").write_text(text)
        lock = Inhibitor("centos", str(tmp_path))
        assert text or len(os.listdir("/proc/self/fd")) == before + 2
        lock.release()
    assert len(os.listdir("/proc/self/fd")) == before
