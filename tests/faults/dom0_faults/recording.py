# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records which points there are, without a fault."""

from __future__ import annotations

import pathlib

from .courses import COURSES
from .enumeration import FIRSTS, settled_first, settling_of
from .names import SOURCE, Place
from .points import Baseline, Passed, stable
from .run import Run
from .truth import Session

REPEATS = 2
# On a busy machine a wait may end early, and the course is another one.
ATTEMPTS = 4


def record(course: str, folder: pathlib.Path) -> tuple[Passed, ...]:
    """Return what one run of a course passes, in order; of a settling only what comes after its first fault."""
    first = settled_first(course)
    how = COURSES[first.course if first else course]
    for dummy in range(ATTEMPTS):
        run = Run(folder, how)
        try:
            run.go(first, "settling" if first else "move")
            said = run.before.sessions[SOURCE] if run.before else Session()
            if first is not None or said.end_state == how.ends:
                return tuple(run.recorded.values())
            print(f"{course}: ended as {said.end_state} ({said.error}), not as {how.ends}", flush=True)
        finally:
            run.close()
    raise RuntimeError(f"{course} does not go as it should")


def baseline(folder: pathlib.Path, known: Baseline, only: str = "") -> Baseline:
    """Record every course several times; what differs from one time to the next is left out.

    Of those whose name does not have the text ``only`` what is ``known`` is kept.
    """
    found = {}
    for course in (*COURSES, *(settling_of(first) for first in FIRSTS)):
        if only not in course and course in known:
            found[course] = known[course]
            continue
        found[course] = stable([record(course, folder / f"run{number}") for number in range(REPEATS)])
        print(f"{course}: {len(found[course])} points", flush=True)
    return found


def seen(course: str, folder: pathlib.Path) -> set[Place]:
    """Return the places of one more run."""
    return {one.place for one in record(course, folder)}
