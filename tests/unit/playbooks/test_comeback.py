# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a guest goes on after a move that was undone is told, above all where its Xen cannot bring it back."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User

pytestmark = pytest.mark.timeout(600)

REFUSED = """---
- name: Say no
  ansible.builtin.fail:
    msg: no storage for it there
"""
NOTHING = """---
- name: Undo nothing
  ansible.builtin.debug:
    msg: nothing was done
"""
HEARD = "its guest has shown no sign of life"


def undone(site: Site, folder: pathlib.Path, *arguments: str) -> tuple[User, str]:
    """Have a move undone at the gate; return who did it, and the log."""
    user = User(site, folder)
    tasks, undo = folder / "refused.yml", folder / "undo.yml"
    tasks.write_text(REFUSED)
    undo.write_text(NOTHING)
    gate = ("-e", "migrate_gate=controller", "-e", f"migrate_gate_tasks={tasks}")
    back = ("-e", f"migrate_gate_undo_tasks={undo}")
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *gate, *back, *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2, log[-4000:]
    assert (user.result["end_state"], user.result["owner"]) == ("stayed", "source"), log[-4000:]
    return user, log


@pytest.fixture
def site(tmp_path: pathlib.Path) -> t.Iterator[Site]:
    """Nothing yet."""
    site = Site(tmp_path / "double")
    yield site
    site.down()


def test_a_guest_that_goes_on_is_seen_alive(site: Site, tmp_path: pathlib.Path) -> None:
    """Which costs a look, and is in the result."""
    site.up(["xen1", "xen2"], python=sys.executable)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    user, log = undone(site, tmp_path)
    assert (user.result["liveness"]["alive"], user.result["liveness"]["signs"]) == (True, ["cpu_time"])
    assert HEARD not in log and "life_unproven" not in {one["code"] for one in user.result["remarks"]}


def test_a_guest_that_its_xen_resumes_wrongly_is_told_of(site: Site, tmp_path: pathlib.Path) -> None:
    """Before, and after: it is listed as running, and nothing else would say that its kernel has stopped."""
    site.up(["xen1", "xen2"], python=sys.executable, xen_minor=14)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    user, log = undone(site, tmp_path, "-e", "migrate_liveness_timeout=2")
    assert "resume_broken" in {finding["code"] for finding in user.result["findings"]}
    assert user.result["liveness"]["alive"] is None and user.result["liveness"]["state"] == "running"
    assert HEARD in log and "xl console centos" in log
    assert [one["host"] for one in user.result["remarks"] if one["code"] == "life_unproven"] == ["xen1"]
    # A guest that has stopped does not suspend any more.
    site["xen1"].run("xl", "destroy", "centos")
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    asked_not = undone(site, tmp_path, "-e", "migrate_liveness=false")
    assert asked_not[0].result["liveness"] is None and HEARD not in asked_not[1]
