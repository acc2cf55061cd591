# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts are maintained one after the other, over dom0s of the double, as an operator does it."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import typing as t
import uuid

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import closed_mark
from ansible_collections.dom0.xen.plugins.module_utils._marks import arrivals
from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, ROOT, User, read_until

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(1500)

HOSTS = ("xen1", "xen2", "xen3")
IDS = {name: str(uuid.uuid4()) for name in "abs"}
HOMES = {"a": "xen1", "b": "xen2", "s": "xen1"}
# What an operator's file of tasks does, on hosts without a power supply.
TASKS = """
- name: Restart the host
  ansible.builtin.command:
    argv: [{python}, {double}, {verb}, --state, {state}, "{{{{ inventory_hostname }}}}"]
  delegate_to: localhost
  vars:
    ansible_connection: local
    ansible_python_interpreter: {python}
  changed_when: true
  when: {when}
- name: Say so
  ansible.builtin.debug:
    msg: "the work on {{{{ inventory_hostname }}}} has been done"
"""


def guest(name: str) -> GuestConfig:
    """Return a small guest."""
    return GuestConfig(name, IDS[name], memory_mib=16, bridge=None, compact=True)


@pytest.fixture
def site(tmp_path: pathlib.Path) -> t.Iterator[Site]:
    """Three hosts; a guest on each of two."""
    site = Site(tmp_path / "double")
    site.up(HOSTS, python=sys.executable)
    for name in "ab":
        site[HOMES[name]].start_guest(guest(name))
    yield site
    assert site.down() == []


class Operator(User):
    """Somebody who maintains hosts."""

    def ask(
        self, *arguments: str, hosts: str = "xen1,xen2", verb: str = "power-cycle", when: str = "not maintain_rebooted"
    ) -> subprocess.Popen[str]:
        """Start to maintain hosts."""
        tasks = self.folder / "work.yml"
        double = ROOT / "tests" / "double" / "double.py"
        tasks.write_text(
            TASKS.format(python=sys.executable, double=double, verb=verb, state=self.site.state, when=when)
        )
        wanted = ("-e", f"dom0s={hosts}", "-e", "maintain_tasks=work.yml", "-e", "maintain_reboot=true")
        return self.start("dom0.xen.maintain", *wanted, "-e", f"maintain_result_path={self.result_path}", *arguments)

    def maintain(self, *arguments: str, status: int = 0, **given: str) -> str:
        """Maintain hosts; return the log."""
        process = self.ask(*arguments, **given)
        log = process.communicate(timeout=4 * LIMIT_S)[0]
        # The hosts were restarted by somebody else: what was open to them is no more.
        for host in self.site.hosts.values():
            host.machine.close()
        assert process.returncode == status, log[-9000:]
        return log


@pytest.fixture
def operator(site: Site, tmp_path: pathlib.Path) -> Operator:
    """Somebody with an empty folder."""
    (tmp_path / "user").mkdir()
    return Operator(site, tmp_path / "user")


def places(site: Site, names: str = "ab") -> dict[str, str]:
    """Return where each guest runs; it must be one host, and never were two."""
    found = {}
    for name in names:
        assert site.overlaps(IDS[name]) == []
        (found[name],) = (host.name for host in site.hosts.values() if host.guest(name))
    return found


def boots(site: Site) -> dict[str, str]:
    """Return the boot of each host."""
    return {name: site[name].paths.boot_id.read_text() for name in HOSTS}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return the keys whose values differ."""
    return {key for key in before if before[key] != after[key]}


def marks(site: Site) -> dict[str, set[str]]:
    """Return the marks of runs over many hosts that each host has."""
    folders = {name: site[name].paths.lib / "dom0-xen" / "fleet" for name in HOSTS}
    found = {
        name: {path.name for path in folder.iterdir()} - {"lock"} for name, folder in folders.items() if folder.exists()
    }
    return {name: names for name, names in found.items() if names}


def kill(process: subprocess.Popen[str]) -> None:
    """End a run without a chance to do anything more."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(LIMIT_S)
    if process.stdout:
        process.stdout.close()


def test_hosts_are_restarted_one_after_the_other(operator: Operator) -> None:
    """First a plan that changes nothing; after the run each guest is at home, was never down, and no mark is left."""
    site = operator.site
    before, guests = boots(site), {name: (site[HOMES[name]].guest(name) or {})["boot_id"] for name in "ab"}
    plan = operator.maintain("--check")
    assert "To empty xen1: 1 move" in plan and "To empty xen2: 1 move" in plan
    assert boots(site) == before and places(site) == {"a": "xen1", "b": "xen2"} and marks(site) == {}
    assert not operator.result_path.exists()

    log = operator.maintain("-e", f"report_path={operator.folder}/run.html")
    report = json.loads((operator.folder / "run.json").read_text())
    assert [(move["name"], move["outcome"]) for move in report["moves"]] == [(name, "moved") for name in "aabb"]
    assert report["run"]["title"] == "Maintenance of xen1, xen2"
    assert changed(before, boots(site)) == {"xen1", "xen2"}, log[-6000:]
    assert places(site) == {"a": "xen1", "b": "xen2"}
    assert {name: (site[HOMES[name]].guest(name) or {})["boot_id"] for name in "ab"} == guests
    assert log.count("has been done") == 2 and marks(site) == {}
    assert operator.result["done"] and [host["state"] for host in operator.result["hosts"]] == ["done", "done"]
    away, home = (host["moved"][0]["destination"] for host in operator.result["hosts"])
    for way in (rf"a +xen1 +{away}", rf"a +{away} +xen1", rf"b +xen2 +{home}", rf"b +{home} +xen2"):
        assert re.search(way + r" +live +\d.* +\d+ ms +destination", log), log[-4000:]


@pytest.mark.long
def test_a_host_that_does_not_come_back(operator: Operator) -> None:
    """Its domains stay where they went, and no other host is touched; repaired, the same command goes on."""
    site = operator.site
    before = boots(site)
    log = operator.maintain("-e", "maintain_back_timeout=6", status=2, verb="power-off")
    assert "xen1 is not done, and no other host is touched" in log
    assert "Not done: xen1, xen2." in log and "xen1 is closed to arrivals until it is done" in log
    assert places(site)["a"] != "xen1" and places(site)["b"] == "xen2"
    assert changed(before, boots(site)) == set() and not site["xen1"].is_on
    assert [host["state"] for host in operator.result["hosts"]] == ["empty", "not begun"]

    site["xen1"].power_on()
    assert "closed.json" in marks(site)["xen1"]
    between = boots(site)
    log = operator.maintain("-e", "maintain_take_over=true")
    assert changed(between, boots(site)) == {"xen2"}, "xen1 has been restarted"
    assert places(site) == {"a": "xen1", "b": "xen2"} and marks(site) == {}


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Deal with what cannot move", 1),
        ("Restart the host", 1),
        ("Bring the domains back", 1),
        ("Restart the host", 2),
    ],
    ids=["emptied", "at-work", "back", "second-host"],
)
def test_killed_and_started_again(operator: Operator, text: str, number: int) -> None:
    """The same command takes it up: a host that is done is not done again, none is restarted twice, all are at home."""
    site = operator.site
    process = operator.ask()
    log = "".join(read_until(process, text) for dummy in range(number))
    kill(process)
    before_second = boots(site)
    log = operator.maintain()
    assert places(site) == {"a": "xen1", "b": "xen2"}, log[-6000:]
    assert marks(site) == {}
    if number == 2:
        assert re.search(
            r"xen1 was done by the run that was cut off \(begun 20\d\d-.* UTC\); it is not done again\.", log
        )
        assert boots(site)["xen1"] == before_second["xen1"]
    if text == "Bring the domains back":
        assert boots(site)["xen1"] == before_second["xen1"], "restarted twice"


@pytest.mark.long
def test_killed_while_a_domain_is_on_its_way(operator: Operator) -> None:
    """The next run watches that move to its end before it goes on, and the domain is moved once and comes home."""
    site = operator.site
    site["xen1"].configure(save_rate=100_000)
    process = operator.ask(hosts="xen1")
    deadline = time.monotonic() + LIMIT_S
    while not site["xen1"].kill("libxl-save-helper", number=signal.SIGSTOP):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    kill(process)
    before = boots(site)
    second = operator.ask(hosts="xen1")
    log = read_until(second, "a is being moved from xen1 to ")
    assert boots(site) == before
    site["xen1"].configure(save_rate=0)
    site["xen1"].kill("libxl-save-helper", number=signal.SIGCONT)
    log += second.communicate(timeout=4 * LIMIT_S)[0]
    for host in site.hosts.values():
        host.machine.close()
    assert second.returncode == 0, log[-9000:]
    assert places(site)["a"] == "xen1" and len(site.intervals(IDS["a"])) == 3, log[-6000:]
    assert changed(before, boots(site)) == {"xen1"} and marks(site) == {}


@pytest.mark.long
def test_domains_stay_where_they_went_if_that_is_wanted(operator: Operator) -> None:
    """That is no domain that did not come back."""
    site = operator.site
    before = boots(site)
    log = operator.maintain("-e", "maintain_return=none", hosts="xen2")
    found = places(site)
    assert found["a"] == "xen1" and found["b"] in ("xen1", "xen3"), log[-6000:]
    assert changed(before, boots(site)) == {"xen2"} and marks(site) == {}
    (host,) = operator.result["hosts"]
    assert (host["returned"], host["missed"]) == ([], [])


@pytest.mark.long
def test_a_domain_that_is_shut_down_is_started_again_and_one_that_cannot_return_is_told(operator: Operator) -> None:
    """Neither fails the run."""
    site = operator.site
    site["xen1"].start_guest(guest("s"))
    rules = operator.folder / "rules.json"
    tags = {"s": {"tags": ["stop_for_maintenance"]}, "a": {"allowed": ["xen2", "xen3"]}}
    rules.write_text(json.dumps({"dom0_xen_domains": tags}))
    refused = operator.maintain("-e", f"@{rules}", hosts="xen1", status=2)
    assert "s is to be shut down on xen1 and could not be started again" in refused
    assert marks(site) == {} and places(site, "as") == {"a": "xen1", "s": "xen1"}
    site["xen1"].keep_config(guest("s"))
    log = operator.maintain("-e", f"@{rules}", hosts="xen1")
    found = places(site, "as")
    assert found["s"] == "xen1" and found["a"] in ("xen2", "xen3")
    assert re.search(r"a did not come back to xen1: ", log), log[-6000:]
    assert marks(site) == {}
    (host,) = operator.result["hosts"]
    assert [each["name"] for each in host["started"]] == ["s"] and [each["name"] for each in host["missed"]] == ["a"]


@pytest.mark.long
def test_a_host_that_somebody_else_has_closed_stays_closed(operator: Operator) -> None:
    """It is maintained all the same; its domains do not come back to it, and both are told."""
    site = operator.site
    journal = str(site["xen1"].paths.lib / "dom0-xen")
    dummy, mark = arrivals.close(journal, "a fan is broken", "bob", "")
    log = operator.maintain(hosts="xen1")
    assert closed_mark(journal) == mark and places(site)["a"] != "xen1", log[-6000:]
    assert "xen1 stays closed to arrivals, as it was before this run" in log and "a did not come back to xen1: " in log
    assert marks(site) == {"xen1": {"closed.json"}}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-e", "dom0s=xen9"), "xen9 is no dom0 of the inventory"),
        (("-e", "dom0s="), "It was not said which hosts are to be maintained."),
        (("-e", "dom0s=xen1", "--limit", "xen1"), "A limit would leave out hosts"),
        (("-e", "dom0s=xen1", "-e", "maintain_return=some"), "it is all, none or balanced"),
        (("-e", "dom0s=xen1", "-e", "evacuate_unmovable=skip"), "which needs an empty host, it is refuse, suspend or"),
        (("-e", "dom0s=xen1", "-e", "migrate_destination=xen3"), "migrate_destination may not be given"),
        (("-e", "dom0s=xen1", "-e", "evacuate_open=true"), "evacuate_open may not be given"),
        (("-e", "dom0s=xen1", "-e", "maintain_tasks=none.yml"), "none.yml cannot be read"),
        (("-e", "dom0s=xen1", "-e", "maintain_release=new"), "'new' is no release of Xen"),
        (
            ("-e", "dom0s=xen1", "-e", '{"maintain_release": 4.20}'),
            "maintain_release is 4.2, a number: 4.20 would be 4.2.",
        ),
        (("-e", "dom0s=xen1", "-e", "evacuate_shutdown_timeout=5m"), "argument 'evacuate_shutdown_timeout'"),
        (("-e", "dom0s=xen1,xen2", "-e", "migrate_memory_reserve_mib=100000000"), "xen2 cannot be emptied."),
    ],
    ids=[
        *("unknown", "none", "limit", "return", "skip", "over-the-plan", "open", "no-tasks", "release"),
        *("release-as-number", "shutdown-timeout", "no-room"),
    ],
)
def test_called_wrongly(operator: Operator, arguments: tuple[str, ...], said: str) -> None:
    """A message that names the cause, never exit status 0, and nothing half-done."""
    process = operator.start("dom0.xen.maintain", *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2 and said in log, log[-4000:]
    assert places(operator.site) == {"a": "xen1", "b": "xen2"} and marks(operator.site) == {}
