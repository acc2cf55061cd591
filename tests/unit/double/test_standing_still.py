# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests that suspend late, domains that do not go when they are destroyed: what the double has beyond the contract."""

from __future__ import annotations

import time

import pytest
from dom0_double.driver.fixture import MakeSite
from dom0_double.driver.host import GuestConfig, Host
from dom0_double.machine.domain import SUSPEND, Json


def start(make_site: MakeSite, behaviour: dict[str, float], **settings: float) -> Host:
    """Return a host that runs a guest."""
    host = make_site("xen1", **settings)["xen1"]
    host.start_guest(GuestConfig(memory_mib=8, compact=True, behaviour=behaviour))
    return host


def domain(host: Host) -> Json:
    """The guest's domain."""
    return host.domains()[0]


def wait_for_suspend(host: Host) -> None:
    """Wait until the guest has suspended."""
    deadline = time.monotonic() + 20
    while not domain(host)["shutdown"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (domain(host)["shutdown"], domain(host)["reason"]) == (True, SUSPEND)


@pytest.mark.parametrize("paused", [False, True])
def test_late_suspend(make_site: MakeSite, paused: bool) -> None:
    """It agrees in time and suspends when xl has given up, which nobody undoes; if paused, when it runs again."""
    host = start(make_site, {"suspend_s": 1.5}, suspend_timeout_s=0.5)
    done = host.run("xl", "save", "-c", "centos", "/dev/null")
    assert "guest did not suspend, timed out" in done.stderr
    assert (done.status, domain(host)["shutdown"]) == (1, False)
    if paused:
        host.run("xl", "pause", "centos")
        time.sleep(1.5)
        assert not domain(host)["shutdown"]
        host.run("xl", "unpause", "centos")
    wait_for_suspend(host)


def test_zombie(make_site: MakeSite) -> None:
    """Destroyed, nameless, paused and dying, without nodes; a second destroy changes nothing; then it goes."""
    host = start(make_site, {}, zombie_s=1.5)
    domid = domain(host)["domid"]
    assert host.run("xl", "destroy", "centos").status == 0
    line = host.run("xl", "list", "-v").stdout.splitlines()[2]
    assert (line.split()[:3], line.split()[4]) == (["(null)", str(domid), "0"], "--p--d")
    assert GuestConfig.uuid in line
    assert host.run("xenstore-read", f"/local/domain/{domid}/name").status != 0
    assert host.run("xl", "destroy", str(domid)).status == 0
    deadline = time.monotonic() + 20
    while host.domains() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert host.domains() == []
