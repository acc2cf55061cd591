# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records which points there are, without a fault."""

from __future__ import annotations

import pathlib

from .courses import COURSES
from .names import Place
from .points import Baseline, Passed, stable
from .run import Run

REPEATS = 3


def record(course: str, folder: pathlib.Path) -> tuple[Passed, ...]:
    """Return what one run of a course passes, in order."""
    run = Run(folder)
    try:
        run.go(None, COURSES[course], record=True)
        return tuple(run.recorded.values())
    finally:
        run.close()


def baseline(folder: pathlib.Path) -> Baseline:
    """Record every course several times; what differs from one time to the next is left out."""
    return {
        course: stable([record(course, folder / f"{course}{number}") for number in range(REPEATS)])
        for course in COURSES
    }


def seen(course: str, folder: pathlib.Path) -> set[Place]:
    """Return the places of one more run."""
    return {one.place for one in record(course, folder)}
