# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is run beforehand changes nothing on the host, and what the host lacks is no failure."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import time

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._toolstack.warming import end, warm_up

RECORDED = ("xenstore-read", "xenstore-write", "ip", "brctl")
NEEDED = ("timeout", "nice", "bash")


@pytest.fixture
def tools(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A host that has only a few of the tools; each notes how it was called."""
    for name in NEEDED:
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    for name in RECORDED:
        tool = tmp_path / name
        tool.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/calls\nexit 1\n')
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_each_tool_is_run_once_and_only_asked(tools: pathlib.Path) -> None:
    """A tool that fails does not end it, one that is not there is left out, nothing is written to XenStore."""
    process = warm_up()
    assert process is not None
    assert process.wait(20) is not None
    assert (tools / "calls").read_text().splitlines() == [
        "xenstore-read /local/domain/0/name",
        "xenstore-write -h",
        "ip link show dev lo",
        "brctl show",
    ]


def test_nothing_more_is_run_for_a_session_that_was_killed(tools: pathlib.Path) -> None:
    """Nobody ends it then, and it must not stay for the next session to find."""
    os.mkfifo(tools / "fifo")
    slow = tools / "xenstore-read"
    slow.write_text(f"#!/bin/sh\necho slow >> {tools}/calls\nread line < {tools}/fifo\n")
    started = os.fork()
    if not started:
        warm_up()
        signal.pause()
    # It opens once the tool has come to read.
    with (tools / "fifo").open("w") as fifo:
        os.kill(started, signal.SIGKILL)
        os.waitpid(started, 0)
        fifo.write("go on\n")
    deadline = time.monotonic() + 20
    while run_for(started) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not run_for(started)
    assert (tools / "calls").read_text() == "slow\n"


def run_for(owner: int) -> bool:
    """Whether something still warms up for that process."""
    end_of_line = f"\0warming\0{owner}\0".encode()
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().endswith(end_of_line):
                return True
    return False


def test_a_host_where_it_cannot_be_started(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration does not depend on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert warm_up() is None


def test_it_does_not_outlive_its_session() -> None:
    """On a busy host it may take longer than the session."""
    process = warm_up()
    assert process is not None
    end(process)
    assert process.returncode is not None
    end(process)
    end(None)
