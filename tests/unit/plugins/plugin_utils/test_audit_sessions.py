# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit tells sessions that are under way from those without a good end."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import (
    DomainRow,
    Hand,
    Monitor,
    SessionDomain,
    SessionSeen,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    OTHER,
    UUID,
    row,
    session,
)
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils.audited import (
    AWAY,
    COMING,
    DEAD,
    PAUSED,
    RECEIVING,
    SENDING,
    SUSPENDED,
    UNSETTLED,
    dom0,
    found,
    fresh,
    judge,
    one,
)


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
