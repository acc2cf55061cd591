# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A migration is interrupted, and one run of a playbook brings the domain to one owner."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User, read_until, where

pytestmark = pytest.mark.timeout(600)

SENDER_AT_THE_PERMISSION = ("xen1", {"point": "migrate.go", "action": "kill_parent"})
RECEIVER_AT_THE_COMMIT = ("xen2", {"point": "receive.go", "action": "kill_parent"})
DESTINATION_AT_THE_COMMIT = ("xen2", {"point": "receive.go", "action": "kill"})


@pytest.fixture
def user(tmp_path: pathlib.Path) -> t.Iterator[User]:
    """Somebody with two hosts, the guest on xen1."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable, suspend_timeout_s=1.5)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield User(site, tmp_path)
    site.down()


@pytest.mark.parametrize(
    ("fault", "owner"),
    [
        pytest.param(SENDER_AT_THE_PERMISSION, "xen1", id="sender killed"),
        pytest.param(RECEIVER_AT_THE_COMMIT, "xen2", id="receiver killed"),
    ],
)
def test_one_run_settles(user: User, fault: tuple[str, dict[str, t.Any]], owner: str) -> None:
    """Whoever was killed, the domain then runs on exactly one host, under its own name, and nothing is left."""
    site, (host, what) = user.site, fault
    site[host].faults(what)
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), "-e", "migrate_silence_timeout=5")
    log = process.communicate(timeout=LIMIT_S)[0]
    print(log[-3000:])
    log = user.run("dom0.xen.settle", "-e", "domain=centos", "-v")
    print(log[-6000:])
    assert where(site) == owner, log
    assert [each["name"] for each in site["xen1"].domains() + site["xen2"].domains()] == ["centos"]
    again = user.run("dom0.xen.settle")
    assert "No migration was interrupted." in again
    assert "changed=0" in again and "changed=1" not in again


def test_two_runs_settle_at_once(user: User) -> None:
    """Both end well, whoever of them takes the steps: the user who was second has done nothing wrong."""
    site, (host, what) = user.site, SENDER_AT_THE_PERMISSION
    site[host].faults(what)
    user.start("dom0.xen.migrate", *user.asking("xen2"), "-e", "migrate_silence_timeout=5").communicate(timeout=LIMIT_S)
    runs = [user.start("dom0.xen.settle", "-e", "domain=centos", "-v") for dummy in range(2)]
    logs = [run.communicate(timeout=LIMIT_S)[0] for run in runs]
    for run, log in zip(runs, logs, strict=True):
        assert run.returncode == 0, log[-4000:]
    assert where(site) == "xen1"
    assert [each["name"] for each in site["xen1"].domains() + site["xen2"].domains()] == ["centos"]


def test_a_move_is_called_off(user: User) -> None:
    """A second run ends it while memory flows and says so; the first one reports that the domain has stayed."""
    site = user.site
    site["xen1"].configure(save_rate=100_000)
    move = user.start("dom0.xen.migrate", *user.asking("xen2"))
    read_until(move, "first round")
    log = user.run("dom0.xen.migrate", *user.asking("xen2"), "-e", "migrate_state=cancelled")
    assert "It runs on xen1" in log, log[-4000:]
    moved = move.communicate(timeout=LIMIT_S)[0]
    assert move.returncode != 0, moved[-4000:]
    assert where(site) == "xen1"
    assert [each["name"] for each in site["xen1"].domains() + site["xen2"].domains()] == ["centos"]
    nothing = user.run("dom0.xen.migrate", *user.asking("xen2"), "-e", "migrate_state=cancelled")
    assert "is not being moved" in nothing
