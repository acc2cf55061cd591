# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that goes down and comes up again is waited for, whatever its connection does meanwhile, and not for ever."""

from __future__ import annotations

import typing as t

import pytest
from dom0_double.driver import commands
from dom0_double.driver.fixture import MakeSite, make_site

from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook
from ansible_collections.dom0.xen.tests.unit.plugins.action.connections import out_of_reach

__all__ = ["make_site"]

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(300)

BOOT_BEFORE = "6d3a1b2c-5c99-4441-b5fd-ac266d0e1ffe"


@pytest.fixture
def environment(make_site: MakeSite) -> dict[str, str]:
    """What makes a task's modules run on a host of the double."""
    return commands.environment(make_site("xen1")["xen1"].paths)


def wait(environment: dict[str, str], playbook: Playbook, **options: t.Any) -> dict[str, t.Any]:
    """Return the task that waits until the host is back."""
    places = {"runtime_path": "/dev/shm/dom0-xen-test", "journal_path": str(playbook.folder / "journals")}
    arguments = {**places, "interval": 1, **options}
    task = {"dom0.xen.maintenance_back": arguments, "environment": environment, "register": "result"}
    return {"name": "Wait", "ignore_errors": True, **task}


def test_a_host_that_is_down_for_a_while(playbook: Playbook, environment: dict[str, str]) -> None:
    """Neither the host nor the run is given up for a connection that fails, and it is another boot at the end."""
    down = out_of_reach(playbook, 3)
    run = playbook.run(wait(environment, playbook, boot_before=BOOT_BEFORE, release="4.1", timeout=120))
    assert run.rc == 0 and not run.results.get("failed"), run.log[-3000:]
    assert down.read_text() == ""
    assert run.results["waited_s"] >= 3.0 and run.results["changed"] is False
    assert run.results["boot_id"] not in ("", BOOT_BEFORE) and run.results["xen"].startswith("4.")


def test_a_host_that_stays_away(playbook: Playbook, environment: dict[str, str]) -> None:
    """That is an error of the task, with a remedy: an unreachable host would leave the play without a word."""
    out_of_reach(playbook, 1000)
    run = playbook.run(wait(environment, playbook, timeout=4))
    assert (run.results["failed"], run.results["code"]) == (True, "host_not_back"), run.log[-3000:]
    assert not run.results.get("unreachable")
    assert "xen1 is not back after" in run.results["msg"] and "no route to host" in run.results["msg"]
    assert "run the same command again" in run.results["msg"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"release": "99"}, "not 99 or later"),
        ({"bridges": ["xenbr99"]}, "it does not have the bridges it had: xenbr99"),
    ],
)
def test_a_host_that_answers_and_is_not_as_it_was(
    playbook: Playbook, environment: dict[str, str], options: dict[str, t.Any], told: str
) -> None:
    """It is looked at again until the time is over, since what is lacking may come; then the message names it."""
    run = playbook.run(wait(environment, playbook, timeout=4, **options))
    assert (run.results["failed"], run.results["code"]) == (True, "host_not_back"), run.log[-3000:]
    assert told in run.results["msg"]


def test_a_release_that_is_none(playbook: Playbook, environment: dict[str, str]) -> None:
    """It is refused at once, and not when the host has been waited for."""
    out_of_reach(playbook, 1000)
    run = playbook.run(wait(environment, playbook, release="newest", timeout=1000))
    assert (run.results["failed"], run.results["code"]) == (True, "release_invalid")
