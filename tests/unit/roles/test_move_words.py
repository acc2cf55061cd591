# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move that did not succeed is told as what is known of it: nobody is to start a second copy because of that."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml

TASKS = pathlib.Path(__file__).resolve().parents[3] / "roles" / "migrate" / "tasks"


def required(file: str) -> dict[str, t.Any]:
    """The task of a file that requires something of the outcome."""
    tasks = [one for task in yaml.safe_load((TASKS / file).read_text()) for one in (task, *task.get("block", ()))]
    return next(task for task in tasks if "ansible.builtin.assert" in task)


def told(file: str, known: dict[str, t.Any], folder: pathlib.Path) -> str:
    """What it says when it fails, by what is known then."""
    task = required(file)
    message = task["ansible.builtin.assert"]["fail_msg"]
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": known,
        "tasks": [{"ansible.builtin.debug": {"msg": f"told={message}"}, "vars": task["vars"]}],
    }
    playbook = folder / "told.yml"
    playbook.write_text(yaml.safe_dump([play], width=1000))
    command = [sys.executable, "-m", "ansible.cli.playbook", str(playbook)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    line = next(line for line in run.stdout.splitlines() if "told=" in line)
    return str(json.loads("{" + line.strip().rstrip(",") + "}")["msg"])[len("told=") :]


@pytest.mark.parametrize(
    ("next_step", "said"), [("done", "It was too late to cancel: "), ("watch", "It was asked to give up and has not ")]
)
def test_what_has_not_ended_yet_is_not_told_to_have_been_too_late(
    next_step: str, said: str, tmp_path: pathlib.Path
) -> None:
    """A sender that was told in time may wait for its xl for longer than the run that calls it off waits for it."""
    known = {"settle_decision": {"next": next_step, "msg": "centos: whatever it is."}}
    text = told("cancel.yml", known, tmp_path)
    assert text.startswith(said) and text.endswith(": centos: whatever it is.")


@pytest.mark.parametrize(
    ("ending", "committed", "said"),
    [
        ("ended", False, "xen1: the destination was not given the permission to run the domain: it was cancelled."),
        ("ended", True, "xen1: it is not known whether the destination runs the domain"),
        ("unsettled", True, "xen1: it is not known whether the destination runs the domain"),
        ("gone", False, "xen1: it is not known whether the destination runs the domain"),
    ],
)
def test_a_destination_that_may_run_it_is_not_told_to_have_no_permission(
    ending: str, committed: bool, said: str, tmp_path: pathlib.Path
) -> None:
    """Its xl may stand still with the permission in hand, and a sender that was killed may have asked since."""
    permission = {"held": True, "committed": committed, "given": False}
    status = {"permission": permission, "error": {"msg": "it was cancelled."}}
    known = {"migrate_source": "xen1", "__migrate_watched": {"ending": ending, "status": status}}
    assert told("permission.yml", known, tmp_path).startswith(said)
