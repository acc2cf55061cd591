# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long a move waits for its slot."""

from __future__ import annotations

import pathlib
import typing as t
import uuid

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook

pytestmark = pytest.mark.timeout(300)

FIRST, SECOND = (str(uuid.uuid4()) for dummy in range(2))
SOON = "{{ now(utc=true).timestamp() + 2 }}"


def test_no_slot_is_taken_when_the_time_of_the_run_is_over(
    playbook: Playbook, runtime_path: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """Whichever of the two times is over first is told; then there is no slot for it, be one free. It is given back."""
    places = {"runtime_path": str(runtime_path), "journal_path": str(tmp_path / "journals")}
    first, second = {"uuid": FIRST, "name": "one"}, {"uuid": SECOND, "name": "two"}
    asked: dict[str, dict[str, t.Any]] = {
        "taken": {**first, "begin_by": "{{ now(utc=true).timestamp() + 3600 }}"},
        "over": {**second, "begin_by": SOON},
        "impatient": {**second, "timeout": 1, "begin_by": "{{ now(utc=true).timestamp() + 3600 }}"},
        "late": {**first, "begin_by": 1.0},
        "back": {**first, "begin_by": 1.0, "state": "absent"},
    }
    tasks = [
        {
            "name": name,
            "dom0.xen.migration_slot": {**places, "role": "sender", "limit": 1, "wait": 1, **options},
            "ignore_errors": True,
            "register": name,
        }
        for name, options in asked.items()
    ]
    run = playbook.run(*tasks, register="{" + ", ".join(f"'{name}': {name}" for name in asked) + "}")
    found = run.results
    assert found["taken"]["taken"] and not found["back"].get("failed"), run.log[-3000:]
    assert found["over"]["code"] == "deadline_passed" and found["over"]["waited"] < 60
    assert "two has not begun to move when the time was over: at most 1 may leave at one time" in found["over"]["msg"]
    assert found["impatient"]["code"] == "no_slot"
    assert found["late"]["code"] == "deadline_passed" and "waited" not in found["late"]
