# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance of hosts: what is left, what stands in the way, whether a host is back, what returns."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._marks import maintenance
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, HostFacts, XenFacts
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.parse import parse_state
from ansible_collections.dom0.xen.plugins.plugin_utils._maintaining import back, course, returning
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import NoDestination

RUN = "maintain xen1,xen2"


def host(name: str, *domains: tuple[str, int], free: int = 1000, **changes: t.Any) -> HostFacts:
    """Return a host with these domains (UUID and MiB) besides its own."""
    rows = [("dom0", 512), *domains]
    made = HostFacts(
        hostname=name,
        uid=0,
        boot_id="boot1",
        python="3.11",
        pyxs="0.4",
        systemd=True,
        xen=XenFacts("4.17.3", 4, 17, ".3", (), (), ""),
        cpus=4,
        memory_mib=4096,
        free_memory_mib=free,
        dom0_memory_mib=512,
        autoballoon=False,
        bridges=("xenbr0",),
        addresses=(),
        cpupools=(),
        clock_s=0.0,
        runtime_path="/run/dom0-xen",
        domains=tuple(
            DomainRow(number, uuid, uuid, parse_state("r-----"), size, 1, 0.0)
            for number, (uuid, size) in enumerate(rows)
        ),
        sessions=(),
        problems=(),
    )
    return dataclasses.replace(made, **changes)


def note(stage: str, run: str = RUN, **more: t.Any) -> dict[str, t.Any]:
    """Return a note of a host."""
    return {"run": run, "stage": stage, **more}


def test_a_stage_does_not_go_back_and_what_was_first_stays() -> None:
    """A run that is taken up has less to tell than the one that was cut off: the host is empty by now."""
    domains = [{"uuid": "u", "name": "a", "config": {"nics": [{"mac": "00:16:3e:00:00:01"}]}}]
    first = maintenance.merge(None, RUN, {"domains": domains, "boot_id": "boot1", "stopped": ["s"]}, 5.0)
    empty = maintenance.merge(first, RUN, {"stage": "empty"}, 6.0)
    again = maintenance.merge(empty, RUN, {"stage": "begun", "domains": [], "boot_id": "boot2", "stopped": ["r"]}, 7.0)
    assert again == {
        **{"run": RUN, "begun_s": 5.0, "stage": "empty", "boot_id": "boot1", "stopped": ["r", "s"]},
        "domains": [{"uuid": "u", "name": "a", "macs": ["00:16:3e:00:00:01"]}],
    }
    with pytest.raises(maintenance.MaintenanceOfAnotherRun, match="maintain xen1,xen2"):
        maintenance.merge(again, "another one", {}, 8.0)


@pytest.mark.parametrize(
    ("notes", "done", "left", "already"),
    [
        ({}, "", "xen1 xen2 xen3", ""),
        ({"xen1": note("done"), "xen2": note("worked")}, "xen1", "xen2 xen3", "xen2"),
        ({"xen1": note("done"), "xen2": note("begun")}, "xen1", "xen2 xen3", ""),
        ({"xen3": note("over")}, "xen1 xen2 xen3", "", ""),
    ],
)
def test_hosts_that_are_done_are_not_done_again(notes: dict[str, t.Any], done: str, left: str, already: str) -> None:
    """What is noted on the hosts says how far the run came; one that is over says it for all."""
    found = course.course(("xen1", "xen2", "xen3"), notes, RUN)
    assert (" ".join(found.done), " ".join(found.left), " ".join(found.already)) == (done, left, already)


def test_another_maintenance_is_refused() -> None:
    """It has an end that somebody waits for."""
    with pytest.raises(course.CannotBeMaintained, match="xen2 is in the middle of `upgrade`"):
        course.course(("xen1", "xen2"), {"xen2": note("empty", "upgrade")}, RUN)


def test_everything_in_the_way_is_told_at_once() -> None:
    """Of all hosts, each thing once."""
    plans = {
        "xen1": {"failed": False, "code": "cannot_be_emptied", "msg": "xen1 cannot be emptied.\na cannot leave"},
        "xen2": {"possible": True, "stops": [{"uuid": "s", "name": "s", "host": "xen2"}]},
    }
    answers: dict[str, t.Any] = {
        "xen1": {"host": {}},
        "xen2": {"host": {}, "domains": [{"uuid": "s"}]},
        "xen3": {"msg": "no route"},
    }
    with pytest.raises(course.CannotBeMaintained) as caught:
        course.require(("xen1", "xen2", "xen3"), plans, answers, shut_down=False)
    for text in ("a cannot leave", "s is to be shut down on xen2 and could not be started", "xen3 does not answer: no"):
        assert text in caught.value.message
    with pytest.raises(NoDestination):
        course.require_others(("xen1",), ("xen1",))


def test_only_what_can_be_started_again_is_shut_down() -> None:
    """And nobody shuts down what is no domain of its own, such as a copy that a migration has left."""
    blockers = [{"uuid": uuid, "name": uuid, "host": "xen1", "why": "it stays."} for uuid in ("d", "e", "copy")]
    plans = {"xen1": {"possible": False, "blockers": blockers, "unmovable": blockers[:2]}}
    domains = [{"uuid": "d", "config_files": [{"path": "/etc/xen/d.cfg"}]}, {"uuid": "e", "config_files": []}]
    with pytest.raises(course.CannotBeMaintained) as caught:
        course.require(("xen1",), plans, {"xen1": {"host": {}, "domains": domains}}, shut_down=True)
    lines = caught.value.message.splitlines()
    assert len(lines) == 2 and lines[0].startswith("copy cannot leave xen1, and is not to be shut down: it stays.")
    assert lines[1].startswith("e is to be shut down on xen1 and could not be started again")
    with pytest.raises(course.CannotBeMaintained, match="copy cannot leave"):
        course.require(("xen1",), plans, {"xen1": {"host": {}, "domains": domains}}, shut_down=False)


@pytest.mark.parametrize("content", [None, [], {}, ["a"], [{"hosts": "all"}]])
def test_a_file_that_holds_no_tasks_is_refused(content: t.Any) -> None:
    """Before a host is emptied for it."""
    with pytest.raises(course.TasksInvalid):
        course.tasks_of(content, "work.yml")
    assert course.tasks_of([{"ansible.builtin.reboot": None}], "work.yml") == 1


@pytest.mark.parametrize(
    ("changes", "expected", "why"),
    [
        ({}, back.Expected((4, 17), ("xenbr0",)), ""),
        ({}, back.Expected((4, 17, 3)), ""),
        ({}, back.Expected((4, 18)), "it has Xen 4.17.3, not 4.18 or later"),
        ({}, back.Expected(boot_before="boot1"), "it has not been booted anew"),
        ({}, back.Expected(boot_before="boot0"), ""),
        ({"bridges": ()}, back.Expected(bridges=("xenbr0",)), "it does not have the bridges it had: xenbr0"),
        ({"xen": None}, back.Expected((4, 17)), "Xen does not answer there"),
        ({"domains": ()}, back.Expected(), "Xen does not answer there"),
    ],
)
def test_whether_a_host_is_back(changes: dict[str, t.Any], expected: back.Expected, why: str) -> None:
    """It is when nothing is lacking that it had, or has to have."""
    assert "; ".join(back.lacking(host("xen1", **changes), expected)) == why


def test_what_is_no_release() -> None:
    """It is refused before the run begins, in place of a host that waits for it in vain."""
    assert back.release_of("") == () and back.release_of("4.17") == (4, 17)
    for text in ("new", "4.", "4.x", ">=4.17"):
        with pytest.raises(back.ReleaseInvalid):
            back.release_of(text)


def noted(*uuids: str, stopped: tuple[str, ...] = ()) -> dict[str, t.Any]:
    """Return what was noted of a host with these domains."""
    return {"domains": [{"uuid": uuid, "name": uuid, "macs": []} for uuid in uuids], "stopped": list(stopped)}


def test_what_returns() -> None:
    """What is elsewhere comes back, what was shut down is started, and what is nowhere is told."""
    hosts = {"xen1": host("xen1", ("here", 10)), "xen2": host("xen2", ("away", 10), ("stranger", 10))}
    found = returning.coming_back("xen1", noted("here", "away", "off", "gone", stopped=("off",)), hosts, hosts, "all")
    assert found.wanted == {"away": "xen1"}
    assert [each.uuid for each in found.starts] == ["off"] and [each.uuid for each in found.missed] == ["gone"]
    none = returning.coming_back("xen1", noted("away", "off", stopped=("off",)), hosts, hosts, "none")
    assert none.wanted == {} and [each.uuid for each in none.starts] == ["off"]


def test_nothing_is_started_that_may_run_elsewhere() -> None:
    """A dom0 that does not answer may have it."""
    hosts = {"xen1": host("xen1")}
    found = returning.coming_back("xen1", noted("off", stopped=("off",)), hosts, ("xen1", "xen2"), "all")
    assert not found.starts and "xen2" in found.missed[0].why


def test_balanced_returns_the_largest_as_long_as_it_evens_out() -> None:
    """Free memory of both hosts is nearer after each move than before, and this one keeps as much as the other."""
    hosts = {"xen1": host("xen1", free=1000), "xen2": host("xen2", ("big", 300), ("mid", 200), ("low", 100), free=100)}
    found = returning.coming_back("xen1", noted("low", "mid", "big"), hosts, hosts, "balanced")
    assert found.wanted == {"big": "xen1", "low": "xen1"}


def test_what_came_of_it_is_told_for_each_domain() -> None:
    """By what the dom0s told last; what is not there has a reason."""
    hosts = {
        "xen1": host("xen1", ("home", 10)),
        "xen2": host("xen2", ("failed", 10), ("blocked", 10), ("neither", 10)),
    }
    note = noted("home", "failed", "blocked", "neither", "up", "down", stopped=("up", "down"))
    found = returning.coming_back("xen1", note, hosts, hosts, "all")
    told = returning.Told(
        outcomes=[{"uuid": "home", "destination": "xen1"}, {"uuid": "stranger", "destination": "xen1"}],
        history={"failed": {"why": "the link was lost"}},
        blockers=[
            {"uuid": "blocked", "why": "there is no host.", "reasons": [{"host": "xen1", "message": "no bridge"}]}
        ],
        started=[{"item": {"uuid": "up"}}, {"item": {"uuid": "down"}, "failed": True, "msg": "no memory"}],
    )
    report = returning.account("xen1", note, found, told)
    assert [each["uuid"] for each in report["returned"]] == ["home"]
    assert report["started"] == [{"uuid": "up", "name": "up"}]
    assert {each["name"]: each["why"] for each in report["missed"]} == {
        "failed": "the link was lost",
        "blocked": "there is no host. no bridge",
        "neither": "its move was not begun.",
        "down": "no memory",
    }
    stay = returning.coming_back("xen1", note, hosts, hosts, "none")
    assert [each["name"] for each in returning.account("xen1", note, stay, told)["missed"]] == ["down"]


def test_the_table_tells_each_host() -> None:
    """Those that were not begun among them, why one is not done, and how it is opened all the same."""
    reports: dict[str, t.Any] = {
        "xen1": {"state": "done", "missed": [{"name": "a", "why": "no room."}]},
        "xen2": {"state": "empty", "why": "it is not back", "closed": True, "missed": []},
        "xen3": {"state": "begun"},
    }
    hosts = course.reported(("xen1", "xen2", "xen3", "xen4"), reports)
    lines = course.table(hosts)
    assert "xen1  done" in lines[1] and "xen2  empty" in lines[2] and "xen4  not begun" in lines[4]
    assert lines[5:] == [
        "a did not come back to xen1: no room.",
        "xen2: it is not back",
        "xen2 is closed to arrivals until it is done; to open it all the same: "
        "ansible -i INVENTORY xen2 -m dom0.xen.host_arrivals -a 'state=open'",
        "xen3: it did not answer any more, and the run was over for it.",
        "The same command goes on from here.",
    ]
    assert course.table(hosts[:1])[-1] == "a did not come back to xen1: no room."


def test_the_moves_of_all_hosts_are_told_in_their_order() -> None:
    """Away and back; a host whose turn has not come had none."""
    away, back, other = {"name": "a"}, {"name": "b"}, {"name": "c"}
    reports: dict[str, dict[str, t.Any]] = {
        "xen1": {"state": "done", "returned": [back], "moved": [away]},
        "xen2": {"moved": [other]},
    }
    assert course.moves(course.reported(("xen1", "xen2", "xen3"), reports)) == [away, back, other]


def test_a_host_that_somebody_else_has_closed_is_told() -> None:
    """It is done, and takes no domains; whoever has closed it may open it."""
    hosts = course.reported(("xen1",), {"xen1": {"state": "done", "closed": True}})
    command = "ansible -i INVENTORY xen1 -m dom0.xen.host_arrivals -a 'state=open'"
    said = f"xen1 stays closed to arrivals, as it was before this run; to open it all the same: {command}"
    assert course.table(hosts)[-1] == said


def test_only_what_this_run_has_closed_counts_as_open() -> None:
    """A domain is planned to no host that a person, or another run, has closed."""
    runs = {"xen1": "maintain xen1,xen2", "xen2": "", "xen3": "maintain xen1,xen2", "xen4": "evacuate xen4"}
    answers: dict[str, t.Any] = {name: {"host": {"closed": {"run": run, "by": "bob"}}} for name, run in runs.items()}
    answers.update(open={"host": {"closed": None}}, silent={"unreachable": True})
    found = course.opened(answers, ("xen1", "xen2", "xen4", "open", "silent"), {"maintain xen1,xen2"})
    assert [name for name in runs if found[name]["host"]["closed"] is None] == ["xen1"]
    assert found["open"] == answers["open"] and found["silent"] == answers["silent"]
