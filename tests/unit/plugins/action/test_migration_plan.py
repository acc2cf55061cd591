# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan says where nobody could look, as a real run of Ansible does it."""

from __future__ import annotations

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


def test_settings_that_are_far_off_are_one_warning_of_the_run(playbook: Playbook) -> None:
    """What Ansible has from its environment or its file counts; the module's own warnings stay beside it."""
    playbook.environment = {"ANSIBLE_HOST_KEY_CHECKING": "false", "ANSIBLE_FORKS": "1"}
    answers = {f"xen{number}": {"host": host(f"xen{number}", domains=(DOM0,)).to_result()} for number in range(3, 23)}
    with_it = {"host": host("xen1").to_result()}
    found = playbook.run({**_plan("centos", xen1=with_it, **answers), "register": "result"}).results
    (told,) = found["warnings"]
    assert "host_key_checking is off" in told and "forks is 1: 21 dom0s are asked in 21 turns" in told
    assert "pipelining is off" in told
