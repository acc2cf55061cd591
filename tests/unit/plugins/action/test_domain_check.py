# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The question is taken as the playbook asks it, the answer is written, and a no fails."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import CHECK, DOMAIN_CHECK
from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils.test_outlook import BOTH, HOSTS, INVENTORY

pytestmark = pytest.mark.timeout(300)

ODD = {"cpu_policy": {"features": "bfebfbff"}}
SKIPPED = {"skipped": True, "changed": False}


def task(name: str, **options: t.Any) -> dict[str, t.Any]:
    """Return a task that registers its result under this name."""
    arguments = {"hosts": HOSTS, "domain_info": BOTH, "inventory": list(INVENTORY), **options}
    return {"name": name, "dom0.xen.domain_check": arguments, "ignore_errors": True, "register": name}


def run(playbook: Playbook, *tasks: dict[str, t.Any], arguments: t.Sequence[str] = ()) -> dict[str, t.Any]:
    """Run the tasks; return their results by name."""
    together = "{" + ", ".join(f"'{entry['register']}': {entry['register']}" for entry in tasks) + "}"
    return playbook.run(*tasks, register=together, arguments=arguments).results


def test_a_no_fails_and_is_written(playbook: Playbook, tmp_path: pathlib.Path) -> None:
    """Also where the file cannot be written, or nothing was asked."""
    path = tmp_path / "check.json"
    found = run(
        playbook,
        task("emptied", source="xen1"),
        task("taken", domain="centos", destination="xen2"),
        task("two", domain="centos", source="xen1", destination="xen2", hosts={**HOSTS, "xen3": SKIPPED}),
        task("refused", source="xen1", waive="all,name_taken", result_path=str(path)),
        task("elsewhere", domain="centos", destination="xen2", network="192.0.2.0/24", listen_address="192.0.2.99"),
        task("within", source="xen1", destination="xen1", allow_same_host=True),
        task("nothing"),
        task("half", domain="centos"),
        task("full", source="xen1", result_path="/proc/no/check.json"),
        task("odd", domain="centos", destination="xen2", domain_info={"domains": [{**BOTH["domains"][1], **ODD}]}),
    )
    assert {name: (bool(result.get("failed")), result.get("code")) for name, result in found.items()} == {
        "emptied": (False, None),
        "taken": (False, None),
        "two": (False, None),
        "refused": (True, "waiver_unknown"),
        "elsewhere": (True, "network_contradicts"),
        "within": (True, "same_host"),
        "nothing": (True, "question_incomplete"),
        "half": (True, "question_incomplete"),
        "full": (True, "result_not_written"),
        "odd": (True, "cpu_policy_invalid"),
    }
    assert all(result["possible"] is not bool(result.get("failed")) for result in found.values())
    assert found["emptied"]["domains"][0]["hosts"] == ["xen2", "xen3"]
    assert found["emptied"]["summary"] == found["emptied"]["msg"].splitlines()[0]
    assert not any(result["changed"] for result in found.values())
    written = json.loads(path.read_text())
    assert (written["format"], written["possible"], written["waive"]) == (1, False, ["all", "name_taken"])
    assert [finding["code"] for finding in written["findings"]] == ["waiver_unknown", "waiver_forbidden"]


def test_it_can_be_asked_with_all_that_a_move_is_asked_with() -> None:
    """Else it says yes where the move is refused. What is left out are places, and facts that come another way here."""
    places = {"source_journal_path", "destination_journal_path"}
    facts = {"source_info", "destination_info", "config_path"}
    assert set(CHECK) - places - facts <= set(DOMAIN_CHECK)


def test_check_mode_writes_nothing(playbook: Playbook, tmp_path: pathlib.Path) -> None:
    """The answer is the same."""
    path = tmp_path / "check.json"
    asked = task("asked", source="xen1", result_path=str(path))
    assert run(playbook, asked, arguments=["--check"])["asked"]["possible"]
    assert not path.exists()
