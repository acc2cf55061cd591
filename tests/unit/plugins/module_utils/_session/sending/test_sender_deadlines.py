# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit runs on over any number of connections; only what comes over the link, or another step, begins it anew."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source import advance
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.sender_deadlines import SenderDeadlines
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure, Owner, Phase
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends

LINK, STOP_LINK, READY, STALL = 30.0, 10.0, 60.0, 300.0

RUNS = SourceState("centos", phase=Phase.STREAMING, xl_runs=True)
STILL = replace(RUNS, phase=Phase.TRANSFERRED)
ASKED = replace(STILL, phase=Phase.COMMITTED, ready_given=True, commit_left=True, owner=Owner.UNSETTLED)


def settings(**changes: t.Any) -> SenderSettings:
    """Those of a sender with the limits above."""
    values: dict[str, t.Any] = {
        "session": "0123456789abcdef",
        "uuid": "1c2d3e4f-0000-4000-8000-00000000002a",
        "name": "centos",
        "runtime_folder": "/nonexistent",
        "journal_folder": "/nonexistent",
        "peer_certificate": "",
        "xl": "xl",
        "link_timeout": LINK,
        "peer_host": "",
        "destination_address": "",
        "port": 1,
        "connect_timeout": 1.0,
        "stop_link_timeout": STOP_LINK,
        "memory_kib": 1,
        "gate_held": False,
        "gate_timeout": 100.0,
        "progress_interval": 1.0,
        "ready_timeout": READY,
        "stall_timeout": STALL,
    }
    return SenderSettings(**{**values, **changes})


class Course:
    """A sender's deadlines over a link on this machine whose connections come and go; time passes as it is told."""

    def __init__(self, ends: Ends, state: SourceState, **changes: t.Any) -> None:
        self.ends, self.state, self.position = ends, state, 0
        self.deadlines = SenderDeadlines(settings(**changes), ends.near, ends.clock)
        ends.connect()
        self.look()

    def look(self) -> list[words.Event]:
        """What is too late now."""
        return list(self.deadlines.passed(self.state, {}, self.position))

    def up(self, seconds: float) -> list[words.Event]:
        """Let time pass with a connection that is made now and carries nothing, and is lost then."""
        self.ends.connect()
        found = self.look()
        self.ends.clock.skew += seconds
        found += self.look()
        self._lose()
        return found

    def down(self, seconds: float) -> list[words.Event]:
        """Let time pass without a connection."""
        if self.ends.near.up:
            self._lose()
        found = self.look()
        self.ends.clock.skew += seconds
        return found + self.look()

    def answer(self) -> None:
        """Make a connection over which the destination answers, and which is lost then."""
        self.ends.connect()
        before = self.ends.near.answers
        self.ends.near.tick()
        self.ends.until(lambda: self.ends.near.answers > before)
        self._lose()

    def _lose(self) -> None:
        # The listener's end may notice it only when the next connection comes.
        self.ends.near.detach()
        self.ends.far.detach()

    def carry(self) -> None:
        """Let the destination use something."""
        self.ends.near.send_data(b"x" * 100)
        before = self.ends.near.used_bytes
        self.ends.until(lambda: self.ends.near.used_bytes > before)


@pytest.fixture
def ends() -> t.Iterator[Ends]:
    """Both ends of a link."""
    with Ends() as made:
        yield made


@pytest.mark.parametrize(("state", "limit"), [(RUNS, LINK), (STILL, STOP_LINK)], ids=["runs", "stands still"])
def test_a_link_that_comes_and_goes(ends: Ends, state: SourceState, limit: float) -> None:
    """It never stays away for as long as is waited, and is given up when all of that is longer."""
    course = Course(ends, state)
    part = limit * 0.3
    for _dummy in range(3):
        assert course.down(part) == []
        assert course.up(0.5) == []
    (event,) = {type(each) for each in course.down(part)}
    assert event is words.LinkExpired


def test_a_receiver_that_was_killed_is_no_fault_of_the_network(ends: Ends) -> None:
    """Who is told to look at the network at night finds nothing there."""
    course = Course(ends, RUNS)
    ends.listener.close()
    course.down(0.1)
    ends.until(lambda: ends.near.trouble is not None)
    (event,) = course.down(LINK + 1)
    assert isinstance(event, words.LinkExpired)
    assert "Connection refused" in event.failure.msg
    assert "does not listen any more" in event.failure.remedy


@pytest.mark.parametrize(("state", "limit"), [(RUNS, STALL), (STILL, READY)], ids=["runs", "stands still"])
def test_a_link_that_comes_up_and_carries_nothing(ends: Ends, state: SourceState, limit: float) -> None:
    """As where only small packets pass: it is lost for silence each time, and made again at once."""
    course = Course(ends, state)
    for _dummy in range(6):
        assert course.up(limit * 0.16) == []
        assert course.down(0.01) == []
    (event,) = course.up(limit * 0.16)
    assert isinstance(event, words.Stalled)


def test_the_time_without_a_connection_is_the_limit_of_the_link(ends: Ends) -> None:
    """So that a link that comes back just in time takes nothing from what may be waited for with it."""
    course = Course(ends, STILL)
    for _dummy in range(2):
        assert course.up(READY * 0.45) == []
        assert course.down(STOP_LINK * 0.45) == []
    ends.connect()
    ends.clock.skew += READY * 0.05
    assert course.look() == []


def test_what_is_used_at_the_destination_begins_all_anew(ends: Ends) -> None:
    """Also the shortest limit, after most of it had passed."""
    course = Course(ends, STILL)
    for _dummy in range(4):
        assert course.down(STOP_LINK * 0.7) == []
        assert course.up(READY * 0.7) == []
        ends.connect()
        course.carry()
        assert course.look() == []


GATE = replace(STILL, phase=Phase.GATE, ready_given=True, gate_held=True, permission_held=True)


@pytest.mark.parametrize(("state", "limit"), [(RUNS, LINK), (GATE, STOP_LINK)], ids=["runs", "at the gate"])
def test_an_answer_is_enough(ends: Ends, state: SourceState, limit: float) -> None:
    """A link may be lost any number of times while the caller's tasks run, or the destination waits for its lock."""
    course = Course(ends, state)
    for _dummy in range(5):
        assert course.down(limit * 0.7) == []
        course.answer()


def test_a_guest_that_stands_still_does_not_wait_for_answers(ends: Ends) -> None:
    """Only what is used at the destination brings it nearer to its end."""
    course = Course(ends, STILL)
    found: list[words.Event] = []
    for _dummy in range(3):
        found += course.down(STOP_LINK * 0.4)
        course.answer()
    assert words.LinkExpired in {type(each) for each in found}


def test_what_xl_writes_is_nothing_that_the_link_has_carried(ends: Ends) -> None:
    """There is room for some of it at this end."""
    course = Course(ends, RUNS)
    found: list[words.Event] = []
    for _dummy in range(4):
        course.position += 1000
        found += course.down(LINK * 0.3)
        course.up(0.1)
    assert words.LinkExpired in {type(each) for each in found}


def test_a_step_of_the_session_does_not_call_a_lost_link_back(ends: Ends) -> None:
    """The stream may come to its end, on this host, while nothing leaves it."""
    course = Course(ends, RUNS)
    assert course.down(STOP_LINK * 0.9) == []
    course.state = STILL
    assert [type(each) for each in course.down(STOP_LINK * 0.2)][-1:] == [words.LinkExpired]


def test_after_the_commit_request_it_is_only_told(ends: Ends) -> None:
    """Nothing is given up, however long the link comes and goes; the session says that it is late until it hears."""
    course = Course(ends, ASKED)
    assert not course.deadlines.late(course.state)
    for _dummy in range(5):
        for event in (*course.down(LINK * 0.3), *course.up(READY * 0.3)):
            assert advance(ASKED, event) == (ASKED, ())
    ends.connect()
    course.look()
    assert course.deadlines.late(course.state)
    course.carry()
    course.look()
    assert not course.deadlines.late(course.state)


@pytest.mark.parametrize("recorded", [True, False], ids=["on record", "the disk is full"])
def test_the_controller_has_its_time_from_the_record_on(ends: Ends, recorded: bool) -> None:
    """Until the disks have come to rest nobody can permit anything."""
    deadlines = SenderDeadlines(settings(gate_timeout=20.0), ends.near, ends.clock)
    ends.connect()
    timeline = {"permission_held": ends.clock()}
    ends.clock.skew += 15.0
    if recorded:
        timeline["journal_permission_held"] = ends.clock()
    assert list(deadlines.passed(GATE, timeline, 0)) == []
    ends.clock.skew += 15.0
    assert list(deadlines.passed(GATE, timeline, 0)) == []
    ends.clock.skew += 10.0
    (event,) = deadlines.passed(GATE, timeline, 0)
    assert isinstance(event, words.Failed) and event.failure.code == "gate_timeout"


def test_what_stood_still_in_one_state_is_not_late_in_the_next(ends: Ends) -> None:
    """What was done about it has just begun, and nobody is told to come to its help."""
    course = Course(ends, STILL)
    (event,) = course.up(READY * 1.1)
    assert course.deadlines.late(course.state)
    given_up = replace(STILL, failure=Failure("stalled", "nothing has moved"), xl_killed=True)
    assert isinstance(event, words.Stalled) and not course.deadlines.late(given_up)


@pytest.mark.parametrize(("memory_mib", "limit"), [(1, 600.0), (1024, 600.0), (1025, 1200.0), (8192, 4800.0)])
def test_a_move_that_takes_too_long_while_the_guest_runs(ends: Ends, memory_mib: int, limit: float) -> None:
    """Whatever moves meanwhile, and the more memory it has the longer; one that stands still is not given up by it."""
    course = Course(ends, RUNS, timeout_per_gib=600, memory_kib=memory_mib * 1024, stall_timeout=1e6)
    ends.clock.skew += limit - 1
    course.carry()
    assert course.look() == []
    ends.clock.skew += 2
    course.carry()
    (event,) = course.look()
    assert isinstance(event, words.Failed) and event.failure.code == "too_slow"
    assert f"after {limit:g} s" in event.failure.msg and "migrate_timeout" in event.failure.remedy
    course.state, _dummy = advance(course.state, event)
    course.carry()
    assert course.look() == []
    course.state = STILL
    assert course.look() == []


@pytest.mark.parametrize("phase", [Phase.CONFIGURATION, Phase.STREAMING])
def test_a_guest_that_is_paused_for_the_move_does_not_run(ends: Ends, phase: Phase) -> None:
    """With suspend it is, while all of its memory is sent; XenStore may not tell, as without drivers for Xen."""
    course = Course(ends, replace(RUNS, pauses=True), timeout_per_gib=600, stall_timeout=1e6)
    course.state = replace(course.state, phase=phase, copy_told=True)
    course.carry()
    assert course.look() == []
    ends.clock.skew += 601
    course.carry()
    assert course.look() == []
