# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit over dom0s of the double, as monitoring runs it."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import sys
import typing as t
import uuid

import pytest
from dom0_double.driver.host import GuestConfig, Host
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, read_until

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(600)


class Night(User):
    """Somebody on call."""

    def audit(self, *arguments: str) -> tuple[int, str]:
        """Run the audit; return its exit status and log."""
        process = self.start("dom0.xen.audit", "-e", f"audit_result_path={self.result_path}", *arguments)
        log = process.communicate(timeout=LIMIT_S)[0]
        return process.returncode, log

    @property
    def findings(self) -> dict[tuple[str, str], str]:
        """Severities by code and domain, as the last audit wrote them."""
        told = self.result["findings"]
        return {(found["code"], (found["domain"] or {"name": ""})["name"]): found["severity"] for found in told}


@pytest.fixture
def site(tmp_path: pathlib.Path) -> t.Iterator[Site]:
    """Two hosts, a guest on each."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable)
    start(site["xen1"], "centos", GUEST)
    start(site["xen1"], "web")
    start(site["xen2"], "mail")
    yield site
    site.down()


@pytest.fixture
def night(site: Site, tmp_path: pathlib.Path) -> Night:
    """Somebody with an empty folder."""
    return Night(site, tmp_path)


def start(host: Host, name: str, identity: str | None = None, paused: bool = False) -> None:
    """Start a guest."""
    host.start_guest(GuestConfig(name=name, uuid=identity or str(uuid.uuid4()), memory_mib=16, compact=True))
    if paused:
        assert host.run("xl", "pause", name).status == 0


def test_a_fleet_in_order(night: Night) -> None:
    """Exit status 0, one module run on each host, and nothing found, also with a move just behind it."""
    night.move("xen2")
    status, log = night.audit("-e", "audit_fail_on=warning", "-vvv")
    assert status == 0, log[-4000:]
    assert log.count("Using module file") == 2
    assert log.count("3 domains: nothing wrong.") >= 1
    assert (night.result["clean"], night.result["hosts"], night.findings) == (True, ["xen1", "xen2"], {})
    assert "changed=0" in log and "changed=1" not in log


def test_what_goes_wrong_at_night(night: Night) -> None:
    """A copy that was left and a guest that runs twice: all told in one run, which fails."""
    twice = str(uuid.uuid4())
    start(night.site["xen1"], "db", twice)
    start(night.site["xen2"], "db", twice)
    start(night.site["xen2"], "centos--incoming", GUEST, paused=True)
    status, log = night.audit("-vvv")
    assert status == 2
    # Looked at twice, since what is wrong may only look so.
    assert log.count("Using module file") == 4
    assert night.findings == {("running_twice", "db"): "error", ("incoming_left", "centos"): "error"}
    seen = r"ERROR running_twice: db runs on xen1 \(db, domid \d+, running\) and on xen2 \(db, domid \d+, running\)"
    assert re.search(seen, log)
    assert night.audit("-e", "audit_fail_on=never")[0] == 0


def test_what_has_gone_by_the_second_look_is_not_told(night: Night) -> None:
    """Hosts are looked at one after another; a domain that moved meanwhile must wake nobody."""
    start(night.site["xen2"], "centos", GUEST)
    process = night.start("dom0.xen.audit", "-e", f"audit_result_path={night.result_path}")
    log = read_until(process, "Judge for the first time")
    os.killpg(process.pid, signal.SIGSTOP)
    night.site["xen2"].run("xl", "destroy", "centos")
    os.killpg(process.pid, signal.SIGCONT)
    log += process.communicate(timeout=LIMIT_S)[0]
    assert (process.returncode, night.findings) == (0, {}), log[-4000:]
    assert log.count("skipping: [xen") == 0


def test_a_guest_without_its_monitor_is_a_warning(night: Night) -> None:
    """It fails only when warnings are asked for."""
    assert night.site["xen1"].kill("xl", "create", "web.cfg")
    status, log = night.audit()
    assert (status, night.findings) == (0, {("monitor_missing", "web"): "warning"}), log[-4000:]
    assert night.audit("-e", "audit_fail_on=warning")[0] == 2


def test_hosts_that_are_not_known(night: Night) -> None:
    """One that does not answer, one that a limit leaves out, none at all: never all clean, never a quiet success."""
    closed = night.folder / "closed.json"
    there = {"closed": {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}}
    closed.write_text(json.dumps({"dom0": {"hosts": there}, "web": {"hosts": {"www": {}}}}))
    status, log = night.audit("-i", str(closed))
    assert (status, night.findings) == (2, {("host_unreachable", ""): "error"}), log[-4000:]
    assert not night.result["complete"]
    assert "Not complete: 1 host not known." in log
    status, log = night.audit("-i", str(closed), "--limit", "xen1,xen2")
    assert (status, night.findings, night.result["clean"]) == (0, {("host_not_asked", ""): "warning"}, False), log[
        -4000:
    ]
    for arguments in (["-i", str(closed), "--limit", "www"], ["-e", "dom0_group=nobody"]):
        status, log = night.audit(*arguments)
        assert status == 2 and "There is nothing to look at" in log
