# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person kills an xl only where settling has said that it may be killed, and else wakes it."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import threading
import time
import types
import typing as t

import pytest
from dom0_faults import person

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.two_hosts import until

Start = t.Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: pathlib.Path) -> t.Iterator[Start]:
    """Starts a program called so, with these arguments, which stands still then."""
    started: list[subprocess.Popen[bytes]] = []

    def program(name: str, *arguments: str) -> subprocess.Popen[bytes]:
        script = tmp_path / name
        script.write_text("#!/bin/sh\nkill -STOP $$\nexec sleep 600\n")
        script.chmod(0o755)
        process = subprocess.Popen(["sh", str(script), *arguments])
        started.append(process)
        until(lambda: person.stands_still(process.pid))
        return process

    yield program
    for process in started:
        process.kill()
        process.wait()


def world(*processes: subprocess.Popen[bytes]) -> t.Any:
    """A site whose source has these processes."""
    hosts = {"source": [process.pid for process in processes], "destination": []}
    return types.SimpleNamespace(
        powered=lambda name: True, host=lambda name: types.SimpleNamespace(pids=hosts.get(name, []))
    )


def test_what_settling_has_said_counts(start: Start) -> None:
    """Of two that stand still one may be killed; what is no xl is left alone."""
    may, must_not, other = start("xl", "migrate-receive"), start("xl", "create"), start("python3", "x")
    text = (
        f"wait (xl is still at work.) source: process {may.pid} may be killed there: kill -9 {may.pid}; then settle."
        f" source: process {must_not.pid} must not be killed: an xl create that is cut off leaves half a domain."
    )
    done = person.see_to(world(may, must_not, other), text)
    assert sorted(done) == sorted([f"SIGKILL {may.pid}", f"SIGCONT {must_not.pid}"])
    assert may.wait(30) == -signal.SIGKILL
    until(lambda: not person.stands_still(must_not.pid))
    assert must_not.poll() is None and person.stands_still(other.pid)


def test_what_nobody_has_spoken_of_is_woken(start: Start) -> None:
    """Never killed on somebody's own account."""
    process = start("xl", "migrate")
    assert person.see_to(world(process), "no end after 12 rounds") == [f"SIGCONT {process.pid}"]
    until(lambda: not person.stands_still(process.pid))
    assert person.see_to(world(process), "") == []


def test_the_warming_is_waited_for() -> None:
    """It runs at the lowest priority, after who has started it is gone."""
    process = subprocess.Popen(["sh", "-c", "sleep 600; true", "warming", str(os.getpid())], start_new_session=True)
    timer = threading.Timer(1.0, lambda: os.killpg(process.pid, signal.SIGKILL))
    timer.start()
    begun = time.monotonic()
    person.let_warm_up(world(process))
    assert time.monotonic() - begun >= 0.9
    process.wait()
