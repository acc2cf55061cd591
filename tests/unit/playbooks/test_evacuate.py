# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts are emptied, over dom0s of the double, as an operator does it."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import time
import typing as t

import pytest
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import closed_mark
from ansible_collections.dom0.xen.plugins.module_utils._marks import arrivals, claims
from ansible_collections.dom0.xen.tests.unit.playbooks.emptying import (
    IDS,
    NAMES,
    Operator,
    hold,
    let_go,
    marks,
    places,
    runs,
    stop_streams,
    three_hosts,
)
from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, read_until

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def site(tmp_path: pathlib.Path) -> t.Iterator[Site]:
    """Three hosts, with guests on two of them."""
    site = three_hosts(tmp_path / "double")
    yield site
    assert site.down() == []


@pytest.fixture
def operator(site: Site, tmp_path: pathlib.Path) -> Operator:
    """Somebody with an empty folder."""
    (tmp_path / "user").mkdir()
    return Operator(site, tmp_path / "user")


def test_a_host_is_emptied_and_the_second_run_changes_nothing(operator: Operator) -> None:
    """Seen before as a plan that changes nothing; after it the host takes no domains, and nothing else was touched."""
    site = operator.site
    before = site["xen2"].domains()
    plan = operator.empty("--check")
    assert "To empty xen1: 3 moves" in plan
    assert set(places(site).values()) == {"xen1", "xen2"} and marks(site, "xen1") == set()
    assert not operator.result_path.exists()

    log = operator.empty("-e", f"report_path={operator.folder}/run.html", "-e", "report_reference=CHG-7")
    report = json.loads((operator.folder / "run.json").read_text())
    assert report["run"]["title"] == "Emptying of xen1" and report["run"]["reference"] == "CHG-7"
    assert {(move["name"], move["source"], move["outcome"]) for move in report["moves"]} == {
        (name, "xen1", "moved") for name in "abc"
    }
    assert report["totals"]["attention"] == 0 and all(move["bytes"] and move["began_s"] for move in report["moves"])
    assert {host["host"] for host in report["hosts"]} == {"xen1", "xen2", "xen3"}
    found = places(site)
    assert "xen1" not in found.values() and found["stays"] == "xen2"
    assert site["xen1"].domains() == []
    stays = [info for info in site["xen2"].domains() if info["name"] == "stays"]
    assert [info["domid"] for info in stays] == [info["domid"] for info in before]
    assert {*re.findall(r"^(\S+@xen1) ", log, re.M)} == {"a@xen1", "b@xen1", "c@xen1"}, "a row for each domain"
    assert operator.result["empty"] and len(operator.result["moves"]) == 3
    assert re.search(r"domain +from +to +method +total +stop +owner", log)
    for name in "abc":
        assert re.search(rf"{name} +xen1 +{found[name]} +live +\d.* +\d+ ms +destination", log), log[-3000:]
    assert marks(site, "xen1") == {"closed.json"} and marks(site, "xen2") == set()

    again = operator.empty()
    assert sum(int(number) for number in re.findall(r"changed=(\d+)", again)) == 0
    assert runs(site) == {"a": 2, "b": 2, "c": 2, "stays": 1}
    back = operator.start("dom0.xen.migrate", "-e", "domain=a", "-e", "destination=xen1")
    refused = back.communicate(timeout=LIMIT_S)[0]
    assert back.returncode == 2 and "xen1 is closed to arrivals since" in refused, refused[-4000:]
    assert "it is being emptied" in refused


@pytest.mark.long
def test_the_second_operator_is_told_who_was_first(operator: Operator) -> None:
    """He changes nothing; when the first one is killed his run takes it up, and no move is made twice."""
    site = operator.site
    first = hold(operator)
    refused = operator.empty(status=2)
    assert "another run works on this host: `evacuate xen1` of " in refused and ", since 20" in refused
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(LIMIT_S)
    if first.stdout:
        first.stdout.close()
    second = operator.ask()
    log = read_until(second, "takes up what `evacuate xen1` of")
    let_go(site["xen1"])
    log += second.communicate(timeout=2 * LIMIT_S)[0]
    assert second.returncode == 0, log[-6000:]
    assert "xen1 is empty." in log
    assert "xen1" not in places(site).values()
    assert runs(site) == {"a": 2, "b": 2, "c": 2, "stays": 1}, "each domain was moved once"
    assert marks(site, "xen1") == {"closed.json"}


@pytest.mark.long
def test_a_domain_that_cannot_leave(operator: Operator) -> None:
    """Nothing is begun, with the reason; to be shut down, it goes last, and the host is opened if that is asked."""
    site = operator.site
    given = operator.ruled(dom0_xen_domains={"b": {"tags": ["never_move"]}})
    refused = operator.empty(*given, status=2)
    assert "b cannot leave xen1: it is never to be moved" in refused
    assert set(places(site).values()) == {"xen1", "xen2"} and marks(site, "xen1") == set()
    log = operator.empty(*given, "-e", "evacuate_unmovable=shutdown", "-e", "evacuate_open=true")
    assert "xen1 is empty." in log
    assert site["xen1"].domains() == [] and not site["xen2"].guest("b") and not site["xen3"].guest("b")
    assert {host for name in "ac" for host in ("xen2", "xen3") if site[host].guest(name)} <= {"xen2", "xen3"}
    assert marks(site, "xen1") == set()


@pytest.mark.long
def test_a_host_that_makes_room_is_the_runs_alone(operator: Operator) -> None:
    """Where another run has it nothing is begun; while its domain moves nobody else begins to work there."""
    site = operator.site
    apart = {"pair": {"keep": "apart", "domains": ["a", "stays"]}}
    rules = operator.ruled(dom0_xen_domains={"a": {"allowed": ["xen2"]}}, dom0_xen_groups=apart)
    given = (*rules, "-e", "evacuate_make_room=true")
    journal, token = str(site["xen2"].paths.lib / "dom0-xen"), "b" * 16
    claims.claim(journal, claims.Claim(token=token, run="evacuate xen2", by="bob", controller="ctl2"), 300.0)
    refused = operator.empty(*given, status=2)
    assert "`evacuate xen2` of bob on ctl2" in refused and "xen2 would have to make room and cannot" in refused
    assert set(places(site).values()) == {"xen1", "xen2"} and marks(site, "xen1") == set()
    claims.release(journal, token)

    site["xen2"].configure(save_rate=100_000)
    process = operator.ask(*given)
    stop_streams(site["xen2"], process)
    assert "claim.json" in marks(site, "xen2") and "claim.json" in marks(site, "xen1")
    let_go(site["xen2"])
    log = process.communicate(timeout=2 * LIMIT_S)[0]
    assert process.returncode == 0, log[-6000:]
    found = places(site)
    assert (found["a"], found["stays"]) == ("xen2", "xen3") and site["xen1"].domains() == []
    assert marks(site, "xen1") == {"closed.json"} and marks(site, "xen2") == set()


@pytest.mark.long
def test_a_run_with_tasks_of_the_caller_may_be_silent(operator: Operator, tmp_path: pathlib.Path) -> None:
    """Nothing is heard of it while they run. Where its moves are done and it is silent on, taking over harms nobody.

    It goes on with its other host, tells the truth of both, and leaves the other run's claim alone.
    """
    site = operator.site
    tasks = tmp_path / "after.yml"
    tasks.write_text("- ansible.builtin.debug:\n    msg: after\n")
    journal, bob = str(site["xen1"].paths.lib / "dom0-xen"), "b" * 16
    other = claims.Claim(token=bob, run="evacuate xen1", by="bob", controller="ctl2")
    site["xen2"].configure(save_rate=100_000)
    process = operator.ask("-e", f"migrate_after_tasks={tasks}", hosts="xen1,xen2")
    stop_streams(site["xen2"], process)
    deadline = time.monotonic() + LIMIT_S
    while site["xen1"].domains():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.5)
    ours = claims.there(journal)
    assert ours is not None and ours.patience_s == 1800.0

    def silent(seconds: float) -> None:
        past = time.time() - seconds
        os.utime(claims.beat_path(journal, ours.token), (past, past))

    silent(1500.0)
    with pytest.raises(claims.HostClaimed):
        claims.claim(journal, other, 300.0)
    silent(1900.0)
    assert claims.claim(journal, other, 300.0).before == ours
    let_go(site["xen2"])
    log = process.communicate(timeout=2 * LIMIT_S)[0]
    assert process.returncode == 0, log[-6000:]
    assert "xen1 is empty." in log and "xen2 is empty." in log
    assert set(places(site).values()) == {"xen3"} and runs(site) == {"a": 2, "b": 2, "c": 2, "stays": 2}
    left = claims.there(journal)
    assert left is not None and left.token == bob and marks(site, "xen2") == {"closed.json"}


@pytest.mark.long
def test_a_host_that_somebody_else_has_closed_stays_as_he_left_it(operator: Operator) -> None:
    """It is emptied all the same; neither its mark is written over nor is it opened, and that is told."""
    site = operator.site
    journal = str(site["xen1"].paths.lib / "dom0-xen")
    dummy, mark = arrivals.close(journal, "a fan is broken", "bob", "")
    log = operator.empty("-e", "evacuate_open=true")
    assert "xen1 was closed to arrivals before, by bob (a fan is broken)" in " ".join(log.split())
    assert "xen1 is still closed to arrivals, by bob before this run" in log
    assert site["xen1"].domains() == [] and closed_mark(journal) == mark
    (host,) = operator.result["hosts"]
    assert host["closed"] and host["closed_before"]["by"] == "bob"


@pytest.mark.long
def test_a_destination_that_dies_while_it_is_filled(operator: Operator) -> None:
    """Its domains are still at home, and go to the other one."""
    site = operator.site
    process = hold(operator, "-e", "migrate_link_timeout=3", "-e", "migrate_silence_timeout=20")
    site["xen3"].power_off()
    let_go(site["xen1"])
    log = process.communicate(timeout=2 * LIMIT_S)[0]
    assert site["xen1"].domains() == [], log[-6000:]
    assert process.returncode == 0, log[-6000:]
    assert all(site["xen2"].guest(name) for name in NAMES)
    assert all(site.overlaps(IDS[name]) == [] for name in NAMES)
    site["xen3"].power_on()


CLOSING = """
- dom0.xen.host_arrivals:
    state: closed
    journal_path: "{{ dom0_xen_journal_path }}"
  delegate_to: "{{ item }}"
  loop: [xen2, xen3]
- ansible.builtin.fail:
    msg: not now
"""


@pytest.mark.long
def test_what_stood_in_no_way_when_the_plan_was_told_is_not_shut_down(operator: Operator) -> None:
    """Every move fails, and somebody closes all other hosts meanwhile: the domains stay, and run on."""
    site = operator.site
    tasks = operator.folder / "closing.yml"
    tasks.write_text(CLOSING)
    log = operator.empty("-e", "evacuate_unmovable=shutdown", "-e", f"migrate_before_tasks={tasks}", status=2)
    assert "xen1 is not empty, it still has: a, b, c." in log
    assert all(site["xen1"].guest(name) for name in NAMES)
    assert runs(site) == {"a": 1, "b": 1, "c": 1, "stays": 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-e", "dom0s=xen1,xen2,xen3"), "all dom0s of the inventory are to be emptied at once"),
        (("-e", "dom0s=dom0"), "all dom0s of the inventory are to be emptied at once"),
        (("-e", "dom0s=xen9"), "xen9 is no dom0 of the inventory"),
        (("-e", "dom0s="), "It was not said which hosts are to be emptied."),
        (("-e", "dom0s=xen1", "--limit", "xen1"), "A limit would leave out moves"),
        (("-e", "dom0s=xen1", "--limit", "localhost,xen1"), "A limit would leave out moves"),
        (("-e", "dom0s=xen1", "--limit", "all"), "A limit would leave out moves"),
        (("-e", "dom0s=xen1", "-e", "evacuate_unmovable=destroy"), "it is refuse, skip, suspend or shutdown"),
        (("-e", "dom0s=xen1", "-e", "migrate_memory_reserve_mib=100000000"), "xen1 cannot be emptied."),
        (("-e", "dom0s=xen1", "-e", "migrate_destination=xen3"), "migrate_destination may not be given"),
    ],
    ids=[
        "all",
        "group-of-all",
        "unknown",
        "none",
        "limit",
        "limit-with-localhost",
        "limit-of-all",
        "word",
        "no-room",
        "over-the-plan",
    ],
)
def test_called_wrongly(operator: Operator, arguments: tuple[str, ...], said: str) -> None:
    """A message that names the cause, never exit status 0, and nothing half-done."""
    process = operator.start("dom0.xen.evacuate", *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2 and said in log, log[-4000:]
    assert set(places(operator.site).values()) == {"xen1", "xen2"} and marks(operator.site, "xen1") == set()
