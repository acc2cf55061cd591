# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to move a domain: ``suspend`` and ``auto`` over two dom0s of the double, as a user runs them."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User, where

pytestmark = pytest.mark.timeout(600)

SUSPEND = ("-e", "migrate_method=suspend")


@pytest.fixture(params=["pv"])
def site(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> t.Iterator[Site]:
    """Two hosts whose Xen has no shadow paging, a PV guest on xen1."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable, suspend_timeout_s=2.0)
    site["xen1"].start_guest(GuestConfig(kind=request.param, memory_mib=16, compact=True))
    for host in site.hosts.values():
        host.record_points()
    yield site
    left = site.down()
    assert left == []


@pytest.fixture
def user(site: Site, tmp_path: pathlib.Path) -> User:
    """Somebody with an empty folder."""
    (tmp_path / "user").mkdir()
    return User(site, tmp_path / "user")


def run(user: User, *arguments: str) -> tuple[int, str]:
    """Try to move the guest to xen2; return the status and the log."""
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    return process.returncode, log


def test_what_cannot_be_moved_live_is_suspended(user: User) -> None:
    """Auto says which way it takes and why; the domain runs at the destination, and both copies never did."""
    log = user.move("xen2")
    assert "suspended for the whole of the transfer, the memory of a running PV domain cannot be followed" in log
    assert user.result["method"] == "suspend"
    assert user.result["end_state"] == "moved"
    assert where(user.site) == "xen2"
    assert user.site["xen1"].domains()[1:] == []
    assert user.site["xen1"].passed("migrate.begin") == []


def test_live_asked_for_by_name_is_refused_with_the_way_out(user: User) -> None:
    """The guest is untouched."""
    status, log = run(user, "-e", "migrate_method=live")
    assert status != 0
    assert "migrate_method to suspend, or to auto" in log
    assert where(user.site) == "xen1"


@pytest.mark.parametrize("site", ["pvh"], indirect=True)
def test_the_guest_runs_until_the_destination_has_its_domain(user: User) -> None:
    """Where the destination cannot make it, the guest never stands still."""
    user.site["xen2"].faults({"point": "receive.config", "action": "exit", "status": 1})
    status, dummy = run(user, *SUSPEND)
    assert status != 0
    assert user.result["end_state"] == "stayed"
    assert where(user.site) == "xen1"
    assert user.site["xen1"].passed("save.saved") == []


@pytest.mark.parametrize("site", ["pvh"], indirect=True)
def test_a_destination_that_cannot_start_it_gives_it_back(user: User) -> None:
    """The pause is taken away again."""
    user.site["xen2"].faults({"point": "receive.renamed", "action": "status", "status": 6})
    status, dummy = run(user, *SUSPEND)
    assert status != 0
    assert user.result["end_state"] == "stayed"
    assert where(user.site) == "xen1"


@pytest.mark.parametrize("site", ["pvh"], indirect=True)
@pytest.mark.parametrize("point", ["save.saved", "save.paused"])
def test_killed_saving(user: User, point: str) -> None:
    """What stands for xl migrate is killed with the guest suspended, or paused: it runs on in the end."""
    user.site["xen1"].faults({"point": point, "action": "kill_parent"})
    status, log = run(user, *SUSPEND)
    assert status != 0
    assert where(user.site) == "xen1", log[-3000:]


@pytest.mark.parametrize("site", ["pvh"], indirect=True)
def test_a_refusal_at_the_gate_lets_it_go_on(user: User, tmp_path: pathlib.Path) -> None:
    """The destination's copy is gone, the source's is not paused any more."""
    tasks = tmp_path / "tasks.yml"
    tasks.write_text("- ansible.builtin.fail:\n    msg: no\n")
    undo = tmp_path / "undo.yml"
    undo.write_text("- ansible.builtin.debug:\n    msg: undone\n")
    gate = (
        "-e",
        "migrate_gate=controller",
        "-e",
        f"migrate_gate_tasks={tasks}",
        "-e",
        f"migrate_gate_undo_tasks={undo}",
    )
    status, dummy = run(user, *SUSPEND, *gate)
    assert status != 0
    assert user.result["end_state"] == "stayed"
    assert where(user.site) == "xen1"
    assert user.site["xen2"].domains()[1:] == []
