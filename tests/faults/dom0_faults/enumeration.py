# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All faults there are: every kind at every point where it can happen (pure)."""

from __future__ import annotations

import typing as t

from .courses import COURSES
from .kinds import KINDS
from .names import SMOOTH, Fault, Place
from .points import Baseline, Passed

# The course whose points are those of a settling; its faults come second, after one of these first ones.
SETTLING = "settling"
# Without a fault these are the same in every course; which one it was has been tried in the smooth one.
_ELSEWHERE = ("full", "eio", "clock", "gone")


def faults(baseline: Baseline) -> list[Fault]:
    """Return all faults in a stable order, each once."""
    found: dict[Fault, None] = {}
    for course, passed in baseline.items():
        if course == SETTLING:
            continue
        for one in passed if course == SMOOTH else _after_deed(course, passed, baseline):
            for kind in KINDS.values():
                if kind.applies(one.place, one.alive) and (course == SMOOTH or _matters(kind.name)):
                    found[Fault(kind.name, one.place, course)] = None
    for first in _firsts(baseline):
        for one in baseline.get(SETTLING, ()):
            for kind in KINDS.values():
                if kind.applies(one.place, one.alive) and kind.name.startswith(("kill-", "power-", "gone-")):
                    found[Fault(first.kind, first.place, first.course, (kind.name, one.place))] = None
    return list(found)


def _matters(kind: str) -> bool:
    return not kind.startswith(_ELSEWHERE)


def _after_deed(course: str, passed: t.Sequence[Passed], baseline: Baseline) -> t.Iterator[Passed]:
    """Yield the points of a course that come after its own deed, or that only it has."""
    smooth = {one.place for one in baseline.get(SMOOTH, ())}
    starts = {place for place, dummy in COURSES[course].deeds}
    begun = False
    for one in passed:
        if begun or one.place not in smooth:
            yield one
        begun = begun or one.place in starts


def _firsts(baseline: Baseline) -> list[Fault]:
    """Return faults that leave a session to be settled, spread over its course."""
    places = {one.place: one.alive for one in baseline.get(SMOOTH, ())}
    found = []
    for kind, text in FIRSTS:
        place = Place.parse(text)
        if place in places and KINDS[kind].applies(place, places[place]):
            found.append(Fault(kind, place))
    return found


FIRSTS = (
    ("kill-sender", "source/sender.stream.page1.half"),
    ("kill-sender", "source/migrate.renamed"),
    ("kill-sender", "source/sender.journal.commit_requested.after"),
    ("kill-sender", "source/sender.journal.reported_running.after"),
    ("kill-receiver", "destination/receiver.journal.ready.after"),
    ("kill-receiver", "destination/receiver.journal.commit.after"),
    ("kill-receiver", "destination/receiver.journal.running.before"),
    ("kill-xl-migrate", "source/migrate.go"),
    ("kill-xl-receive", "destination/receive.go"),
    ("power-source", "source/sender.journal.commit_requested.after"),
    ("power-destination", "destination/receiver.journal.commit.after"),
)


def sample(everything: t.Sequence[Fault], count: int) -> list[Fault]:
    """Return an even sample: of every kind the same share, evenly over its points."""
    if count >= len(everything):
        return list(everything)
    by_kind: dict[str, list[Fault]] = {}
    for fault in everything:
        by_kind.setdefault(fault.kind, []).append(fault)
    ordered = [fault for group in by_kind.values() for fault in group]
    step = len(ordered) / max(1, count)
    return [ordered[int(at * step)] for at in range(count)]


def spread(chosen: t.Sequence[Fault]) -> list[Fault]:
    """Return the same faults in an order whose every beginning is an even sample of them."""
    order = sorted(range(len(chosen)), key=lambda at: (_reversed_bits(at), at))
    return [chosen[at] for at in order]


def _reversed_bits(number: int) -> int:
    return int(format(number, "020b")[::-1], 2)
