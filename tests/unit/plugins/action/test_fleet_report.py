# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a task writes it, through a real ansible-playbook."""

from __future__ import annotations

import json
import pathlib
import stat
import typing as t

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet_report.runs import (
    BEGAN,
    Document,
    evening,
    planned,
    refusal,
    result,
)

pytestmark = pytest.mark.timeout(300)


def task(path: pathlib.Path, **options: t.Any) -> Document:
    """Return the task that writes a report."""
    return {"name": "Write", "dom0.xen.fleet_report": {"path": str(path), **options}, "register": "result"}


def test_the_report_of_a_run_is_written_beside_its_json(playbook: Playbook) -> None:
    """Both whole and readable for everybody, in a folder that is made; the sums are returned, nothing is changed."""
    left, target = evening(), playbook.folder / "made" / "evening.html"
    options = {"planned": left.planned, "results": left.results, "refused": left.refused, "blockers": left.blockers}
    looks = {"hosts_before": left.before, "hosts_after": left.after}
    run = playbook.run(task(target, title="Emptying", began_s=BEGAN, ended_s=BEGAN + 460, **options, **looks))
    assert run.rc == 0, run.log[-3000:]
    told = run.results
    assert (told["changed"], told["charts"], told["charts_missing"]) == (False, True, "")
    assert told["html_path"] == str(target) and told["json_path"] == str(target.with_suffix(".json"))
    assert told["totals"]["counts"]["moved"] == 27 and told["msg"].startswith(told["summary"])
    assert sorted(path.name for path in target.parent.iterdir()) == ["evening.html", "evening.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in target.parent.iterdir()} == {0o644}
    document = json.loads(target.with_suffix(".json").read_text())
    assert document["totals"] == told["totals"] and len(document["moves"]) == 31
    assert " on " in document["run"]["by"]
    page = target.read_text()
    assert page.startswith("<!DOCTYPE html>") and page.count("<svg ") == 2 and "<script" not in page


def test_what_the_role_has_left_is_taken_from_the_hosts_that_stand_for_moves(playbook: Playbook) -> None:
    """Whoever planned the moves has no more to hand over: results, and what the check has refused."""
    done, refused, silent = planned(1, "a"), planned(2, "b"), planned(3, "c")
    left: dict[str, Document] = {
        done["host"]: {"migrate_result": result(1, "a", 5), "__migrate_check": {"action": "migrate"}},
        refused["host"]: {"migrate_result": {}, "__migrate_check": refusal(refused)["check"]},
        silent["host"]: {},
    }
    hosts = [
        {"name": f"Make {host}", "ansible.builtin.add_host": {"name": host, **values}} for host, values in left.items()
    ]
    run = playbook.run(*hosts, task(playbook.folder / "a", planned=[done, refused, silent], charts=False))
    assert run.rc == 0, run.log[-3000:]
    counts = {outcome: count for outcome, count in run.results["totals"]["counts"].items() if count}
    assert counts == {"moved": 1, "refused": 1, "not_done": 1}
    document = json.loads((playbook.folder / "a.json").read_text())
    assert {move["outcome"]: move["name"] for move in document["moves"]} == {
        **{"moved": "a", "refused": "b", "not_done": "c"}
    }
    assert "There are no charts" in (playbook.folder / "a.html").read_text()


def test_without_matplotlib_there_is_a_report_that_says_so(playbook: Playbook) -> None:
    """It is no failure: every figure is in the tables. The result has the reason and the remedy."""
    broken = playbook.folder / "broken"
    broken.mkdir()
    (broken / "matplotlib.py").write_text("raise ImportError('its numpy is another one')\n")
    playbook.environment["PYTHONPATH"] = str(broken)
    run = playbook.run(task(playbook.folder / "a.html", results=[result(1, "a", 5)]))
    assert run.rc == 0, run.log[-3000:]
    assert run.results["charts"] is False
    assert "its numpy is another one. Remedy: Install matplotlib" in run.results["charts_missing"]
    assert run.results["charts_missing"] in run.results["msg"]
    assert "Install matplotlib" in (playbook.folder / "a.html").read_text()


@pytest.mark.parametrize("state", ["present", "tried"])
def test_a_place_that_cannot_be_written_is_told(playbook: Playbook, state: str) -> None:
    """With the path; what cannot be written is not half there."""
    (playbook.folder / "file").write_text("")
    run = playbook.run(task(playbook.folder / "file" / "a.html", state=state) | {"ignore_errors": True})
    assert run.results["failed"] and run.results["code"] == "result_not_written"
    assert f"{playbook.folder}/file/a." in run.results["msg"] and "Remedy: " in run.results["msg"]


def test_a_folder_in_its_place_is_told_before_the_run(playbook: Playbook) -> None:
    """Afterwards it is too late to choose another one."""
    (playbook.folder / "a.html").mkdir()
    run = playbook.run(task(playbook.folder / "a.html", state="tried") | {"ignore_errors": True})
    assert run.results["code"] == "result_not_written" and "Is a directory" in run.results["msg"]


@pytest.mark.parametrize("options", [{"state": "tried"}, {}])
def test_nothing_is_written_in_check_mode_or_when_only_tried(playbook: Playbook, options: Document) -> None:
    """An earlier report stays as it was."""
    target = playbook.folder / "a.html"
    target.write_text("earlier")
    run = playbook.run(
        task(target, **options),
        arguments=[] if options else ["--check"],
    )
    assert run.rc == 0 and not run.results.get("failed", False), run.log[-3000:]
    assert target.read_text() == "earlier" and not target.with_suffix(".json").exists()
