# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to move a domain: ``suspend`` and ``auto`` over two dom0s of the double, as a user runs them."""

from __future__ import annotations

import pathlib
import subprocess
import time
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, where

pytestmark = pytest.mark.timeout(600)

SUSPEND = ("-e", "migrate_method=suspend")


@pytest.fixture(params=["pv"])
def site(request: pytest.FixtureRequest, make_site: MakeSite) -> Site:
    """Two hosts whose Xen has no shadow paging, a PV guest on xen1."""
    site = make_site("xen1", "xen2", suspend_timeout_s=2.0)
    site["xen1"].start_guest(GuestConfig(kind=request.param, memory_mib=16, compact=True))
    for host in site.hosts.values():
        host.record_points()
    return site


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
    assert user.result["method_reason"].startswith("the memory of a running PV domain cannot be followed")
    assert user.result["end_state"] == "moved"
    assert where(user.site) == "xen2"
    assert user.site["xen1"].domains() == []
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
@pytest.mark.parametrize("method", ["live", "suspend"])
def test_a_guest_that_does_not_suspend_in_time(user: User, method: str) -> None:
    """It is named as the cause, with what can be done about it, and is let go on when it suspends after all."""
    source = user.site["xen1"]
    # Long after xl and the session have given up, also on a busy machine: one that suspends as they end is settled.
    source.behave("centos", suspend_s=45.0)
    before = source.guest("centos")
    status, log = run(user, "-e", f"migrate_method={method}")
    assert status != 0
    error = user.result["error"]
    assert error["code"] == "guest_ignores_suspend", log[-4000:]
    assert "migrate_method: cold" in error["remedy"] and error["remedy"] in log
    assert (user.result["owner"], user.result["end_state"]) == ("source", "stayed")
    assert where(user.site) == "xen1"
    after = source.guest("centos")
    assert before and after and before["boot_id"] == after["boot_id"]
    assert user.site["xen2"].domains() == []


@pytest.mark.parametrize("site", ["pvh"], indirect=True)
@pytest.mark.parametrize("point", ["save.saved", "save.paused"])
def test_killed_saving(user: User, point: str) -> None:
    """What stands for xl migrate is killed with the guest suspended, or paused: it runs on in the end."""
    user.site["xen1"].faults({"point": point, "action": "kill_parent"})
    status, log = run(user, *SUSPEND)
    assert status != 0
    assert where(user.site) == "xen1", log[-3000:]


def until(process: subprocess.Popen[str], condition: t.Callable[[], bool]) -> None:
    """Wait until something is so, while a run goes on."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def paused(site: Site, name: str) -> bool:
    """Whether xen1 has a paused domain of this name."""
    return any(domain["name"] == name and domain["paused"] for domain in site["xen1"].domains())


@pytest.mark.parametrize("site", ["pvh"], indirect=True)
def test_a_copy_that_somebody_unpauses_never_gives_the_permission(user: User) -> None:
    """While the destination attaches devices the source's copy is paused under its own name, for all to see."""
    site = user.site
    site["xen2"].faults({"point": "receive.restored", "action": "stall", "seconds": 5})
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *SUSPEND)
    until(process, lambda: paused(site, "centos"))
    site["xen1"].run("xl", "unpause", "centos")
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode != 0
    assert "is running after xl save, not paused" in log
    assert where(site) == "xen1"
    assert site.overlaps(GUEST) == []
    assert site["xen2"].domains() == []


@pytest.mark.parametrize("site", ["pvh"], indirect=True)
def test_nor_does_the_controller_for_it(user: User, tmp_path: pathlib.Path) -> None:
    """The tasks at the gate may take minutes, and the pause is looked at once more after them."""
    tasks, undo, go = tmp_path / "tasks.yml", tmp_path / "undo.yml", tmp_path / "go"
    tasks.write_text(f"- ansible.builtin.wait_for:\n    path: {go}\n  delegate_to: localhost\n")
    undo.write_text("- ansible.builtin.debug:\n    msg: undone\n")
    files = (f"migrate_gate_tasks={tasks}", f"migrate_gate_undo_tasks={undo}")
    gate = [word for text in ("migrate_gate=controller", *files) for word in ("-e", text)]
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *SUSPEND, *gate)
    until(process, lambda: paused(user.site, "centos--migratedaway"))
    time.sleep(1)
    user.site["xen1"].run("xl", "unpause", "centos--migratedaway")
    go.touch()
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode != 0
    assert "is running after xl save, not paused" in log
    assert where(user.site) == "xen1"
    assert user.site.overlaps(GUEST) == []


@pytest.mark.parametrize("site", ["pvh"], indirect=True)
def test_a_shutdown_asked_for_meanwhile_ends_it(user: User) -> None:
    """While the destination makes its domain somebody shuts the guest down: nothing waits for ever for a guest."""
    site = user.site
    site["xen2"].faults({"point": "receive.config", "action": "stall", "seconds": 5})
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *SUSPEND)
    until(process, lambda: "receive.config" in site["xen2"].points())
    site["xen1"].run("xl", "shutdown", "centos")
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode != 0, log
    assert site["xen2"].domains() == []


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
    assert user.site["xen2"].domains() == []
