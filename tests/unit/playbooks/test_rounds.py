# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of moves in one run: whoever has a fork never waits for somebody who has none."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._applying import steps
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.board import Board, Limits
from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, ROOT

pytestmark = pytest.mark.timeout(600)

A, B = "1c1a7b9e-3f5d-4c65-9e1a-0123456789ab", "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
MOVE_A: dict[str, t.Any] = {"uuid": A, "name": "a", "source": "xen1", "destination": "xen2"}
MOVE_B: dict[str, t.Any] = {"uuid": B, "name": "b", "source": "xen2", "destination": "xen3"}
# The second round has to make room before it tries again what failed.
ROUNDS = (
    ({**MOVE_A, "number": 1, "after": []},),
    ({**MOVE_B, "number": 1, "after": []}, {**MOVE_A, "number": 2, "after": [1]}),
)
PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.set_fact:
        dom0_run: {{token: "0123456789abcdef", rows: domains, departures: 0, arrivals: 0, results_path: ""}}
        dom0_prepared: {prepared}
- ansible.builtin.import_playbook: {moves}
"""


def test_a_later_round_begins_with_what_makes_room(tmp_path: pathlib.Path) -> None:
    """With one fork. The hosts have no Xen: the first move fails, the one that needs it is told so, neither waits."""
    inventory, playbook = tmp_path / "hosts.ini", tmp_path / "rounds.yml"
    journal = f"dom0_xen_journal_path={tmp_path}/lib dom0_xen_runtime_path={tmp_path}/run"
    lines = [
        f"xen{number} ansible_connection=local ansible_python_interpreter={sys.executable} {journal}"
        for number in (1, 2, 3)
    ]
    inventory.write_text("\n".join(["[dom0]", *lines]))
    text = ""
    for number, moves in enumerate(ROUNDS):
        planned = steps.steps_of(moves, ())
        board = Board(str(tmp_path / f"board{number}"))
        board.set_up(planned, Limits(), time.monotonic() + LIMIT_S / 2)
        prepared = {"to_do": [step.to_result() for step in planned], "board": str(tmp_path / f"board{number}")}
        moves_yml = ROOT / "build/collections/ansible_collections/dom0/xen/playbooks/parts/moves.yml"
        text += PLAY.format(prepared=json.dumps(prepared), moves=moves_yml)
    playbook.write_text(text)
    values = {
        **os.environ,
        "ANSIBLE_FORKS": "1",
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path),
    }
    command = [sys.executable, "-m", "ansible.cli.playbook", "-i", str(inventory), str(playbook)]
    ran = subprocess.run(
        command, env=values, cwd=tmp_path, text=True, capture_output=True, timeout=LIMIT_S, check=False
    )
    last = json.loads((tmp_path / "board1" / "board.json").read_text())["moves"]
    assert {number: each["state"] for number, each in last.items()} == {"1": "failed", "2": "failed"}
    assert "a has to wait for b to leave xen2, which has failed" in ran.stdout, ran.stdout[-4000:]
