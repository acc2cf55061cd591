# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that gather facts return what their documentation says, on hosts in any state."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.dom0.xen.plugins.module_utils import _records
from ansible_collections.dom0.xen.plugins.module_utils._facts import cpu_policy, equipment_records
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.modules import domain_info, fleet_info, host_info, migration_info


def _documented(text: str, *path: str) -> set[str]:
    found: t.Any = yaml.safe_load(text)
    for name in path:
        found = found[name]["contains"] if "contains" in found[name] else found[name]["sample"]
    return set(found[0] if isinstance(found, list) else found)


def _fields(record: type[Record]) -> set[str]:
    return {field.name for field in dataclasses.fields(record)}


RETURNED: list[tuple[str, tuple[str, ...], type[Record]]] = [
    (host_info.RETURN, ("host",), _records.HostFacts),
    (host_info.RETURN, ("host", "xen"), _records.XenFacts),
    (host_info.RETURN, ("host", "addresses"), _records.Address),
    (host_info.RETURN, ("host", "domains"), _records.DomainRow),
    (host_info.RETURN, ("host", "sessions"), _records.SessionSeen),
    (host_info.RETURN, ("host", "problems"), _records.Problem),
    (host_info.RETURN, ("host", "autostart"), _records.AutostartEntry),
    (host_info.RETURN, ("host", "hands"), _records.Hand),
    (host_info.RETURN, ("host", "monitors"), _records.Monitor),
    (host_info.RETURN, ("host", "cluster"), _records.ClusterFacts),
    (host_info.RETURN, ("host", "cluster", "resources"), _records.ClusterResource),
    (host_info.RETURN, ("host", "equipment"), equipment_records.Equipment),
    (host_info.RETURN, ("host", "equipment", "disks"), equipment_records.Disk),
    (host_info.RETURN, ("host", "equipment", "mounts"), equipment_records.Mount),
    (host_info.RETURN, ("host", "equipment", "processor"), equipment_records.Processor),
    (domain_info.RETURN, ("domains",), _records.DomainFacts),
    (domain_info.RETURN, ("domains", "state"), _records.DomainState),
    (domain_info.RETURN, ("domains", "cpu_policy"), cpu_policy.Policy),
    (domain_info.RETURN, ("domains", "xenstore"), _records.XenStoreFacts),
    (domain_info.RETURN, ("problems",), _records.Problem),
]


@pytest.mark.parametrize(("text", "path", "record"), RETURNED, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_returned_is_documented(text: str, path: tuple[str, ...], record: type[Record]) -> None:
    """A key that is added to a record appears in ansible-doc, and none is promised that does not come."""
    assert _documented(text, *path) == _fields(record)


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("module", [host_info, domain_info, fleet_info])
def test_module_answers_on_a_machine_without_xen(
    module: t.Any, check_mode: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It succeeds, changes nothing, and says what is missing; check mode gives the same answer."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("XENSTORED_PATH", "/nonexistent")
    arguments = {"_ansible_check_mode": check_mode, "runtime_path": "/dev/shm/dom0-xen-test"}
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        module.main()
    result = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0 and result["changed"] is False
    problems = result["host"]["problems"] if "host" in result else result["problems"]
    assert any(problem["code"] in ("xl_missing", "no_xen") for problem in problems)


def test_sessions_may_be_asked_for_without_naming_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The documentation says so; on a machine without Xen the module gets as far as asking xl."""
    monkeypatch.setenv("PATH", "/nonexistent")
    with patch_module_args({"runtime_path": "/dev/shm/dom0-xen-test"}), pytest.raises(SystemExit):
        migration_info.main()
    assert json.loads(capsys.readouterr().out)["code"] in ("xl_missing", "no_xen")


def test_too_large_facts_are_a_failure_that_says_how_large(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Domains that are left out without a word would be lost when their host is emptied."""
    monkeypatch.setattr(fleet_info, "LARGEST_BYTES", 1)
    arguments = {"runtime_path": "/dev/shm/dom0-xen-test"}
    with patch_module_args(arguments), pytest.raises(SystemExit):
        fleet_info.main()
    result = json.loads(capsys.readouterr().out)
    assert (result["failed"], result["code"]) == (True, "facts_too_large")
    assert "have 2 bytes" in result["msg"]
