# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller dies in the middle of a move: what its caller wanted to be run after it is not lost."""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import time
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, read_until, where

pytestmark = pytest.mark.timeout(600)

# One line for each time it is run, with all that such tasks are promised to find.
AFTER = """---
- name: Close the storage where the domain is not
  ansible.builtin.shell: >-
    echo {{ migrate_domain }} {{ migrate_source }} {{ migrate_destination }} {{ migrate_result.owner }} >>{{ closed }}
  delegate_to: localhost
  changed_when: true
"""
OWED = "the tasks that come after its move from xen1 to xen2 (migrate_after_tasks) are not on record as run"


class Owner(User):
    """Somebody whose moves have tasks after them, and whose controller dies."""

    def __init__(self, site: Site, folder: pathlib.Path) -> None:
        """Write the tasks."""
        super().__init__(site, folder)
        self.closed = folder / "closed"
        (folder / "after.yml").write_text(AFTER)
        self.after = ("-e", f"migrate_after_tasks={folder / 'after.yml'}", "-e", f"closed={self.closed}")

    def ran(self) -> list[str]:
        """Return what the tasks have found, each time they were run."""
        return self.closed.read_text().splitlines() if self.closed.exists() else []

    def move_and_die(self) -> None:
        """Begin a move, and kill what watches it when the sender is admitted: the session goes on."""
        move = self.start("dom0.xen.migrate", *self.asking("xen2"), *self.after)
        read_until(move, "TASK [dom0.xen.migrate : Watch the stream]")
        os.killpg(move.pid, signal.SIGKILL)
        move.communicate(timeout=LIMIT_S)

    def wait_for(self, done: t.Callable[[], bool]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + LIMIT_S
        while not done():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def over(self) -> bool:
        """Whether both sides have left their result."""
        return all(list((host.paths.lib / "dom0-xen").glob("*/result.json")) for host in self.site.hosts.values())

    def records(self, name: str) -> str:
        """Return the journals of a host."""
        return "".join(path.read_text() for path in (self.site[name].paths.lib / "dom0-xen").glob("*/journal"))


@pytest.fixture
def user(tmp_path: pathlib.Path) -> t.Iterator[Owner]:
    """Somebody with two hosts, the guest on xen1."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable, suspend_timeout_s=1.5)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield Owner(site, tmp_path)
    site.down()


def test_the_same_command_catches_up(user: Owner) -> None:
    """The domain is there already, and its storage is still open on both hosts: that is closed, once, and told."""
    user.move_and_die()
    user.wait_for(user.over)
    assert where(user.site) == "xen2" and user.ran() == []
    log = user.move("xen2", *user.after)
    assert user.ran() == [f"{GUEST} xen1 xen2 destination"], log[-4000:]
    assert user.result["after_tasks"] == "caught_up" and user.result["end_state"] == "moved"
    assert "What an earlier run still owed of the tasks after the move has been run." in log.replace("\n", " ")
    assert all(user.records(name).count('"after_tasks_done"') == 1 for name in ("xen1", "xen2"))
    log = user.move("xen2", *user.after)
    assert len(user.ran()) == 1 and user.result["after_tasks"] is None, log[-4000:]


def test_who_has_no_such_tasks_is_told_of_them(user: Owner) -> None:
    """Neither a run without the file nor settling loses them, and settling can be given them."""
    user.move_and_die()
    user.wait_for(user.over)
    log = user.move("xen2")
    assert OWED in log and "-e migrate_after_tasks=/ABSOLUTE/PATH" in log, log[-4000:]
    assert user.result["after_tasks"] == "owed"
    assert [remark["code"] for remark in user.result["remarks"]] == ["after_tasks_owed"]
    log = user.run("dom0.xen.settle")
    assert OWED in log and "Nothing to settle" in log, log[-4000:]
    log = user.run("dom0.xen.settle", "--check", "-e", "domain=centos", *user.after)
    assert OWED in log and user.ran() == [], log[-4000:]
    log = user.run("dom0.xen.settle", "-e", "domain=centos", *user.after)
    assert user.ran() == [f"{GUEST} xen1 xen2 destination"], log[-4000:]
    assert OWED not in user.run("dom0.xen.settle", *user.after)
    assert len(user.ran()) == 1


def test_settling_runs_them_for_a_domain_that_stays(user: Owner) -> None:
    """Sender and controller are killed with the guest suspended: it goes on at the source, and the tasks know that."""
    user.site["xen1"].faults({"point": "migrate.renamed", "action": "kill_parent"})
    user.move_and_die()
    user.wait_for(lambda: user.site["xen1"].paths.faults.read_text() == "[]")
    log = user.run("dom0.xen.settle", "-e", "domain=centos", *user.after)
    assert where(user.site) == "xen1", log[-4000:]
    assert user.ran() == [f"{GUEST} xen1 xen2 source"], log[-4000:]
    assert OWED not in user.run("dom0.xen.settle")


def test_the_next_move_comes_after_them(user: Owner) -> None:
    """What was interrupted is settled, and what it owes done, before the domain is moved anew, which has tasks too."""
    user.site["xen1"].faults({"point": "migrate.renamed", "action": "kill_parent"})
    user.move_and_die()
    user.wait_for(lambda: user.site["xen1"].paths.faults.read_text() == "[]")
    log = user.move("xen2", *user.after)
    assert where(user.site) == "xen2", log[-4000:]
    assert user.ran() == [f"{GUEST} xen1 xen2 source", f"{GUEST} xen1 xen2 destination"], log[-4000:]
    assert OWED not in user.run("dom0.xen.settle")


def test_a_person_may_have_done_what_they_do(user: Owner) -> None:
    """He says so of one domain, and nobody is told of it any more."""
    user.move_and_die()
    user.wait_for(user.over)
    refused = user.start("dom0.xen.settle", "-e", "settle_after_done=true")
    assert "Name the one that it is about" in refused.communicate(timeout=LIMIT_S)[0]
    assert OWED in user.run("dom0.xen.settle", "-e", "domain=centos")
    user.run("dom0.xen.settle", "-e", "domain=centos", "-e", "settle_after_done=true")
    log = user.run("dom0.xen.settle", "-e", "domain=centos", *user.after)
    assert OWED not in log and user.ran() == [], log[-4000:]


def test_tasks_that_fail_stay_owed(user: Owner) -> None:
    """The run that made the move fails in them: the next one runs them again."""
    (user.folder / "after.yml").write_text(AFTER + "  failed_when: closed.endswith('broken')\n")
    move = user.start("dom0.xen.migrate", *user.asking("xen2"), *user.after, "-e", f"closed={user.folder / 'broken'}")
    log = move.communicate(timeout=LIMIT_S)[0]
    assert move.returncode == 2 and where(user.site) == "xen2", log[-4000:]
    log = user.move("xen2", *user.after)
    assert user.ran() == [f"{GUEST} xen1 xen2 destination"] and user.result["after_tasks"] == "caught_up", log[-4000:]
