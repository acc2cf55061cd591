# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that runs where its storage is not is seen, at whatever moment, and so is one older than its disks."""

from __future__ import annotations

import pathlib

import pytest
from dom0_double.machine.runlog import Interval
from dom0_faults.ran import left_behind, without_storage
from dom0_faults.storage import hand, handed

GIVEN, TAKEN_BACK = 100, 200
MOVED = ((0, "source"), (GIVEN, "destination"))
BACK = (*MOVED, (TAKEN_BACK, "source"))


def _ran(host: str, start: int, end: int | None, why: str = "suspend", domid: int = 1, boot: str = "first") -> Interval:
    return Interval(host, domid, "uuid", start, end, None if end is None else why, boot)


@pytest.mark.parametrize(
    ("told", "ran", "wrong"),
    [
        (MOVED, [_ran("source", 1, 90), _ran("destination", 110, None)], 0),
        (BACK, [_ran("source", 1, 90), _ran("source", 210, None)], 0),
        (((0, "source"),), [_ran("source", 1, None)], 0),
        ((), [_ran("source", 1, 90), _ran("destination", 110, None)], 0),
        # Handed over while it still ran, resumed before it was handed back, started before it was handed over.
        (MOVED, [_ran("source", 1, 110)], 1),
        (BACK, [_ran("source", 1, 90), _ran("source", 190, None)], 1),
        (MOVED, [_ran("destination", 90, None)], 1),
        # Handed back though it runs at the destination.
        (BACK, [_ran("source", 1, 90), _ran("destination", 110, None)], 1),
    ],
)
def test_every_moment_counts(told: tuple[tuple[int, str], ...], ran: list[Interval], wrong: int) -> None:
    """The storage's owner and the guest's host are compared over all the time."""
    assert len(without_storage(told, ran)) == wrong


def test_whom_it_was_handed_to_is_kept(tmp_path: pathlib.Path) -> None:
    """What is written is read back, in order."""
    file = tmp_path / "storage"
    assert handed(file) == ()
    hand(file, "source")
    hand(file, "destination")
    hand(file, "source")
    assert [host for dummy, host in handed(file)] == ["source", "destination", "source"]


RECEIVED = 100
HERE, THERE = _ran("source", 1, 90), _ran("destination", 110, None)


@pytest.mark.parametrize(
    ("ran", "wrong"),
    [
        ([HERE, THERE], 0),
        ([HERE, _ran("source", 110, None)], 0),
        ([HERE, _ran("destination", 110, 120, "power loss"), _ran("source", 130, None, domid=2, boot="second")], 0),
        ([_ran("source", 1, 90, "shutdown"), _ran("destination", 110, None, boot="second")], 0),
        ([_ran("source", 1, 90, "power loss"), THERE], 1),
        ([HERE, _ran("source", 95, 105, "power loss"), THERE], 1),
        ([HERE, _ran("destination", 110, 120, "power loss"), _ran("source", 130, None)], 1),
        ([HERE, _ran("source", 95, 105, "shutdown"), THERE], 1),
        # It was made anew elsewhere, and what stood still here went on all the same.
        ([HERE, _ran("destination", 110, 120, "shutdown", boot="second"), _ran("source", 130, None)], 1),
        ([HERE, _ran("destination", 110, 120, "power loss"), _ran("source", 130, None, domid=2)], 1),
        # Suspended again, when the copy had been made of the first time.
        ([HERE, _ran("source", 101, 105), THERE], 1),
    ],
)
def test_a_copy_that_another_one_has_left_behind_must_not_run(ran: list[Interval], wrong: int) -> None:
    """Only what was suspended goes on elsewhere; what has booted anew is as new as the disks."""
    assert len(left_behind(ran, [RECEIVED])) == wrong
