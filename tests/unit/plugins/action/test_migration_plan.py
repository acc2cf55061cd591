# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan says where nobody could look, as a real run of Ansible does it."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import DOM0, OTHER, host, row

pytestmark = pytest.mark.timeout(300)


def _plan(domain: str, **answers: dict[str, t.Any]) -> dict[str, t.Any]:
    options = {"domain": domain, "destination": "xen1", "hosts": answers}
    return {"name": "Plan", "dom0.xen.migration_plan": options, "ignore_errors": True}


def test_a_domain_is_only_unknown_when_every_host_was_asked(playbook: Playbook) -> None:
    """A host without an answer may have it: that fails with its cause; a domain found elsewhere is only warned of."""
    with_it = {"host": host("xen1").to_result()}
    without = {"host": host("xen1", domains=(DOM0,)).to_result()}
    web = {"host": host("xen2", domains=(DOM0, row("web", 5, OTHER))).to_result()}
    silent = {"unreachable": True, "msg": "Permission denied"}
    tasks = {
        "lost": _plan("centos", xen1=without, xen2=silent),
        "unknown": _plan("centos", xen1=without, xen2=web),
        "there": _plan("centos", xen1=with_it, xen2=silent),
    }
    together = "{" + ", ".join(f"'{name}': {name}" for name in tasks) + "}"
    found = playbook.run(*({**task, "register": name} for name, task in tasks.items()), register=together).results
    assert found["lost"]["failed"]
    assert found["lost"]["code"] == "domain_not_looked_for"
    assert (
        "xen2: host_unreachable: xen2 cannot be reached from the controller (Permission denied). Remedy:"
        in found["lost"]["msg"]
    )
    assert found["unknown"]["moves"][0]["uuid"] is None
    assert "The domains there are: xen1: none; xen2: web." in found["unknown"]["warnings"][0]
    assert found["there"]["warnings"] == ["Could not look for centos on: xen2."]


def _settings(playbook: Playbook, hosts: dict[str, dict[str, t.Any]] | None = None, skipped: int = 0) -> str:
    """Return what is said of the settings where 22 dom0s were to be asked and the last ones were left out.

    ``hosts`` are variables of some of them.
    """
    (playbook.folder / "more.yml").write_text(json.dumps({"all": {"hosts": hosts or {}}}))
    names = [f"xen{number}" for number in range(1, 23)]
    answers: dict[str, t.Any] = {name: {"host": host(name, domains=(DOM0,)).to_result()} for name in names}
    answers["xen1"] = {"host": host("xen1").to_result()}
    answers.update({name: {"skipped": True} for name in names[len(names) - skipped :]})
    task = {**_plan("centos", **answers), "register": "result"}
    found = playbook.run(task, arguments=("-i", str(playbook.folder / "more.yml"))).results
    return "\n".join(warning for warning in found["warnings"] if "look for centos" not in warning)


def test_settings_that_are_far_off_are_one_warning_of_the_run(playbook: Playbook) -> None:
    """What Ansible has from its environment or its file counts; the module's own warnings stay beside it."""
    playbook.environment = {"ANSIBLE_HOST_KEY_CHECKING": "false", "ANSIBLE_FORKS": "1"}
    playbook.host = {**playbook.host, "ansible_connection": "ssh"}
    told = _settings(playbook)
    assert "\n" not in told
    assert "host_key_checking is off: " in told and "forks is 1: 22 dom0s are asked in 22 turns" in told
    assert "pipelining is off: with 22 dom0s" in told


@pytest.mark.parametrize("way", ["file", "environment", "variable"])
def test_what_is_set_for_the_connection_alone_counts(playbook: Playbook, way: str) -> None:
    """The connection has a section, environment variables and variables of a host of its own."""
    hosts: dict[str, dict[str, t.Any]] = {}
    if way == "file":
        (playbook.folder / "none.cfg").write_text("[ssh_connection]\npipelining = true\nhost_key_checking = false\n")
    elif way == "environment":
        playbook.environment = {"ANSIBLE_SSH_PIPELINING": "true", "ANSIBLE_SSH_HOST_KEY_CHECKING": "false"}
    else:
        playbook.environment = {"ANSIBLE_HOST_KEY_CHECKING": "false"}
        hosts = {f"xen{number}": {"ansible_host_key_checking": True} for number in range(2, 22)}
        hosts["xen2"]["ansible_pipelining"] = "{{ 1 == 1 }}"
        hosts["xen3"]["ansible_ssh_pipelining"] = True
    told = _settings(playbook, hosts)
    # xen1 is here, where no host key is checked.
    where = "xen22" if way == "variable" else "xen2, xen3, xen4 and 18 more"
    assert f"host_key_checking is off for {where}: " in told
    assert "pipelining" not in told


def test_only_hosts_that_were_asked_count(playbook: Playbook) -> None:
    """With a source only two are, and for these Ansible's defaults are well."""
    playbook.environment = {"ANSIBLE_FORKS": "1"}
    assert _settings(playbook, {"xen22": {"ansible_host_key_checking": False}}, skipped=20) == ""
