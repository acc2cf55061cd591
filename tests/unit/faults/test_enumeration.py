# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of faults is complete, has each once, and gives even samples."""

from __future__ import annotations

import collections

import pytest
from dom0_faults import points
from dom0_faults.courses import COURSES
from dom0_faults.enumeration import FIRSTS, LEAST_FAULTS, PLAYBOOKS, campaign, faults, sample, settling_of, spread
from dom0_faults.kinds import KINDS, PROCESSES
from dom0_faults.names import SMOOTH, Fault, Place
from dom0_faults.points import Passed

KNOWN = points.load()
ALL = faults(KNOWN)


def test_each_fault_is_listed_once_by_a_name_that_finds_it_again() -> None:
    """What the summary names can be repeated."""
    names = [str(fault) for fault in ALL]
    assert len(set(names)) == len(names) >= LEAST_FAULTS
    assert [Fault.parse(name) for name in names] == ALL


def test_every_kind_is_tried() -> None:
    """A kind whose process is never seen alive would vanish without a word."""
    tried = {fault.kind for fault in ALL} | {fault.again[0] for fault in ALL if fault.again}
    assert tried == set(KINDS)
    assert all(f"kill-{process}" in tried for process in PROCESSES)


def test_every_point_of_a_smooth_move_is_tried_with_everything_that_is_there() -> None:
    """Power of both hosts everywhere; every process at every point where it lives."""
    tried = collections.defaultdict(set)
    for fault in ALL:
        if fault.course == SMOOTH and fault.again is None:
            tried[fault.place].add(fault.kind)
    for one in KNOWN[SMOOTH]:
        assert {"power-source", "power-destination"} <= tried[one.place]
        assert {f"kill-{name}" for name in one.alive if name in PROCESSES} <= tried[one.place]


BOTH = Passed(Place("source", "sender.begin"), ("sender",))
PARTS, DOWN, CREATE = "sender.journal.shutting_down.before", "shutter.shut_down.after", "create.make"


def _tried(course: str, *points: Passed) -> dict[str, set[str]]:
    """Which kinds are tried where in a made-up course."""
    tried = collections.defaultdict(set)
    for fault in faults({SMOOTH: (BOTH,), course: (BOTH, *points)}):
        if fault.course == course and not fault.playbook:
            tried[fault.place.point].add(fault.kind)
    return tried


def test_a_course_of_another_way_is_broken_from_where_it_is_another_one() -> None:
    """With everything that means something else there: processes, power, the link, disks, and what hangs."""
    alive = ("sender", "xl-migrate", "monitor", "link")
    record = Passed(Place("source", "sender.journal.ready.after"), alive)
    there = Passed(Place("destination", CREATE), ("xl-create",))
    tried = _tried("cold", Passed(Place("source", PARTS), alive), Passed(Place("source", DOWN), alive), record, there)
    power, killed = {"power-source", "power-destination"}, {"kill-sender", "kill-xl-migrate", "kill-monitor"}
    assert BOTH.place.point not in tried
    assert tried[DOWN] == tried[PARTS] == {*power, *killed, "link-cut", "full-source"}
    assert tried[record.place.point] == {*tried[DOWN], "hang-sender", "hang-xl-migrate"}
    assert tried[CREATE] == {*power, "kill-xl-create"}


@pytest.mark.parametrize("course", ["bounded", "rehearsed"])
def test_whoever_is_there_is_killed_while_somebody_asks_before_the_guest_is_suspended(course: str) -> None:
    """Before and after that it is a move like any other."""
    alive = ("sender", "xl-migrate", "save-helper", "link")
    begins = Passed(COURSES[course].parts[0], alive)
    tried = _tried(course, begins, Passed(Place("source", "save.suspend"), (*alive, "warden")))
    assert tried == {"save.suspend": {"kill-sender", "kill-xl-migrate", "kill-save-helper", "kill-warden"}}


def test_a_course_like_another_one_is_broken_where_it_parts_from_that() -> None:
    """What it shares with it is tried there."""
    known = {SMOOTH: (BOTH,), "cold": (BOTH, Passed(Place("source", DOWN), ()))}
    late = (*known["cold"], Passed(COURSES["cold-late"].parts[0], ()), Passed(Place("source", "create.make"), ()))
    places = {fault.place.point for fault in faults({**known, "cold-late": late}) if fault.course == "cold-late"}
    assert places == {"shutter.go_back.before", "create.make"}


def test_a_disk_fails_and_a_clock_jumps_while_it_is_settled() -> None:
    """Before each record and each file that is written, and before each look; a disk that is not written to is none."""
    look, record = "settle.look.before", "settle.journal.fenced.before"
    passed = [look, record, "settle.journal.fenced.written", "settle.document.result.before", "list.start"]
    settling = tuple(Passed(Place("source", point), ("settler",)) for point in passed)
    tried = collections.defaultdict(set)
    for fault in faults({SMOOTH: (BOTH,), settling_of(FIRSTS[0]): settling}):
        if fault.again:
            tried[fault.again[1].point].add(fault.again[0])
    always = {"kill-settler", "power-source", "power-destination"}
    assert tried["list.start"] == tried["settle.journal.fenced.written"] == always
    assert tried[record] == tried["settle.document.result.before"] == {*always, "full-source", "eio-source"}
    assert tried[look] == {*always, "clock-forward-source", "clock-back-source"}


def test_playbooks_are_broken_in_every_course_that_is_to_go_through_them() -> None:
    """A course without the playbooks' own code shows nothing of that."""
    through = collections.Counter(fault.course for fault in ALL if fault.playbook)
    assert all(through[course] >= count for course, count in PLAYBOOKS.items())


@pytest.mark.parametrize("first", FIRSTS, ids=str)
def test_settling_is_disturbed_in_its_turn(first: Fault) -> None:
    """Each fault that leaves something to settle is followed by faults at every point of its settling."""
    places = {fault.again[1] for fault in ALL if fault.again and str(fault).startswith(f"{first}+")}
    assert places == {one.place for one in KNOWN[settling_of(first)]}


@pytest.mark.parametrize(
    "part",
    [
        *("header.half", "config.first", "config.last", "page1.first", "page3.last", "END", "permission.half"),
    ],
)
def test_positions_in_the_stream_are_among_the_points(part: str) -> None:
    """Header, configuration, first and last page record, END and the permission, on both sides."""
    places = {one.place for one in KNOWN[SMOOTH]}
    assert Place("source", f"sender.stream.{part}") in places
    assert Place("destination", f"receiver.stream.{part}") in places


def _kind(fault: Fault) -> str:
    return fault.again[0] if fault.again else fault.kind


def test_a_campaign_has_all_that_go_through_playbooks() -> None:
    """A sample that is large enough to be one; a smaller one has its share."""
    through = [fault for fault in ALL if fault.playbook]
    chosen = campaign(ALL, LEAST_FAULTS)
    assert len(set(chosen)) == LEAST_FAULTS and set(through) <= set(chosen)
    assert campaign(ALL, 60) == sample(ALL, 60)


def test_a_sample_has_its_share_of_every_kind() -> None:
    """A sample of a tenth is a tenth of each kind, and so is every beginning of a spread one."""
    most = collections.Counter(map(_kind, ALL)).most_common(8)
    for chosen in (sample(ALL, len(ALL) // 10), spread(ALL)[: len(ALL) // 10]):
        got = collections.Counter(map(_kind, chosen))
        assert len(set(chosen)) == len(chosen)
        assert all(0.7 * count / 10 <= got[kind] <= 1.3 * count / 10 for kind, count in most)
    assert sorted(spread(ALL), key=str) == sorted(ALL, key=str)


def test_a_name_that_is_none_is_refused() -> None:
    """A typing error does not run something else."""
    for text in ("kill-sender", "kill-sender@nowhere/point", "@source/x", "kill-sender@source/"):
        with pytest.raises(ValueError, match="is not"):
            Fault.parse(text)
