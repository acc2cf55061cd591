# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long a run that has claimed hosts may say nothing, before another one takes them over."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml

from ansible_collections.dom0.xen.tests.tools.places import ROOT

TASKS = {"migrate_after_tasks": "/srv/after.yml"}
RETRY = {"migrate_on_over_budget": "retry"}


@pytest.mark.parametrize(
    ("known", "seconds"),
    [
        ({}, 300),
        (TASKS, 1800),
        ({"migrate_over_budget_pause": 900}, 300),
        (RETRY, 360),
        ({**RETRY, "migrate_over_budget_pause": "900"}, 1200),
        ({**RETRY, **TASKS, "migrate_over_budget_pause": 900}, 2700),
    ],
)
def test_what_is_waited_for_is_no_silence(known: dict[str, t.Any], seconds: int, tmp_path: pathlib.Path) -> None:
    """Neither while the caller's tasks run nor in the pause before a move is made again anything is heard of it."""
    tell = {"ansible.builtin.debug": {"msg": "silent for <{{ __silent_s }}>"}}
    files = [str(ROOT / "playbooks" / "vars" / "claims.yml")]
    play = {"hosts": "localhost", "gather_facts": False, "vars_files": files, "vars": known, "tasks": [tell]}
    playbook = tmp_path / "silence.yml"
    playbook.write_text(yaml.safe_dump([play]))
    command = [sys.executable, "-m", "ansible.cli.playbook", str(playbook)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert f"silent for <{seconds}>" in run.stdout, run.stdout + run.stderr
