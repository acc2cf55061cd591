# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is being moved is told as a task tells it."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook

pytestmark = pytest.mark.timeout(300)

SESSION = {"session": "a" * 16, "role": "sender", "alive": True, "phase": "streaming", "owner": "source"}
TOLD = {"sessions": [SESSION], "claim": None, "changed": False}
AWAY = {"unreachable": True, "msg": "no route\nto host"}


def seen(playbook: Playbook, hosts: dict[str, t.Any], *arguments: str, **options: t.Any) -> dict[str, t.Any]:
    """Run the task; return its result."""
    task = {"hosts": hosts, "inventory": ["xen1", "xen2", "xen3"], **options}
    run = playbook.run(
        {"name": "Put it together", "dom0.xen.moves_seen": task, "register": "result", "ignore_errors": True},
        arguments=arguments,
    )
    assert run.rc == 0, run.log[-3000:]
    return run.results


def test_hosts_that_are_away_or_not_asked_are_named_and_hide_nothing(playbook: Playbook) -> None:
    """The result is also written, whole, but for check mode."""
    path = playbook.folder / "status.json"
    result = seen(playbook, {"xen1": TOLD, "xen2": AWAY}, "--check", result_path=str(path))
    assert not path.exists()
    result = seen(playbook, {"xen1": TOLD, "xen2": AWAY}, result_path=str(path))
    assert not result.get("failed") and result["counts"]["one_side"] == 1
    assert (result["silent"], result["not_asked"], result["complete"]) == (
        {"xen2": "no route to host"},
        ["xen3"],
        False,
    )
    assert result["warnings"] == [
        "xen2 told nothing: no route to host",
        "Not asked, since the limit leaves them out: xen3.",
    ]
    kept = json.loads(path.read_text())
    assert kept["moves"] == result["moves"] and kept["format"] == 1
    assert set(kept) <= set(result)


def test_it_fails_when_nobody_told_anything_or_the_file_cannot_be_written(playbook: Playbook) -> None:
    """An empty list would say that nothing moves."""
    result = seen(playbook, {"xen1": AWAY, "xen2": AWAY})
    assert (result["failed"], result["code"], result["moves"]) == (True, "nobody_answered", [])
    result = seen(playbook, {"xen1": TOLD}, result_path="/proc/status.json")
    assert (result["failed"], result["code"], len(result["moves"])) == (True, "result_not_written", 1)
