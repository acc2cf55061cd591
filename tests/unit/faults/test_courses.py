# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move of another way goes that way in the campaign, past points of what stands for xl, and ends as it should."""

from __future__ import annotations

import pathlib
import time
import typing as t

import pytest
from dom0_faults import truth
from dom0_faults.courses import COURSES
from dom0_faults.names import DESTINATION, SOURCE
from dom0_faults.recording import ATTEMPTS
from dom0_faults.run import Run
from dom0_faults.truth import PAUSED, RUNNING
from dom0_faults.world import World

LIMIT_S = 60.0


@pytest.fixture
def begin(tmp_path: pathlib.Path) -> t.Iterator[t.Callable[[str], World]]:
    """Return a function that begins a course."""
    worlds = []

    def made(course: str) -> World:
        worlds.append(World(tmp_path / "world", COURSES[course]))
        for name in (SOURCE, DESTINATION):
            worlds[-1].host(name).record_points()
        worlds[-1].move()
        return worlds[-1]

    yield made
    for world in worlds:
        world.close()


@pytest.mark.parametrize(
    ("course", "source", "destination", "state"),
    [
        ("suspend", {"saver.send.after", "saver.permit.after", "save.paused"}, {"receive.restored"}, RUNNING),
        ("cold", {"shutter.shut_down.after", "shutter.permit.after"}, {"starter.make.after", "create.done"}, RUNNING),
        ("paused", {"migrate.renamed"}, {"receive.unpaused"}, PAUSED),
    ],
)
def test_it_goes_its_way(
    begin: t.Callable[[str], World], course: str, source: set[str], destination: set[str], state: str
) -> None:
    """The domain is at the destination in the end, and counts as arrived."""
    world = begin(course)
    deadline = time.monotonic() + LIMIT_S
    while any(world.host(name).left_over() for name in (SOURCE, DESTINATION)):
        assert time.monotonic() < deadline, world.answers
        time.sleep(0.1)
    seen = truth.look(world)
    assert seen.sessions[SOURCE].end_state == COURSES[course].ends, (seen.sessions, world.answers)
    assert source <= set(world.host(SOURCE).points()) and destination <= set(world.host(DESTINATION).points())
    (copy,) = seen.copies
    assert (copy.host, copy.state, copy.verified) == (DESTINATION, state, True) and seen.counts(copy)
    assert not (seen.overlaps or seen.left_behind or seen.touched_before_banner)


@pytest.mark.parametrize("course", ["stuck-there", "stuck-here"])
def test_nobody_wakes_it_up(tmp_path: pathlib.Path, course: str) -> None:
    """An xl that stands still for good while the guest does: the session ends all the same, and the guest runs."""
    for attempt in range(ATTEMPTS):
        run = Run(tmp_path / f"run{attempt}", COURSES[course])
        try:
            outcome = run.go(None)
            seen = truth.look(run.world)
        finally:
            run.close()
        assert not outcome.failed, outcome
        if run.done:
            break
    assert [one.partition("@")[0] for one in run.done] == [kind for dummy, kind in COURSES[course].deeds]
    assert run.before is not None and run.before.sessions[SOURCE].end_state == COURSES[course].ends
    (copy,) = seen.copies
    assert (copy.host, copy.state, copy.verified) == (SOURCE, RUNNING, True)
