# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of a session's xl, also when what stands for it is gone."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import types
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._session.found import left_xl
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import journal
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins import saver, shutter, starter
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import spawn
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.two_hosts import until


@pytest.fixture
def leader(tmp_path: pathlib.Path) -> t.Iterator[subprocess.Popen[bytes]]:
    """A process that stands for xl, and has an xl create at work."""
    xl = tmp_path / "xl"
    xl.write_text("#!/bin/sh\nsleep 60\n")
    xl.chmod(0o755)
    script = f"{xl} create -q {tmp_path}/domain.cfg & {xl} create -q -n {tmp_path}/domain.cfg & sleep 60; true"
    quiet = subprocess.DEVNULL
    process = spawn(["sh", "-c", script], stdin=quiet, stdout=quiet, stderr=quiet, leads=True)
    until(lambda: len(left_xl.members(process.pid)) == 6)
    yield process
    left_xl.end(process.pid)
    process.wait()


def test_what_makes_a_domain(leader: subprocess.Popen[bytes]) -> None:
    """And what only reads its file."""
    assert left_xl.making(leader.pid)
    found = left_xl.described(left_xl.members(leader.pid))
    (makes,) = [each for each in found if each.makes]
    assert makes.command == "xl create -q " + makes.command.split(" ")[-1] and makes.state in ("S", "R")
    os.kill(makes.pid, signal.SIGSTOP)
    until(lambda: left_xl.described([makes.pid])[0].state == "T")
    os.kill(makes.pid, signal.SIGKILL)
    until(lambda: not left_xl.making(leader.pid))


@pytest.mark.parametrize("stand_in", [saver, shutter, starter])
def test_what_stands_for_xl_is_named(stand_in: types.ModuleType) -> None:
    """A person is told what it is, and not the code that starts it."""
    words = ["python3", "-I", "-c", f"import time; time.sleep(60); {stand_in._START}", "/code", "/socket", "xl", "5"]
    with subprocess.Popen([sys.executable, *words[1:]]) as process:
        until(lambda: list(_procfs.command_line(process.pid))[1:] == words[1:])
        (told,) = left_xl.described([process.pid])
        process.kill()
    assert told.command == f"the session's {stand_in.__name__.rpartition('.')[2]}"


def test_what_a_script_has_left_is_not_ended(leader: subprocess.Popen[bytes]) -> None:
    """It may serve the disk of the guest that was made."""
    left_xl.end_works(leader.pid)
    until(lambda: not left_xl.works(leader.pid))
    # Those that the two were waiting for.
    assert len([pid for pid in left_xl.members(leader.pid) if pid != leader.pid]) >= 2


def test_it_is_found_when_its_parent_is_gone(leader: subprocess.Popen[bytes], tmp_path: pathlib.Path) -> None:
    """Whoever settles waits for it."""
    here, file = written(tmp_path, leader)
    file.close()
    before = set(here.left_xl())
    # Not what they have started, which may serve a guest's disk.
    assert leader.pid in before and len(before) == 3
    leader.kill()
    leader.wait()
    assert set(here.left_xl()) == before - {leader.pid}


def test_an_xl_that_leads_no_session_is_all_there_is(leader: subprocess.Popen[bytes], tmp_path: pathlib.Path) -> None:
    """Another's session may have its number by now."""
    here, file = written(tmp_path, leader, leads=False)
    file.close()
    assert here.left_xl() == [leader.pid]
    leader.kill()
    leader.wait()
    assert here.left_xl() == []


def written(
    tmp_path: pathlib.Path, leader: subprocess.Popen[bytes], leads: bool = True
) -> tuple[Here, journal.Journal]:
    """Put on record that a session has started it."""
    here = Here(str(tmp_path / "run"), str(tmp_path / "lib"), "0123456789abcdef", "receiver", "uuid", "centos", "me")
    os.makedirs(here.journal)
    file = journal.Journal(here.journal)
    file.write("opened", {"boot_id": _procfs.boot_id()})
    file.write("xl_started", {"pid": leader.pid, "started": _procfs.start_time(leader.pid), "leads": leads})
    return here, file
