# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit takes what host_info returned, in whatever way it ended, and fails when it was asked to."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts, Monitor
from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import DOM0, host, row

pytestmark = pytest.mark.timeout(300)

MONITOR = Monitor(9, "xl create", True, 3, "centos")
GONE: dict[str, t.Any] = {"unreachable": True, "msg": "no route to host"}


def info(facts: HostFacts) -> dict[str, t.Any]:
    """Return what host_info gives for these facts."""
    return {"changed": False, "host": facts.to_result()}


HERE = info(host("xen1", monitors=(MONITOR,)))
ALSO_THERE = info(host("xen2", domains=(DOM0, row()), monitors=(MONITOR,)))
EMPTY = info(host("xen2"))


def task(name: str, **options: t.Any) -> dict[str, t.Any]:
    """Return a task that registers its result under this name."""
    arguments = {"inventory": sorted(options["hosts"]), **options}
    return {"name": name, "dom0.xen.domain_audit": arguments, "ignore_errors": True, "register": name}


def run(playbook: Playbook, *tasks: dict[str, t.Any], arguments: t.Sequence[str] = ()) -> dict[str, t.Any]:
    """Run the tasks; return their results by name."""
    together = "{" + ", ".join(f"'{entry['register']}': {entry['register']}" for entry in tasks) + "}"
    return playbook.run(*tasks, register=together, arguments=arguments).results


def test_what_fails(playbook: Playbook, tmp_path: pathlib.Path) -> None:
    """As severe as asked for; a host that is gone or whose module failed is an error; a result that is not written."""
    unwatched = info(host("xen1"))
    found = run(
        playbook,
        task("clean", hosts={"xen1": HERE, "xen2": EMPTY}, fail_on="warning"),
        task("twice", hosts={"xen1": HERE, "xen2": ALSO_THERE}),
        task("told", hosts={"xen1": HERE, "xen2": ALSO_THERE}, fail_on="never"),
        task("warned", hosts={"xen1": unwatched}),
        task("strict", hosts={"xen1": unwatched}, fail_on="warning"),
        task("gone", hosts={"xen1": HERE, "xen2": GONE}),
        task("broken", hosts={"xen1": HERE, "xen2": {"failed": True, "msg": "no python here"}}),
        task("full", hosts={"xen1": HERE}, result_path="/proc/no/result.json"),
    )
    assert {name: (bool(result.get("failed")), result.get("code")) for name, result in found.items()} == {
        "clean": (False, None),
        "twice": (True, "running_twice"),
        "told": (False, None),
        "warned": (False, None),
        "strict": (True, "monitor_missing"),
        "gone": (True, "host_unreachable"),
        "broken": (True, "host_without_facts"),
        "full": (True, "result_not_written"),
    }
    assert {name: result["passed"] for name, result in found.items()} == {
        name: not result.get("failed") for name, result in found.items()
    }
    assert found["clean"]["clean"] and found["clean"]["msg"] == "2 hosts, 1 domain: nothing wrong."
    assert "xen2 did not answer: no route to host." in found["gone"]["msg"]
    assert "xen2 did not tell its domains: no python here." in found["broken"]["msg"]
    assert found["told"]["look_again"] == ["xen1", "xen2"]


def test_the_second_look_counts(playbook: Playbook) -> None:
    """A domain that moved between two looks runs once; a host that is gone by now is silent, and skipped ones are as
    they were.
    """
    looks = {"hosts": {"xen1": HERE, "xen2": ALSO_THERE}}
    left = info(host("xen1", domains=(DOM0,)))
    found = run(
        playbook,
        task("moved", **looks, hosts_again={"xen1": left, "xen2": {"skipped": True, "changed": False}}),
        task("gone", **looks, hosts_again={"xen1": left, "xen2": GONE}),
    )
    assert found["moved"]["clean"]
    assert (found["gone"]["code"], found["gone"]["silent"]) == ("host_unreachable", ["xen2"])


def test_the_result_is_written_except_in_check_mode(playbook: Playbook, tmp_path: pathlib.Path) -> None:
    """Also when the audit fails: that is when somebody wants to read it."""
    path = tmp_path / "audit.json"
    twice = task("twice", hosts={"xen1": HERE, "xen2": ALSO_THERE}, inventory=["xen1", "xen2", "xen3"])
    twice["dom0.xen.domain_audit"]["result_path"] = str(path)
    assert run(playbook, twice, arguments=["--check"])["twice"]["failed"]
    assert not path.exists()
    run(playbook, twice)
    written = json.loads(path.read_text())
    assert (written["format"], written["complete"], written["silent"]) == (1, False, ["xen3"])
    assert written["counts"] == {"error": 1, "warning": 1, "info": 0}
    assert [finding["code"] for finding in written["findings"]] == ["running_twice", "host_not_asked"]
    assert [copy["host"] for copy in written["findings"][0]["copies"]] == ["xen1", "xen2"]
