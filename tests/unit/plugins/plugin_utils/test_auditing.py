# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit finds what is wrong with a fleet, says what to type, and finds nothing where nothing is wrong."""

from __future__ import annotations

import dataclasses
import json
import random
import time
import typing as t
import uuid

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import (
    AutostartEntry,
    DomainRow,
    Hand,
    HostFacts,
    Monitor,
    Problem,
    SessionDomain,
    SessionSeen,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._audit_records import Finding
from ansible_collections.dom0.xen.plugins.plugin_utils._auditing import Answer, Audit, audit, describe
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    DOM0,
    OTHER,
    UUID,
    XEN,
    host,
    row,
    session,
)

SUSPENDED: dict[str, t.Any] = {"shutdown": True, "reason": "suspend"}
PAUSED: dict[str, t.Any] = {"paused": True}
AWAY = "centos--migratedaway"
COMING = "centos--incoming"
UNSETTLED = session(owner="unsettled", end_state="unsettled")
DEAD = session(owner="source", end_state=None, phase="streaming")
SENDING = session(end_state=None, phase="streaming", alive=True)
RECEIVING = dataclasses.replace(SENDING, role="receiver")


def fresh(copy: DomainRow) -> DomainRow:
    """The domain when it has used no processor time."""
    return dataclasses.replace(copy, cpu_time_s=0.0)


def dom0(name: str, *domains: DomainRow, **changes: t.Any) -> HostFacts:
    """A dom0 with these domains, each watched unless it has suspended."""
    watched = [Monitor(1000 + d.domid, "xl create", True, d.domid, d.name) for d in domains if not d.state.suspended]
    return host(name, domains=(DOM0, *domains), **{"monitors": tuple(watched), **changes})


def judge(*hosts: HostFacts | None, **more: Answer) -> Audit:
    """Audit hosts that are called xen1, xen2, and so on; with None one does not answer."""
    answers = {f"xen{number}": Answer(facts, facts is not None) for number, facts in enumerate(hosts, 1)}
    return audit({**answers, **more}, [*answers, *more])


def found(result: Audit) -> dict[str, str]:
    """Return severities by code; no code may come twice with two severities."""
    return {finding.code: finding.severity for finding in result.findings}


def one(result: Audit) -> Finding:
    """Return the only finding."""
    (finding,) = result.findings
    return finding


def test_a_healthy_fleet_has_no_findings() -> None:
    """Whatever runs, is blocked or has just been made on whatever host, with sessions that ended well."""
    draw = random.Random(1)
    for dummy in range(50):
        names = iter(range(1, 1000))
        hosts = []
        for number in range(1, draw.randint(2, 9)):
            domains = [
                row(f"d{next(names)}", domid, str(uuid.UUID(int=draw.getrandbits(128))), **draw.choice(STATES))
                for domid in draw.sample(range(1, 99), draw.randint(0, 6))
            ]
            ended = [
                session(session=f"{place:016x}", domain=SessionDomain(d.uuid, d.name), end_state=draw.choice(WELL))
                for place, d in enumerate(domains)
            ]
            starts = [AutostartEntry(f"/etc/xen/auto/{d.name}", "config", d.name, d.uuid) for d in domains]
            hosts.append(dom0(f"xen{number}", *domains, sessions=tuple(ended), autostart=tuple(starts)))
        result = judge(*hosts)
        assert (result.findings, result.clean, result.fails("warning")) == ((), True, False)
        assert describe(result)[0].endswith("domains: nothing wrong.") or result.domains == 1


STATES: list[dict[str, t.Any]] = [{"running": True}, {"blocked": True}]
WELL = ["moved", "stayed"]


def test_running_twice_on_two_hosts() -> None:
    """The worst of all: both are named with host and domid, and pausing them is the first thing to type."""
    finding = one(judge(dom0("xen1", row()), dom0("xen2", row(domid=7))))
    assert (finding.code, finding.severity, finding.hosts) == ("running_twice", "error", ("xen1", "xen2"))
    assert finding.domain == SessionDomain(UUID, "centos")
    assert "xen1 (centos, domid 3, running) and on xen2 (centos, domid 7, running)" in finding.message
    assert "on xen1: `xl pause 3`; on xen2: `xl pause 7`" in finding.remedy


def test_running_twice_on_one_host() -> None:
    """Under another name, as after xl restore of an old image."""
    finding = one(judge(dom0("xen1", row(), row("copy", 9))))
    assert (finding.code, finding.hosts, len(finding.copies)) == ("running_twice", ("xen1",), 2)


def test_one_machine_under_two_names_runs_nothing_twice() -> None:
    """It is told as what it is, and its domains are counted once."""
    facts = dom0("xen1", row())
    result = judge(facts, alias=Answer(facts))
    assert found(result) == {"host_twice": "warning"}
    assert result.domains == 1


@pytest.mark.parametrize("name", [COMING, AWAY])
def test_copy_that_is_left_of_a_migration(name: str) -> None:
    """While the domain runs elsewhere the copy is to be destroyed, by its domid and after another look."""
    state = PAUSED if name == COMING else SUSPENDED
    result = judge(dom0("xen1", row()), dom0("xen2", fresh(row(name, 8, **state))))
    finding = one(result)
    assert (finding.code, finding.severity) == (name[8:] + "_left", "error")
    assert finding.remedy == "on xen2: `xl list -v 8`; if it is still that copy: `xl destroy 8`."


def test_two_copies_that_stand_still() -> None:
    """Nobody may guess which one counts: settling finds out, and nothing is to be typed that could make it two."""
    result = judge(dom0("xen1", row(AWAY, **SUSPENDED)), dom0("xen2", fresh(row(COMING, 8, **PAUSED))))
    assert found(result) == {"migratedaway_left": "error", "incoming_left": "error"}
    for finding in result.findings:
        assert f" `ansible-playbook -i INVENTORY dom0.xen.settle -e domain={UUID}`" in finding.remedy
        assert "is not seen running anywhere" in finding.message


def test_copy_that_runs_under_the_name_of_a_move() -> None:
    """As after a failure to give the name back: it only wants its name."""
    finding = one(judge(dom0("xen1", row(AWAY))))
    assert (finding.code, finding.remedy) == ("migratedaway_left", "on xen1: `xl rename 3 centos`.")
    finding = one(judge(dom0("xen1", row("a b" + COMING[6:]))))
    assert finding.remedy == "on xen1: `xl rename 3 'a b'`."


def test_second_copy_under_its_own_name() -> None:
    """The one that does not run is the one to destroy; where none runs, one finding tells of both."""
    finding = one(judge(dom0("xen1", row()), dom0("xen2", row(domid=8, **PAUSED))))
    assert (finding.code, finding.severity) == ("second_copy", "error")
    assert "xl destroy 8" in finding.remedy
    finding = one(judge(dom0("xen1", row(**PAUSED)), dom0("xen2", row(domid=8, **PAUSED))))
    assert finding.code == "second_copy" and "dom0.xen.settle" in finding.remedy


def test_suspended_domain_that_nobody_will_resume() -> None:
    """What resumes it depends on the release of Xen, and whether it may be resumed on its sessions."""
    newer = dataclasses.replace(XEN, minor=20)
    finding = one(judge(dom0("xen1", row(**SUSPENDED), xen=newer)))
    assert (finding.code, finding.severity, finding.remedy) == ("suspended", "error", "on xen1: `xl resume 3`.")
    finding = one(judge(dom0("xen1", row(**SUSPENDED))))
    assert finding.remedy.startswith("on xen1: `xl save -c 3 /dev/null` ")
    result = judge(dom0("xen1", row(**SUSPENDED), sessions=(UNSETTLED,)))
    assert found(result) == {"suspended": "error", "session_unsettled": "error"}
    assert all("dom0.xen.settle" in finding.remedy for finding in result.findings)


def test_paused_domains() -> None:
    """One that ran was paused on purpose; one that never ran may be what a broken migration left."""
    assert found(judge(dom0("xen1", row(**PAUSED)))) == {"paused": "info"}
    assert found(judge(dom0("xen1", fresh(row(**PAUSED))))) == {"never_run": "warning"}
    result = judge(dom0("xen1", fresh(row(**PAUSED)), sessions=(dataclasses.replace(DEAD, role="receiver"),)))
    assert found(result) == {"never_run": "error", "session_dead": "error"}
    assert "xl unpause" not in result.findings[0].remedy


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ([row()], [fresh(row(COMING, 8, **PAUSED))]),
        ([row(AWAY, **SUSPENDED)], [fresh(row(COMING, 8, **PAUSED))]),
        ([row(AWAY, **SUSPENDED)], [row(domid=8)]),
        ([row(**SUSPENDED)], []),
        ([], []),
    ],
)
def test_a_move_under_way_is_no_fault(here: list[DomainRow], there: list[DomainRow]) -> None:
    """At whichever moment it is looked at, its copies are explained by its sessions."""
    result = judge(dom0("xen1", *here, sessions=(SENDING,)), dom0("xen2", *there, sessions=(RECEIVING,)))
    assert found(result) == {"move_under_way": "info"}
    assert result.clean and result.look_again == ()


def test_seen_on_both_hosts_while_a_session_moves_it() -> None:
    """The hosts were not looked at in the same moment: a warning, and another look tells."""
    result = judge(dom0("xen1", row(), sessions=(SENDING,)), dom0("xen2", row(domid=8), sessions=(RECEIVING,)))
    assert found(result) == {"seen_on_both": "warning"}
    assert result.look_again == ("xen1", "xen2")


@pytest.mark.parametrize("side", [0, 1])
def test_a_session_that_waits_for_settling(side: int) -> None:
    """It lives and explains nothing: the domain stands still until somebody settles, or runs twice."""
    sides = [SENDING, RECEIVING]
    sides[side] = dataclasses.replace(sides[side], waits=True)
    here, there = ((seen,) for seen in sides)
    away = row(AWAY, **SUSPENDED)
    finding = one(judge(dom0("xen1", away, sessions=here), dom0("xen2", row(domid=8, **PAUSED), sessions=there)))
    assert (finding.code, finding.severity, finding.hosts) == ("session_waits", "error", ("xen1", "xen2"))
    assert "centos runs nowhere: it is on xen1 (" in finding.message
    assert finding.remedy == f"Settle it: `ansible-playbook -i INVENTORY dom0.xen.settle -e domain={UUID}`."
    result = judge(dom0("xen1", row(), sessions=here), dom0("xen2", row(domid=8), sessions=there))
    assert found(result) == {"running_twice": "error"}


@pytest.mark.parametrize("there", [[fresh(row(COMING, 8, **PAUSED))], []])
def test_a_receiver_whose_sender_was_killed_explains_nothing(there: list[DomainRow]) -> None:
    """It keeps what may be the last copy for as long as nobody settles, and the guest stands still for as long."""
    killed = dataclasses.replace(SENDING, phase="gate", alive=False)
    kept = dataclasses.replace(RECEIVING, phase="gate")
    away = row(AWAY, **SUSPENDED)
    result = judge(dom0("xen1", away, sessions=(killed,)), dom0("xen2", *there, sessions=(kept,)))
    assert found(result) == {"session_waits": "error", "session_dead": "error"}
    assert "centos runs nowhere: it is on xen1 (" in result.findings[0].message
    assert all("dom0.xen.settle" in finding.remedy for finding in result.findings)
    assert result.fails("error")


@pytest.mark.parametrize(
    ("phase", "alive", "code"),
    [
        ("gate", False, "session_waits"),
        ("transferred", False, "session_waits"),
        # It gives up by itself when the link has been down for long enough, or hears of the end at once.
        ("streaming", False, "move_under_way"),
        ("gate", True, "move_under_way"),
        # It has ended, and waits with its last word.
        ("ended", False, "move_under_way"),
    ],
)
def test_a_receiver_that_has_not_heard_how_its_sender_has_ended(phase: str, alive: bool, code: str) -> None:
    """The link was down: the domain runs on the source, and its complete copy has memory and disks for good."""
    ended = dataclasses.replace(SENDING, phase="ended", owner="source", end_state="stayed", alive=alive)
    kept = dataclasses.replace(RECEIVING, phase=phase)
    coming = fresh(row(COMING, 8, **PAUSED))
    result = judge(dom0("xen1", row(), sessions=(ended,)), dom0("xen2", coming, sessions=(kept,)))
    assert found(result)[code] == ("error" if code == "session_waits" else "info")
    if code == "session_waits":
        assert "centos runs on xen1 (" in result.findings[0].message
        assert "dom0.xen.settle" in result.findings[0].remedy


def test_a_receiver_that_was_looked_at_before_its_move_came_to_its_end_is_no_fault() -> None:
    """Hosts are looked at one after the other: the destination was at the gate, and the source says it has moved."""
    ended = dataclasses.replace(SENDING, phase="ended", owner="destination", end_state="moved", alive=False)
    before = dataclasses.replace(RECEIVING, phase="gate")
    result = judge(dom0("xen1", sessions=(ended,)), dom0("xen2", row(COMING, 8, **PAUSED), sessions=(before,)))
    assert found(result) == {"move_under_way": "info"}


def test_a_receiver_whose_sender_is_about_to_begin_is_no_fault() -> None:
    """The sender's folder is there before its process: nothing of it tells the domain yet."""
    coming = dataclasses.replace(SENDING, phase="unknown", owner="unsettled", alive=False)
    coming = dataclasses.replace(coming, domain=SessionDomain(None, None))
    listens = dataclasses.replace(RECEIVING, phase="starting")
    result = judge(dom0("xen1", row(), sessions=(coming,)), dom0("xen2", sessions=(listens,)))
    assert not result.fails("error") and "session_waits" not in found(result)


@pytest.mark.parametrize("sender", [(dataclasses.replace(SENDING, phase="ended"),), ()])
def test_what_a_session_sees_to_after_its_end_explains_no_second_copy(sender: tuple[SessionSeen, ...]) -> None:
    """A sender watches its guest for minutes, a receiver waits up to an hour with its last word: they move nothing."""
    waits = dataclasses.replace(RECEIVING, phase="ended")
    result = judge(dom0("xen1", row(), sessions=sender), dom0("xen2", row(domid=8), sessions=(waits,)))
    assert found(result) == {"running_twice": "error"}


def test_running_twice_on_one_host_is_not_explained_by_a_session() -> None:
    """One look shows a host in one moment."""
    assert found(judge(dom0("xen1", row(), row("b", 9), sessions=(SENDING,)))) == {"running_twice": "error"}


def test_others_at_work_are_no_fault() -> None:
    """A plain xl save or xl migrate explains why a domain stands still or has two copies, for as long as it lives."""
    saving = (Hand(77, "xl save", "centos"),)
    assert found(judge(dom0("xen1", row(**SUSPENDED), hands=saving))) == {"others_at_work": "info"}
    made = (Monitor(78, "xl migrate-receive", False),)
    result = judge(dom0("xen1", row(AWAY, **SUSPENDED)), dom0("xen2", fresh(row(COMING, 8, **PAUSED)), monitors=made))
    assert found(result) == {"others_at_work": "info"}
    assert "xl migrate-receive (pid 78 on xen2)" in result.findings[0].message
    for other in (Hand(77, "xl save", "web"), Hand(77, "xl shutdown", None)):
        assert found(judge(dom0("xen1", row(**SUSPENDED), hands=(other,)))) == {"suspended": "error"}


@pytest.mark.parametrize(("seen", "code"), [(DEAD, "session_dead"), (UNSETTLED, "session_unsettled")])
def test_session_without_a_good_end(seen: SessionSeen, code: str) -> None:
    """A warning while the domain is in order, an error when it is on no host."""
    result = judge(dom0("xen1", row(), sessions=(seen,)))
    assert found(result) == {code: "warning"}
    assert "runs on xen1, and no other copy is seen" in one(result).message
    result = judge(dom0("xen1", sessions=(seen,)), dom0("xen2", row("web", 4, OTHER)))
    assert found(result) == {code: "error"}
    assert one(result).remedy == f"Settle it: `ansible-playbook -i INVENTORY dom0.xen.settle -e domain={UUID}`."


def test_a_session_is_told_once_for_both_sides() -> None:
    """And by the domain that the other side knows, where one has only its journal left."""
    bare = dataclasses.replace(DEAD, role="receiver", phase="unknown", domain=SessionDomain(None, None))
    finding = one(judge(dom0("xen1", row(), sessions=(DEAD,)), dom0("xen2", sessions=(bare,))))
    assert finding.hosts == ("xen1", "xen2") and finding.domain == SessionDomain(UUID, "centos")
    finding = one(judge(dom0("xen1", row(), sessions=(session(),)), dom0("xen2", sessions=(bare,))))
    assert (finding.hosts, finding.severity) == (("xen2", "xen1"), "warning")
    finding = one(judge(dom0("xen1", row()), dom0("xen2", sessions=(bare,))))
    assert (finding.severity, finding.domain) == ("error", None)
    assert f"{'a' * 16}.receiver/journal" in finding.remedy


def test_a_later_session_makes_an_earlier_one_history() -> None:
    """What is known now counts; one that is older does not."""
    later = session(session="b" * 16)
    assert judge(dom0("xen1", row(), sessions=(later, UNSETTLED))).clean
    assert found(judge(dom0("xen1", row(), sessions=(UNSETTLED, later)))) == {"session_unsettled": "warning"}


def test_a_dead_side_of_a_session_that_lives_on_elsewhere() -> None:
    """The copies are explained, also without a monitor, and the dead side is told."""
    dead = dataclasses.replace(RECEIVING, alive=False)
    for here in (row(), row(AWAY, **SUSPENDED)):
        source = dom0("xen1", here, sessions=(SENDING,), monitors=())
        result = judge(source, dom0("xen2", fresh(row(COMING, 8, **PAUSED)), sessions=(dead,)))
        assert found(result) == {"move_under_way": "info", "session_dead": "warning"}


def test_session_of_a_domain_that_keeps_a_name_it_should_not_have() -> None:
    """It runs in one place only, and is not in order all the same."""
    assert found(judge(dom0("xen1", row(AWAY), sessions=(DEAD,)))) == {
        "migratedaway_left": "error",
        "session_dead": "error",
    }


def test_what_is_torn_down_is_no_copy() -> None:
    """A source that takes its time to end never runs again."""
    assert judge(dom0("xen1", row(dying=True)), dom0("xen2", row(domid=8))).clean


def test_domain_without_a_monitor() -> None:
    """Nothing handles its reboot; when it waits for that already, it stands still."""
    finding = one(judge(dom0("xen1", row(), monitors=())))
    assert (finding.code, finding.severity) == ("monitor_missing", "warning")
    finding = one(judge(dom0("xen1", row(shutdown=True, reason="reboot"), monitors=())))
    assert (finding.code, finding.severity) == ("monitor_missing", "error")
    assert finding.remedy == "On xen1: `xl destroy 3`, then `xl create` with its configuration file."


@pytest.mark.parametrize(
    "monitors",
    [
        (Monitor(9, "xl migrate-receive", True, 3, COMING),),
        (Monitor(9, "xl create", True, 3, "called otherwise"),),
        (Monitor(9, "xl create", True, None, COMING),),
    ],
)
def test_monitors_that_are_there(monitors: tuple[Monitor, ...]) -> None:
    """By domid, else by name."""
    assert judge(dom0("xen1", row(), monitors=monitors)).clean


def test_a_domain_that_is_being_made_has_no_monitor_yet() -> None:
    """It is paused until then; one that runs is missed its monitor, whatever else is being made on the host."""
    making = (Monitor(9, "xl create", False),)
    assert found(judge(dom0("xen1", fresh(row(**PAUSED)), monitors=making))) == {"others_at_work": "info"}
    assert found(judge(dom0("xen1", row(), monitors=making))) == {"monitor_missing": "warning"}


def test_monitor_that_does_not_tell_its_domain() -> None:
    """It may be the one: no alarm every hour on a host where guests are started in the foreground."""
    assert found(judge(dom0("xen1", row(), monitors=(Monitor(9, "xl create", True),)))) == {"monitor_unknown": "info"}
    assert found(judge(dom0("xen1", row(), monitors=(Monitor(9, "xl create", True, 4, "web"),)))) == {
        "monitor_missing": "warning"
    }


@pytest.mark.parametrize("copy", [row("Xenstore"), row("web-dm"), row(dying=True)])
def test_domains_that_have_no_monitor(copy: DomainRow) -> None:
    """Those that libxl makes for itself, and what is just being torn down."""
    assert judge(dom0("xen1", copy, monitors=())).clean


def test_autostart_of_a_domain_that_lives_elsewhere() -> None:
    """It would run twice after the next boot; by its name alone that is not certain."""
    entry = AutostartEntry("/etc/xen/auto/centos.cfg", "config", "centos", UUID)
    finding = one(judge(dom0("xen1", autostart=(entry,)), dom0("xen2", row())))
    assert (finding.code, finding.severity, finding.hosts) == ("autostart_elsewhere", "error", ("xen1", "xen2"))
    assert "/etc/xen/auto/centos.cfg" in finding.remedy
    nameless = dataclasses.replace(entry, uuid=None)
    assert found(judge(dom0("xen1", autostart=(nameless,)), dom0("xen2", row()))) == {"autostart_elsewhere": "warning"}
    other = dataclasses.replace(entry, uuid=OTHER)
    assert judge(dom0("xen1", autostart=(other,)), dom0("xen2", row())).clean
    assert judge(dom0("xen1", row(), autostart=(entry, nameless)), dom0("xen2")).clean


def test_autostart_that_is_still_set_aside() -> None:
    """Where the domain lives it is missed after a boot; where it has left, and while a session has it, it is right."""
    entry = AutostartEntry("/etc/xen/auto/.centos.cfg", "config", "centos", UUID, set_aside="a" * 16)
    assert found(judge(dom0("xen1", row(), autostart=(entry,)))) == {"autostart_set_aside": "warning"}
    old = dataclasses.replace(entry, path="/var/lib/xen/save/.centos", kind="image")
    assert one(judge(dom0("xen1", row(), autostart=(old,)))).remedy == "On xen1: remove it."
    assert judge(dom0("xen1", autostart=(entry,)), dom0("xen2", row())).clean
    assert found(judge(dom0("xen1", row(), autostart=(entry,), sessions=(SENDING,)))) == {"move_under_way": "info"}


def test_a_host_that_does_not_answer_is_never_clean() -> None:
    """Nothing else is wrong, and all the same nobody knows; remedies say which hosts to ask first."""
    result = judge(dom0("xen1", row()), None)
    assert found(result) == {"host_unreachable": "error"}
    assert (result.complete, result.clean, result.silent, result.look_again) == (False, False, ("xen2",), ("xen2",))
    assert describe(result)[0] == "2 hosts, 1 domain: 1 error. Not complete: 1 host not known."
    result = judge(dom0("xen1", row(**SUSPENDED)), None)
    assert result.findings[0].remedy.startswith("First see that it does not run on xen2, ")


def test_a_host_that_does_not_tell_its_domains() -> None:
    """With the reason that the host gave, or that the module failed with."""
    broken = host("xen2", domains=(), problems=(Problem("xl_failed", "xl list said no.", "Look at xl."),))
    finding = one(judge(dom0("xen1", row()), broken))
    assert (finding.code, finding.message, finding.remedy) == (
        "host_without_facts",
        "xen2 did not tell its domains: xl list said no.",
        "Look at xl.",
    )
    finding = one(judge(dom0("xen1"), xen9=Answer(None, True, "no python")))
    assert finding.message == "xen9 did not tell its domains: no python."


def test_a_host_that_was_not_asked() -> None:
    """A limit leaves hosts out: that is said, as one finding however many they are."""
    result = audit({"xen1": Answer(dom0("xen1"))}, [f"xen{number}" for number in range(1, 9)])
    assert found(result) == {"host_not_asked": "warning"}
    assert not result.complete and result.look_again == ()
    assert one(result).message == "Not asked: xen2, xen3, xen4, xen5, xen6 and 2 more. A second copy there is not seen."


def test_problems_of_a_host_are_told() -> None:
    """It told its domains, and something else was not to be seen."""
    problem = Problem("xenstore_unreachable", "XenStore does not answer.", "Restart it.")
    finding = one(judge(dom0("xen1", problems=(problem,))))
    assert (finding.code, finding.severity, finding.message, finding.remedy) == (
        "xenstore_unreachable",
        "warning",
        "xen1: XenStore does not answer.",
        "Restart it.",
    )


def test_what_makes_it_fail() -> None:
    """Errors by default; warnings when asked for; nothing when told so."""
    warning, error = judge(dom0("xen1", row(), monitors=())), judge(dom0("xen1", row(**SUSPENDED)))
    assert [warning.fails(level) for level in ("error", "warning", "never")] == [False, True, False]
    assert [error.fails(level) for level in ("error", "warning", "never")] == [True, True, False]
    assert not judge(dom0("xen1", row(**PAUSED))).fails("warning")


def test_the_worst_comes_first_and_all_of_it_is_json() -> None:
    """Monitoring reads the first; a program reads it all back."""
    result = judge(dom0("xen1", row("web", 5, OTHER, **PAUSED), row(), monitors=()), dom0("xen2", row(domid=8)))
    assert [finding.severity for finding in result.findings] == ["error", "warning", "warning", "info"]
    assert Audit.from_result(json.loads(json.dumps(result.to_result()))) == result
    suspended = row("mail", 4, "11111111" + OTHER[8:], **SUSPENDED)
    result = judge(dom0("xen1", suspended, row()), dom0("xen2", row(domid=8)))
    assert [finding.code for finding in result.findings] == ["running_twice", "suspended"]
    lines = describe(result)
    assert lines[0] == "2 hosts, 2 domains: 2 errors."
    assert lines[1].startswith("ERROR running_twice: centos runs on xen1 ")
    assert lines[2].startswith("  Stop all of them at once: ")


def test_cost_grows_with_the_number_of_domains_only() -> None:
    """Four times the hosts must cost about four times the work, not sixteen times."""

    def seconds(count: int) -> float:
        hosts = [
            dom0(
                f"xen{number}",
                *(row(f"d{number}-{i}", i, str(uuid.UUID(int=number * 1000 + i)), **PAUSED) for i in range(1, 31)),
                sessions=tuple(session(session=f"{number:08x}{i:08x}", end_state=None) for i in range(20)),
                autostart=tuple(AutostartEntry("/a", "config", f"d{number + 1}-{i}", None) for i in range(1, 31)),
            )
            for number in range(count)
        ]
        before = time.process_time()
        judge(*hosts)
        return time.process_time() - before

    seconds(10)
    small, large = min(seconds(50) for dummy in range(3)), min(seconds(200) for dummy in range(3))
    assert large < 9 * small
