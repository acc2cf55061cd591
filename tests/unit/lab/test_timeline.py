# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop times are taken from the right events, in one time."""

from __future__ import annotations

from dom0lab.timeline import Event, assemble, offset_from

# As seen in the lab (Xen 4.17, plain xl migrate), rounded.
MOVE = [
    Event(28.2, "xen2", "name", 1, "centos--incoming"),
    Event(28.3, "xen2", "shutdown", 1),
    Event(100.0, "xen1", "shutdown", 1),
    Event(100.13, "xen1", "shutdown", 1),
    Event(100.29, "xen1", "release"),
    Event(101.2, "xen2", "introduce"),
    Event(109.64, "xen1", "name", 1, "centos--migratedaway"),
    Event(109.8, "xen2", "name", 1, "centos"),
    Event(118.3, "xen1", "release"),
]
START = [Event(0.0, host, event) for host in ("xen1", "xen2") for event in ("release", "introduce")]


def test_a_move_as_recorded() -> None:
    """From the source suspended to the destination renamed; the events a watch starts with do not count."""
    seen = assemble(reversed([*START, *MOVE]), "centos", "xen1", "xen2", 0.003)
    assert seen.stop_ms == 9510
    assert seen.uncertainty_ms == 3
    assert seen.steps == {
        "asked": 0,
        "acknowledged": 130,
        "suspended": 290,
        "introduced": 1200,
        "source_renamed": 9640,
        "destination_renamed": 9800,
        "source_destroyed": 18300,
    }


def test_the_last_attempt_counts() -> None:
    """A guest that was suspended and resumed before is measured by the move that succeeded."""
    earlier = [
        Event(50.0, "xen1", "shutdown", 1),
        Event(50.1, "xen1", "shutdown", 1),
        Event(50.2, "xen1", "release"),
    ]
    seen = assemble([*START, *earlier, *MOVE], "centos", "xen1", "xen2", 0.003)
    assert (seen.stop_ms, seen.steps["asked"], seen.steps["suspended"]) == (9510, 0, 290)


def test_a_guest_suspended_through_an_event_channel() -> None:
    """PV guests leave no trace in control/shutdown; their stop is the last one before the rename."""
    events = [e for e in MOVE if not (e.host == "xen1" and e.event == "shutdown")]
    seen = assemble([*START, *events], "centos", "xen1", "xen2", 0.003)
    assert (seen.stop_ms, seen.steps["asked"], seen.steps["suspended"]) == (9510, None, 0)


def test_no_move_no_stop_time() -> None:
    """A figure is never made up."""
    seen = assemble([*START, *MOVE[:5]], "centos", "xen1", "xen2", 0.003)
    assert seen.stop_ms is None
    assert seen.steps["destination_renamed"] is None
    assert assemble([], "centos", "xen1", "xen2", 0.0).stop_ms is None


def test_the_quickest_reading_gives_the_offset() -> None:
    """A slow answer says little about a clock."""
    offset = offset_from([(0.0, 105.0, 4.0), (10.0, 110.51, 10.02), (20.0, 121.0, 21.0)])
    assert round(offset.seconds, 3) == 100.5
    assert round(offset.uncertainty, 3) == 0.01
