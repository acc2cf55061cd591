# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All faults there are: every kind at every point where it can happen (pure)."""

from __future__ import annotations

import dataclasses
import typing as t

from .courses import COURSES
from .kinds import KINDS
from .names import SMOOTH, Fault, Place
from .points import Baseline, Passed

# Faults that leave a session to be settled, spread over its course; while it is settled a second one comes.
FIRSTS = tuple(
    Fault.parse(name)
    for name in (
        "kill-sender@source/sender.stream.page1.half",
        "kill-sender@source/migrate.renamed",
        "kill-sender@source/sender.journal.commit_requested.after",
        "kill-sender@source/sender.journal.reported_running.after",
        "link-lost@source/sender.journal.commit_requested.after",
        "kill-receiver@destination/receiver.journal.ready.after",
        "kill-receiver@destination/receiver.journal.commit.after",
        "kill-receiver@destination/receiver.journal.running.before",
        "kill-xl-receive@destination/receive.go",
        "power-source@source/sender.journal.commit_requested.after",
        "power-destination@destination/receiver.journal.commit.after",
        "kill-controller@held:source/gate.tasks.after",
        "kill-sender@held:source/gate.tasks.after",
        "kill-xl-migrate@refused:source/gate.undo.before",
        "kill-sender@held:source/sender.journal.commit_requested.after",
        "kill-receiver@held:destination/receiver.journal.commit.after",
        "power-source@held:source/gate.tasks.after",
        "power-destination@held:source/gate.tasks.after",
        "kill-sender@suspend:source/sender.journal.commit_requested.after",
        "kill-sender@cold:source/sender.journal.commit_requested.after",
        "kill-receiver@cold:destination/receiver.journal.commit.after",
        "power-source@cold:source/sender.journal.commit_requested.after",
    )
)
# With fewer it is no campaign.
LEAST_FAULTS = 3000
# Of these courses so many faults go through ansible-playbook, at least.
PLAYBOOKS = {SMOOTH: 110, "cold": 15}
_SETTLING = "settling after "
# The kinds for courses other than the smooth one; the others have been tried at the same code there.
_BESIDE = ("kill-", "power-", "link-cut")
# Those for the courses of another way: a record that cannot be written, or comes late, means something else there.
_ANOTHER_WAY = (*_BESIDE, "full-", "hang-")
# Those for the courses in which somebody asks before the guest is suspended, as long as that one lives.
_ASKS_FIRST, _ASKS = ("kill-",), "warden"
_WHILE_SETTLING = ("kill-settler", "kill-sender", "kill-receiver", "power-")
# And there a disk fails before something is written to it, and a clock jumps before anything is read from it.
_DISKS, _CLOCKS = ("full-", "eio-"), ("clock-",)
_WRITES, _READS = (".journal.", ".document."), "settle.look.before"


def settling_of(first: Fault) -> str:
    """Return the name under which the points of a settling are listed."""
    return f"{_SETTLING}{first}"


def settled_first(course: str) -> Fault | None:
    """Return the fault that is settled in this course, None for a course without."""
    return Fault.parse(course.removeprefix(_SETTLING)) if course.startswith(_SETTLING) else None


def faults(baseline: Baseline) -> list[Fault]:
    """Return all faults in a stable order, each once."""
    found: dict[Fault, None] = {}
    for course, passed in baseline.items():
        first = settled_first(course)
        if first is not None:
            for kind, place in _while_settling(passed):
                found[Fault(first.kind, first.place, first.course, (kind, place))] = None
        elif course == SMOOTH:
            for kind, place in _pairs(passed, ("",)):
                if not (kind.startswith("link-") and ".document." in place.point):
                    found[Fault(kind, place)] = None
        else:
            # What a status says has no part in what is decided.
            own = [one for one in _after_deed(course, passed, baseline) if ".document.s" not in one.place.point]
            if COURSES[course].asks_first:
                own = [one for one in own if _ASKS in one.alive]
            for kind, place in _pairs([one for one in own if ".stream." not in one.place.point], _kinds_for(course)):
                found[Fault(kind, place, course)] = None
    return [*found, *through_playbooks(list(found))]


def _kinds_for(course: str) -> tuple[str, ...]:
    if COURSES[course].asks_first:
        return _ASKS_FIRST
    return _ANOTHER_WAY if COURSES[course].another_way else _BESIDE


def _pairs(passed: t.Iterable[Passed], kinds: tuple[str, ...]) -> t.Iterator[tuple[str, Place]]:
    for one in passed:
        for kind in KINDS.values():
            if kind.name.startswith(kinds) and kind.applies(one.place, one.alive):
                yield kind.name, one.place


def _while_settling(passed: t.Sequence[Passed]) -> t.Iterator[tuple[str, Place]]:
    yield from _pairs(passed, _WHILE_SETTLING)
    yield from _pairs([one for one in passed if _is_written(one.place.point)], _DISKS)
    yield from _pairs([one for one in passed if one.place.point == _READS], _CLOCKS)


def _is_written(point: str) -> bool:
    return point.endswith(".before") and any(each in point for each in _WRITES)


def _after_deed(course: str, passed: t.Sequence[Passed], baseline: Baseline) -> t.Iterator[Passed]:
    """Yield the points of a course that come after its own deed, or that the course which it is like has not."""
    like = {one.place for one in baseline.get(COURSES[course].like, ())}
    starts = COURSES[course].begins
    begun = False
    for one in passed:
        if begun or one.place not in like:
            yield one
        begun = begun or one.place in starts


def through_playbooks(everything: t.Sequence[Fault]) -> list[Fault]:
    """Return faults whose move and settling are done by ansible-playbook, of a course the same share of every kind."""
    chosen = []
    for course, count in PLAYBOOKS.items():
        by_kind: dict[str, list[Fault]] = {}
        for fault in everything:
            if fault.course == course and fault.again is None:
                by_kind.setdefault(fault.kind, []).append(fault)
        each = -(-count // max(1, len(by_kind)))
        chosen += [fault for group in by_kind.values() for fault in sample(group, each)]
    return [dataclasses.replace(fault, playbook=True) for fault in chosen]


def sample(everything: t.Sequence[Fault], count: int) -> list[Fault]:
    """Return an even sample: of every kind the same share, evenly over its points, and of one the middle."""
    ordered = _by_kind(everything)
    step = max(1.0, len(ordered) / max(1, count))
    return [ordered[int((at + 0.5) * step)] for at in range(min(count, len(ordered)))]


def campaign(everything: t.Sequence[Fault], count: int) -> list[Fault]:
    """Return an even sample; one that is large enough for a campaign has all that go through playbooks."""
    if count < LEAST_FAULTS:
        return sample(everything, count)
    through = [fault for fault in everything if fault.playbook]
    return [*sample([fault for fault in everything if not fault.playbook], count - len(through)), *through]


def spread(chosen: t.Sequence[Fault]) -> list[Fault]:
    """Return the same faults in an order whose every beginning is an even sample of them."""
    ordered = _by_kind(chosen)
    return [ordered[at] for at in sorted(range(len(ordered)), key=_reversed_bits)]


def _by_kind(chosen: t.Sequence[Fault]) -> list[Fault]:
    groups: dict[str, list[Fault]] = {}
    for fault in chosen:
        groups.setdefault(fault.again[0] if fault.again else fault.kind, []).append(fault)
    return [fault for group in groups.values() for fault in group]


def _reversed_bits(number: int) -> int:
    return int(format(number, "020b")[::-1], 2)
