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

ROLES = pathlib.Path(__file__).resolve().parents[3] / "roles"
SAYS = {"ansible.builtin.assert": "fail_msg", "ansible.builtin.fail": "msg", "ansible.builtin.debug": "msg"}


def told(
    file: str,
    known: dict[str, t.Any],
    folder: pathlib.Path,
    *,
    role: str = "migrate",
    kind: str = "ansible.builtin.assert",
    last: bool = False,
) -> str:
    """What the first, or the last, task of this kind in a file says when it fails, by what is known then."""
    read = yaml.safe_load((ROLES / role / "tasks" / file).read_text())
    tasks = [one for task in read for one in (task, *task.get("block", ())) if kind in one]
    task = tasks[-1 if last else 0]
    message = task[kind][SAYS[kind]]
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": known,
        "tasks": [{"ansible.builtin.debug": {"msg": f"told={message}"}, "vars": task.get("vars", {})}],
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
    text = told("permission.yml", known, tmp_path)
    assert text.startswith(said)
    again, settle = "Run the migration again when the cause is mended.", "Run dom0.xen.settle for it, which looks"
    assert f" Remedy: {again if ending == 'ended' and not committed else settle}" in text


def test_the_session_s_own_remedy_comes_first(tmp_path: pathlib.Path) -> None:
    """It knows the cause."""
    permission = {"held": True, "committed": False, "given": False}
    status = {"permission": permission, "error": {"msg": "it was cancelled", "remedy": "Do nothing."}}
    known = {"migrate_source": "xen1", "__migrate_watched": {"ending": "ended", "status": status}}
    assert told("permission.yml", known, tmp_path).endswith(": it was cancelled. Remedy: Do nothing.")


@pytest.mark.parametrize(
    ("refused", "error", "said"),
    [
        (True, {"msg": "fenced no"}, "The permission was refused at the gate on storage: fenced no"),
        (False, {"msg": "fenced no"}, "A task at the gate failed on storage: fenced no"),
        (False, {"msg": "storage: silent"}, "A task at the gate failed: storage: silent"),
        (False, {}, "A task at the gate failed on storage: no message"),
    ],
)
def test_a_task_at_the_gate_that_has_failed_is_told_with_its_host(
    refused: bool, error: dict[str, str], said: str, tmp_path: pathlib.Path
) -> None:
    """It may have run on any host, and each host is told once."""
    known = {"__migrate_refused": {"changed": refused}, "__migrate_gate_error": error, "__migrate_gate_host": "storage"}
    assert told("refuse.yml", known, tmp_path, kind="ansible.builtin.fail") == said


@pytest.mark.parametrize(
    ("source", "destination", "said"),
    [
        (True, False, "It stayed. xen1 did not answer when that was to be put on record: settle again when it does."),
        (
            True,
            True,
            "It stayed. xen1 and xen2 did not answer when that was to be put on record: settle again when they do.",
        ),
    ],
)
def test_who_did_not_answer_at_the_end_of_settling_is_named(
    source: bool, destination: bool, said: str, tmp_path: pathlib.Path
) -> None:
    """Of two hosts one is to be mended."""
    known = {
        "settle_source": "xen1",
        "settle_destination": "xen2",
        "settle_decision": {"msg": "It stayed."},
        "__settle_concluded_at_source": {"unreachable": source},
        "__settle_concluded_at_destination": {"unreachable": destination},
    }
    assert told("conclude.yml", known, tmp_path, role="settle") == said


@pytest.mark.parametrize(
    ("act", "acted", "said"),
    [
        ({"host": "xen2"}, {"msg": "no route"}, "It is to be resumed. It was not done on xen2: no route"),
        (None, {"msg": "no route"}, "It is to be resumed. It was not done: no route"),
        ({"host": "xen2"}, {"skipped": True}, "It is to be resumed."),
    ],
)
def test_a_step_of_settling_that_was_not_done_is_told_with_its_host(
    act: dict[str, str] | None, acted: dict[str, t.Any], said: str, tmp_path: pathlib.Path
) -> None:
    """The message of a connection names none."""
    known = {"settle_decision": {"msg": "It is to be resumed.", "act": act}, "__settle_acted": acted}
    assert told("main.yml", known, tmp_path, role="settle", kind="ansible.builtin.fail") == said


def test_a_lost_monitor_is_told_with_its_host(tmp_path: pathlib.Path) -> None:
    """The commands beside it are to be typed there."""
    known = {
        "settle_name": "centos",
        "settle_source": "xen1",
        "settle_destination": "xen2",
        "__settle_concluded_at_source": {"skipped": True},
        "__settle_concluded_at_destination": {"monitor": "lost"},
    }
    text = told("main.yml", known, tmp_path, role="settle", kind="ansible.builtin.debug", last=True)
    assert text.startswith("xen2: centos has lost its monitor: ")
