# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The caller's files of tasks are read before anything is touched: at the gate it would be too late."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook

pytestmark = pytest.mark.timeout(300)


def _seen(gate: str = "", **files: str) -> dict[str, t.Any]:
    return {"dom0.xen.task_files": {"files": files, "gate": gate}, "ignore_errors": True}


def test_what_cannot_be_run_is_told_all_at_once(playbook: Playbook, tmp_path: Path) -> None:
    """One that is missing, is no list of tasks, is empty, cannot be read or has no absolute path; none is in order."""
    names = ("good", "empty", "no_list", "broken", "playbook")
    good, empty, no_list, broken, playbook_file = (tmp_path / f"{name}.yml" for name in names)
    good.write_text("- ansible.builtin.debug:\n    msg: fenced\n")
    empty.write_text("---\n")
    no_list.write_text("ansible.builtin.debug:\n  msg: fenced\n")
    broken.write_text("- {\n")
    playbook_file.write_text("- hosts: all\n  tasks: []\n")
    tasks = {
        "wrong": _seen(
            gate="controller", migrate_before_tasks="/no/such.yml", migrate_gate_tasks=str(empty),
            migrate_gate_undo_tasks=str(no_list), migrate_after_tasks=str(broken), more=good.name,
            whole=str(playbook_file),
        ),
        "good": _seen(gate="controller", migrate_gate_tasks=str(good), migrate_gate_undo_tasks=str(good)),
        "nothing": _seen(gate="engine", migrate_gate_tasks=""),
    }  # fmt: skip
    together = "{" + ", ".join(f"'{name}': {name}" for name in tasks) + "}"
    found = playbook.run(*({**task, "register": name} for name, task in tasks.items()), register=together).results
    assert found["wrong"]["failed"] and found["wrong"]["code"] == "task_file_invalid"
    for told in (
        "migrate_before_tasks: /no/such.yml is not there, or is no file",
        f"migrate_gate_tasks: {empty} holds no tasks",
        f"migrate_gate_undo_tasks: {no_list} is no list of tasks",
        f"migrate_after_tasks: {broken} cannot be read as tasks: ",
        "more: good.yml is not an absolute path",
        f"whole: {playbook_file} is a playbook, not a list of tasks",
        "Nothing was touched.",
    ):
        assert told in found["wrong"]["msg"]
    assert not found["good"]["failed"] and not found["good"].get("warnings")
    assert not found["nothing"]["failed"]


def test_tasks_at_a_gate_that_nobody_holds_or_undoes(playbook: Playbook, tmp_path: Path) -> None:
    """A fencing that would be left out without a word is refused; one without its undoing can stop a guest for good."""
    file = tmp_path / "fencing.yml"
    file.write_text("- ansible.builtin.debug:\n    msg: fenced\n")
    lost = tmp_path / "lost.yml"
    lost.write_text("- name: Fence\n  ansible.builtin.command: fence\n  delegate_to: pdu1\n")
    tasks = {
        "lost": _seen(gate="controller", migrate_gate_tasks=str(lost), migrate_gate_undo_tasks=str(file)),
        "unheld": _seen(gate="engine", migrate_gate_tasks=str(file)),
        "alone": _seen(gate="controller", migrate_gate_tasks=str(file)),
        "settling": _seen(migrate_gate_tasks=str(file)),
    }
    together = "{" + ", ".join(f"'{name}': {name}" for name in tasks) + "}"
    found = playbook.run(*({**task, "register": name} for name, task in tasks.items()), register=together).results
    assert found["unheld"]["failed"] and "needs migrate_gate=controller" in found["unheld"]["msg"]
    assert not found["alone"]["failed"] and "has no migrate_gate_undo_tasks" in found["alone"]["warnings"][0]
    (warned,) = found["lost"]["warnings"]
    assert not found["lost"]["failed"] and warned.startswith("migrate_gate_tasks: ") and warned.endswith(": Fence.")
    assert not found["settling"]["failed"] and not found["settling"].get("warnings")
