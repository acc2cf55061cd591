# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""At a gate that the run holds the guest stands still for no module, and no run can vanish there without a trace."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
import time
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, read_until, where

pytestmark = pytest.mark.timeout(600)

CONTROLLER = ("-e", "migrate_gate=controller")
# The first of the caller's tasks comes to nothing for as long as nobody touches the file.
HELD = """---
- name: Wait for the word
  ansible.builtin.wait_for:
    path: "{{ word }}"
    timeout: 120
  delegate_to: localhost
"""
WRITTEN = """---
- name: Take the storage back
  ansible.builtin.file:
    path: "{{ written }}"
    state: touch
    mode: "0600"
  delegate_to: localhost
"""


@pytest.fixture
def user(tmp_path: pathlib.Path) -> t.Iterator[User]:
    """Somebody with two hosts, the guest on xen1."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable, suspend_timeout_s=1.5)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield User(site, tmp_path)
    site.down()


def steps(site: Site) -> list[str]:
    """Return what the sender has put on record, in order."""
    (journal,) = (site["xen1"].paths.lib / "dom0-xen").glob("*.sender/journal")
    return [json.loads(line)["step"] for line in journal.read_text().splitlines() if line.endswith("}")]


def tasks(user: User) -> tuple[str, ...]:
    """Write the tasks at the gate; return the options of a move that has them run."""
    (user.folder / "held.yml").write_text(HELD)
    return (*CONTROLLER, "-e", f"migrate_gate_tasks={user.folder / 'held.yml'}", "-e", f"word={user.folder / 'word'}")


def test_the_words_at_the_gate_run_no_module(user: User) -> None:
    """That the tasks begin, and that they are over, is on record in this order; for either a script is enough."""
    (user.folder / "word").touch()
    log = user.move("xen2", *tasks(user), "-vvv")
    assert where(user.site) == "xen2", log[-4000:]
    there = [step for step in steps(user.site) if step in ("permission_held", "gate_tasks_started", "commit_requested")]
    assert there == ["permission_held", "gate_tasks_started", "commit_requested"]
    used = {line.rpartition("/")[2] for line in log.splitlines() if "Using module file" in line}
    assert "migration_send.py" in used and "migration_gate.py" not in used, used


def test_a_gate_without_tasks_leaves_nothing_to_undo(user: User) -> None:
    """The permission is given at once, and no task is on record as begun."""
    user.move("xen2", *CONTROLLER)
    assert where(user.site) == "xen2"
    there = steps(user.site)
    assert "commit_requested" in there and "gate_tasks_started" not in there


def test_a_run_that_dies_before_its_first_task_may_have_begun(user: User) -> None:
    """Nobody knows how far it came, so the source does not go on before the tasks that undo it have been run."""
    back = user.folder / "back"
    (user.folder / "written.yml").write_text(WRITTEN)
    move = user.start("dom0.xen.migrate", *user.asking("xen2"), *tasks(user), "-e", "migrate_gate_timeout=10")
    read_until(move, "TASK [dom0.xen.migrate : Run the tasks at the gate]")
    os.killpg(move.pid, signal.SIGKILL)
    # What the run had under way by itself ends, and nothing comes after it.
    (user.folder / "word").touch()
    move.communicate(timeout=LIMIT_S)
    deadline = time.monotonic() + LIMIT_S
    while "waits_for_undo" not in steps(user.site):
        assert time.monotonic() < deadline, steps(user.site)
        time.sleep(0.1)
    assert "gate_tasks_started" in steps(user.site)
    assert user.site.running(GUEST) == []
    undo = ("-e", f"migrate_gate_undo_tasks={user.folder / 'written.yml'}", "-e", f"written={back}")
    log = user.run("dom0.xen.settle", "-e", "domain=centos", *undo)
    assert where(user.site) == "xen1", log[-4000:]
    assert back.exists(), log[-4000:]
