# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The points that there are: recorded in faultless runs, kept in ``points.json``, compared with every recording."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing as t

from .names import Place

FILE = pathlib.Path(__file__).with_name("points.json")


@dataclasses.dataclass(frozen=True)
class Passed:
    """A point that was passed in a course, and what was alive then."""

    place: Place
    alive: tuple[str, ...]


Baseline = dict[str, tuple[Passed, ...]]


def load(path: pathlib.Path = FILE) -> Baseline:
    """Read the list."""
    found = json.loads(path.read_text())["courses"]
    return {
        course: tuple(Passed(Place.parse(line[0]), tuple(line[1:])) for line in lines)
        for course, lines in found.items()
    }


def save(baseline: Baseline, path: pathlib.Path = FILE) -> None:
    """Write the list, a point a line."""
    parts = []
    for course, passed in baseline.items():
        lines = ",\n".join("  " + json.dumps([str(one.place), *one.alive]) for one in passed)
        parts.append(f' "{course}": [\n{lines}\n ]')
    path.write_text('{"courses": {\n' + ",\n".join(parts) + "\n}}\n")


def vanished(known: Baseline, seen: t.Mapping[str, t.Collection[Place]]) -> list[str]:
    """Return points of the list that a recording has not passed."""
    return [
        f"{course}:{one.place}"
        for course, passed in known.items()
        if course in seen
        for one in passed
        if one.place not in seen[course]
    ]


def unknown(known: Baseline, seen: t.Mapping[str, t.Collection[Place]]) -> list[str]:
    """Return points that a recording has passed and the list does not have."""
    return [
        f"{course}:{place}"
        for course, places in seen.items()
        for place in places
        if place not in {one.place for one in known.get(course, ())}
    ]


def stable(runs: t.Sequence[t.Sequence[Passed]]) -> tuple[Passed, ...]:
    """Return the points that every recording has passed, each with what was alive in every one; order of the first."""
    found = []
    for one in runs[0]:
        same = [next((other for other in run if other.place == one.place), None) for run in runs]
        if None in same:
            continue
        alive = set(one.alive).intersection(*(set(other.alive) for other in same if other is not None))
        found.append(Passed(one.place, tuple(name for name in one.alive if name in alive)))
    return tuple(found)
