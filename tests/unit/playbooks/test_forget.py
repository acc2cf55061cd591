# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move that was made once is not taken for one of the same name that was not made."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(300)
ROOT = pathlib.Path(__file__).resolve().parents[3]
PLAYS = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.add_host: {name: a@xen1, groups: dom0_moves, ansible_connection: dom0.xen.move}
- hosts: dom0_moves
  gather_facts: false
  tasks:
    - ansible.builtin.set_fact: {dom0_move_results: {a@xen1: {end_state: moved}}}
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.include_tasks: FORGET
    - ansible.builtin.assert: {that: 'hostvars["a@xen1"].dom0_move_results == {}'}
"""


def test_results_do_not_outlive_their_round(tmp_path: pathlib.Path) -> None:
    """Rows stay in the inventory of the run, and so would what came of them."""
    play = tmp_path / "play.yml"
    play.write_text(PLAYS.replace("FORGET", str(ROOT / "playbooks" / "tasks" / "forget.yml")))
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections")}
    command = [sys.executable, "-m", "ansible.cli.playbook", "-i", "localhost,", "-c", "local", str(play)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "path", ["playbooks/apply.yml", "playbooks/tasks/decide.yml", "playbooks/tasks/decide_return.yml"]
)
def test_whoever_compares_moves_forgets_first(path: str) -> None:
    """Each playbook that makes moves and looks at what came of them."""
    assert "forget.yml" in (ROOT / path).read_text()
