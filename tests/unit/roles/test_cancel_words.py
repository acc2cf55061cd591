# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever calls a move off is told that it was too late only where it was."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml

TASKS = pathlib.Path(__file__).resolve().parents[3] / "roles" / "migrate" / "tasks" / "cancel.yml"


def required() -> dict[str, t.Any]:
    """The task that requires that the domain has stayed."""
    tasks = [task for each in yaml.safe_load(TASKS.read_text()) for task in each.get("block", ())]
    return next(task for task in tasks if "ansible.builtin.assert" in task)


@pytest.mark.parametrize(
    ("next_step", "said"), [("done", "It was too late to cancel: "), ("watch", "It was asked to give up and has not ")]
)
def test_what_has_not_ended_yet_is_not_told_to_have_been_too_late(next_step: str, said: str) -> None:
    """A sender that was told in time may wait for its xl for longer than the run that calls it off waits for it."""
    task = required()
    decision = {"next": next_step, "msg": "centos: whatever it is."}
    command = [sys.executable, "-m", "ansible.cli.adhoc", "localhost", "-m", "ansible.builtin.debug"]
    command += ["-a", json.dumps({"msg": task["ansible.builtin.assert"]["fail_msg"]})]
    command += ["-e", json.dumps({"settle_decision": decision, **task["vars"]})]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f'"msg": "{said}' in run.stdout and run.stdout.count(decision["msg"]) == 1
