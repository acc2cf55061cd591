# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a run over many hosts is told by the plugins that its playbooks call."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import DOM0, host

pytestmark = pytest.mark.timeout(300)

DONE = {"number": 1, "uuid": "u1", "name": "a", "source": "xen1", "destination": "xen2", "after": [], "host": "a@xen1"}
MOVED = {"a@xen1": {"end_state": "moved", "domain": {"uuid": "u1", "name": "a"}, "destination": "xen2"}}
BLOCKER = {"uuid": "u2", "name": "b", "host": "xen1", "code": "never_move", "why": "it is never to be moved."}
STOP = {"uuid": "u3", "name": "c", "host": "xen1"}


def run(playbook: Playbook, **tasks: tuple[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    """Run a task for each; return their results by name."""
    made = [
        {"name": name, f"dom0.xen.{plugin}": options, "ignore_errors": True, "register": name}
        for name, (plugin, options) in tasks.items()
    ]
    return playbook.run(*made, register="{" + ", ".join(f"'{name}': {name}" for name in tasks) + "}").results


def test_a_host_that_stays_closed_is_told(playbook: Playbook) -> None:
    """With the command that opens it, for this run's inventory; not when this run has. And who had closed it before."""
    closed = {"reason": "it is being emptied", "by": "alice", "run": "evacuate xen1", "since_s": 1.0, "since": "then"}
    seen = {"host": host("xen1", domains=(DOM0,), closed=closed).to_result(), "changed": False}
    options = {"selected": ["xen1"], "seen": {"xen1": seen}}
    skipped, opened = {"changed": False, "skipped": True}, {"changed": True, "mark": closed}
    found = run(
        playbook,
        closed=("evacuation_result", {**options, "opened": {"xen1": skipped}}),
        opened=("evacuation_result", {**options, "opened": {"xen1": opened}}),
        silent=("evacuation_result", {**options, "seen": {"xen1": {"unreachable": True, "msg": "no route"}}}),
        his=("evacuation_result", {**options, "opened": {"xen1": {"changed": False, "closed": True, "mark": closed}}}),
    )
    command = f"ansible -i {playbook.folder / 'inventory.yml'} xen1 -m dom0.xen.host_arrivals -a 'state=open'"
    assert f"xen1 is still closed to arrivals; to open it: {command}" in found["closed"]["msg"]
    assert found["closed"]["hosts"][0]["closed"] and found["closed"]["empty"]
    assert "closed" not in found["opened"]["msg"]
    assert "xen1 may still be closed to arrivals" in found["silent"]["msg"]
    assert f"xen1 is still closed to arrivals, by alice before this run; to open it: {command}" in found["his"]["msg"]
    assert found["his"]["hosts"][0]["closed_before"] == closed and found["his"]["hosts"][0]["closed"]


def test_a_plan_is_read_where_it_was_written(playbook: Playbook) -> None:
    """The playbook plan takes ``~`` for the user's home; no shell does where the path comes from a file or from AWX."""
    found = run(playbook, home=("plan_progress", {"path": "~/no-such-plan.yml", "hosts": {}}))
    assert found["home"]["failed"] and "/no-such-plan.yml cannot be read: No such file" in found["home"]["msg"]
    assert "~" not in found["home"]["msg"]


def test_what_is_left(playbook: Playbook, tmp_path: pathlib.Path) -> None:
    """A plan that leaves domains is not done with its moves, nor is a run with an interrupted migration."""
    moves = {"moves": [{**DONE, "state": "to_do"}], "results": MOVED}
    session = {"session": "s1", "uuid": "u1", "name": "a", "source": "xen1", "destination": "xen2"}
    plan = tmp_path / "plan.yml"
    plan.write_text("---\n")
    found = run(
        playbook,
        done=("moves_compare", moves),
        blocked=("moves_compare", {**moves, "blockers": [BLOCKER], "stops": [STOP]}),
        allowed=("moves_compare", {**moves, "blockers": [BLOCKER], "leave": True}),
        unsettled=("evacuation_result", {"selected": [], "seen": {}, "sessions": [session]}),
        two=("plan_progress", {"path": str(plan), "plan": "another", "hosts": {}}),
    )
    assert {name: bool(result.get("failed")) for name, result in found.items()} == {
        "done": False,
        "blocked": True,
        "allowed": False,
        "unsettled": True,
        "two": True,
    }
    assert found["done"]["complete"] and not found["blocked"]["complete"] and found["allowed"]["complete"]
    for name in ("blocked", "allowed"):
        assert "left: b stays on xen1: it is never to be moved." in found[name]["msg"]
    assert "left: c is to be shut down on xen1 (tag stop_for_maintenance)." in found["blocked"]["msg"]
    assert found["unsettled"]["code"] == "unsettled" and not found["unsettled"]["complete"]
    assert "dom0.xen.settle -e domain=u1" in found["unsettled"]["msg"]
    assert "two plans are given" in found["two"]["msg"]
