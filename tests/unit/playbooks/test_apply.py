# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans are carried out, over dom0s of the double: order, refusals, and a run that is cut off."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import sys
import time
import typing as t
import uuid

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.essence import essence
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.gathering import fleet_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.given import rules_of
from ansible_collections.dom0.xen.plugins.plugin_utils._plans import document
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Plan, PlannedMove
from ansible_collections.dom0.xen.tests.unit.playbooks.emptying import stop_streams
from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User, read_until

pytestmark = pytest.mark.timeout(900)

IDS = {name: str(uuid.uuid4()) for name in ("a", "b")}
# b goes first, and a to where b was.
MOVES = (("b", "xen2", "xen3", ()), ("a", "xen1", "xen2", (1,)))
LOOK = """
- hosts: dom0
  gather_facts: false
  tasks:
    - dom0.xen.fleet_info:
        runtime_path: "{{ dom0_xen_runtime_path }}"
        journal_path: "{{ dom0_xen_journal_path }}"
      register: seen
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        content: "{{ dict(groups.dom0 | zip(groups.dom0 | map('extract', hostvars, 'seen'))) | to_json }}"
        dest: "{{ answers }}"
        mode: "0600"
"""


@pytest.fixture
def site(tmp_path: pathlib.Path) -> t.Iterator[Site]:
    """Three hosts, a guest on each of two."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2", "xen3"], python=sys.executable)
    for name, host in (("a", "xen1"), ("b", "xen2")):
        site[host].start_guest(GuestConfig(name, IDS[name], memory_mib=16, bridge=None, compact=True))
    yield site
    assert site.down() == []


@pytest.fixture
def plan(user: User) -> pathlib.Path:
    """A plan that was made from what the hosts tell now."""
    answers, path = user.folder / "answers.json", user.folder / "plan.yml"
    (user.folder / "look.yml").write_text(LOOK)
    user.run(str(user.folder / "look.yml"), "-e", f"answers={answers}")
    told = json.loads(answers.read_text())
    facts = essence(fleet_of(told, rules_of({name: {} for name in told}), time.time()))
    moves = tuple(
        PlannedMove(number, IDS[name], name, source, destination, 40, "empties", "it was asked for", after)
        for number, (name, source, destination, after) in enumerate(MOVES, 1)
    )
    made = Plan(
        identity="a1b2",
        goal="empty",
        hosts=("xen1",),
        planner="builtin",
        made_s=int(time.time()),
        expires_s=0,
        moves=moves,
        stops=(),
        blockers=(),
        shortage=None,
        moved_mib=80,
        bound_mib=80,
        figures=(),
        options={},
        digest=facts.digest,
        facts=facts,
    )
    path.write_text(document.dump(made))
    return path


def apply(user: User, plan: pathlib.Path, *arguments: str, status: int = 0) -> str:
    """Carry a plan out; return the log."""
    process = user.start("dom0.xen.apply", "-e", f"plan_path={plan}", *arguments)
    log = process.communicate(timeout=2 * LIMIT_S)[0]
    assert process.returncode == status, log[-6000:]
    return log


def where(site: Site, name: str) -> str:
    """Return the host whose copy runs; there must be exactly one, and never were two."""
    assert site.overlaps(IDS[name]) == []
    (found,) = (host.name for host in site.hosts.values() if host.guest(name))
    return found


@pytest.mark.parametrize("rows", ["domains", "hosts"])
def test_moves_are_made_in_their_order_and_once(user: User, plan: pathlib.Path, rows: str) -> None:
    """Shown first, changing nothing; then made; the same again has nothing to do, and says so."""
    site = user.site
    assert "2. a from xen1 to xen2" in apply(user, plan, "--check")
    assert (where(site, "a"), where(site, "b")) == ("xen1", "xen2")
    log = apply(user, plan, "-e", f"migrate_rows={rows}", "-e", f"report_path={user.folder}/run.html")
    assert "Moves planned: 2, done: 2." in log
    report = json.loads((user.folder / "run.json").read_text())
    assert [(move["name"], move["destination"], move["outcome"]) for move in report["moves"]] == [
        ("b", "xen3", "moved"),
        ("a", "xen2", "moved"),
    ]
    memory = {host["host"]: (host["before"], host["after"]) for host in report["hosts"]}
    assert memory.keys() == {"xen1", "xen2", "xen3"} and all(before and after for before, after in memory.values())
    assert re.search(r"a +xen1 +xen2 +live +\d.* +\d+ ms +destination", log), log[-3000:]
    assert ("a@xen1 " in log.rpartition("PLAY RECAP")[2]) == (rows == "domains")
    assert (where(site, "a"), where(site, "b")) == ("xen2", "xen3")
    assert "Moves planned: 2, done: 2, 2 of them before this run." in apply(user, plan)
    assert all(len(site.intervals(guest)) == 2 for guest in IDS.values())


def test_a_plan_for_other_moves_is_refused(user: User) -> None:
    """What was approved is what is done: neither is it left out how the moves are made, nor said otherwise."""
    site, path = user.site, user.folder / "suspend.yml"
    asked = ("-e", "dom0s=xen1", "-e", f"plan_path={path}", "-e", "migrate_method=suspend", "-e", "migrate_network=")
    process = user.start("dom0.xen.plan", *asked)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 0 and " suspend " in log, log[-6000:]
    log = apply(user, path, status=2)
    assert "was made for other moves: migrate_method is auto, and was suspend." in log, log[-3000:]
    assert "Give dom0.xen.apply the variables that the plan was made with" in log
    other = ("-e", "migrate_method=cold", "-e", "migrate_allow_cold=true", "-e", "migrate_rows=hosts")
    log = apply(user, path, *other, status=2)
    told = "migrate_method is cold on xen1, and was suspend; migrate_allow_cold is true on xen1, and was false."
    assert told in log, log[-3000:]
    assert all(len(site.intervals(guest)) == 1 for guest in IDS.values())
    assert "1. a from xen1 to" in apply(user, path, "--check", "-e", "migrate_method=suspend")


@pytest.mark.long
def test_a_run_that_is_killed_is_picked_up(user: User, plan: pathlib.Path) -> None:
    """In the middle of the first move: it is watched to its end, and the second is made."""
    site = user.site
    site["xen2"].configure(save_rate=100_000)
    first = user.start("dom0.xen.apply", "-e", f"plan_path={plan}")
    stop_streams(site["xen2"], first)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(LIMIT_S)
    if first.stdout:
        first.stdout.close()
    second = user.start("dom0.xen.apply", "-e", f"plan_path={plan}")
    log = read_until(second, "1. under way: b from xen2 to xen3")
    site["xen2"].configure(save_rate=0)
    assert site["xen2"].kill("libxl-save-helper", number=signal.SIGCONT)
    log += second.communicate(timeout=2 * LIMIT_S)[0]
    assert second.returncode == 0 and "Moves planned: 2, done: 2." in log, log[-6000:]
    assert (where(site, "a"), where(site, "b")) == ("xen2", "xen3")
    assert all(len(site.intervals(guest)) == 2 for guest in IDS.values())


@pytest.mark.long
def test_what_fails_keeps_only_what_needs_it(user: User, plan: pathlib.Path) -> None:
    """The destination says no banner: the move that needs it does not begin, and both are told."""
    site = user.site
    site["xen3"].faults({"point": "receive.banner", "action": "text", "text": "no banner at all\n", "times": 9})
    log = apply(user, plan, status=2)
    site["xen3"].faults()
    assert "Moves planned: 2, done: 0." in log
    assert "a has to wait for b to leave xen2, which has failed" in log
    assert (where(site, "a"), where(site, "b")) == ("xen1", "xen2")
    assert "Moves planned: 2, done: 2." in apply(user, plan)


def test_a_plan_that_does_not_hold(user: User, plan: pathlib.Path) -> None:
    """Edited, or something has changed since: it says so, and nothing is moved. Nor with a limit, or without a plan."""
    site = user.site
    edited = user.folder / "edited.yml"
    edited.write_text(plan.read_text().replace("destination: xen3", "destination: xen1"))
    assert "was changed after it was written" in apply(user, edited, status=2)
    assert "cannot be read" in apply(user, user.folder / "none.yml", status=2)
    assert "A limit would leave out moves" in apply(user, plan, "--limit", "xen1,localhost", status=2)
    site["xen1"].start_guest(GuestConfig("new", str(uuid.uuid4()), memory_mib=64, bridge=None, compact=True))
    assert "new is new, on xen1." in apply(user, plan, status=2)
    assert (where(site, "a"), where(site, "b")) == ("xen1", "xen2")
