# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the guest stood still, from the moments of two hosts on one line."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._link.clocks import ClockOffset
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.stop_time import (
    ASKED,
    BOTH_HOSTS,
    BOTH_HOSTS_COLD,
    ONE_HOST,
    ONE_HOST_COLD,
    SuspendMoments,
    stop_time,
)
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.watch import RELEASE_DOMAIN, WatchEvent

OWN = {"xl_started": 100.0, "source_suspended": 103.0, "journal_reported_running": 103.4, "xl_exited": 104.0}


@given(ahead=st.floats(-1e6, 1e6))
def test_from_suspend_to_running_on_two_clocks(ahead: float) -> None:
    """However far apart the two hosts' clocks are, the offset puts the moments on one line."""
    peer = {"ready": 103.1 + ahead, "running": 103.25 + ahead}
    stop = stop_time(OWN, peer, ClockOffset(ahead, 0.001))
    assert stop.measured == BOTH_HOSTS
    assert stop.milliseconds is not None and abs(stop.milliseconds - 250) <= 1
    assert abs(stop.timeline["destination_ready"] - 3100) <= 1
    assert list(stop.timeline.values()) == sorted(stop.timeline.values())


def test_without_an_offset_the_report_counts() -> None:
    """Moments of a clock that is not known are left out; the report, which came a little later, ends the time."""
    stop = stop_time(OWN, {"running": 7.0}, None)
    assert (stop.milliseconds, stop.measured) == (400, ONE_HOST)
    assert not any(name.startswith("destination_") for name in stop.timeline)


def test_a_guest_that_is_shut_down_stands_still_from_when_it_is_asked() -> None:
    """Of its boot at the destination nothing is known."""
    own = {"xl_started": 100.0, ASKED: 101.0, "journal_reported_running": 104.0}
    stop = stop_time(own, {"running": 53.5}, ClockOffset(-50.0, 0.001))
    assert (stop.milliseconds, stop.measured) == (2500, BOTH_HOSTS_COLD)
    assert (stop_time(own, {}, None).milliseconds, stop_time(own, {}, None).measured) == (3000, ONE_HOST_COLD)


@pytest.mark.parametrize(
    "own",
    [{}, {"xl_started": 1.0}, {"xl_started": 1.0, "source_suspended": 2.0}, {"source_suspended": 2.0}],
    ids=["nothing", "not suspended", "not running", "not started"],
)
def test_not_known(own: dict[str, float]) -> None:
    """What has not happened has no time."""
    stop = stop_time(own, {}, ClockOffset(0.0, 0.0))
    assert (stop.milliseconds, stop.measured) == (None, None)


@pytest.mark.parametrize("at", [True, "1", None, float("inf"), float("nan"), [1.0]])
def test_moments_that_are_none(at: t.Any) -> None:
    """What the peer says is not trusted to be a number."""
    stop = stop_time(OWN, {"running": at}, ClockOffset(0.0, 0.0))
    assert stop.measured == ONE_HOST and "destination_running" not in stop.timeline


def test_only_moments_that_mean_something() -> None:
    """Whatever else was noted stays inside."""
    assert set(stop_time({**OWN, "journal_abort": 101.0}, {}, None).timeline) == {
        *("source_suspended", "journal_reported_running", "xl_exited")
    }


def test_another_domain_that_ends_is_not_our_suspend() -> None:
    """XenStore says only that some domain shut down or suspended; ours does so after it has agreed."""
    path = "/local/domain/3/control/shutdown"
    paths = [path, RELEASE_DOMAIN, RELEASE_DOMAIN, path, RELEASE_DOMAIN, path, RELEASE_DOMAIN, RELEASE_DOMAIN]
    timeline: dict[str, float] = {}
    moments = SuspendMoments(path)
    for second, seen in enumerate(paths):
        moments.take([WatchEvent(second * 10**9, seen)], timeline)
    assert timeline == {"suspend_requested": 3.0, "suspend_acknowledged": 5.0, "source_suspended": 6.0}


def test_a_copy_that_is_taken_down_is_not_asked_to_suspend() -> None:
    """A guest that nobody asks has no such moment, and its folder in XenStore goes with its domain."""
    path = "/local/domain/3/control/shutdown"
    timeline = {"xl_started": 0.5}
    moments = SuspendMoments(path)
    moments.take([WatchEvent(10**9, path)], timeline)
    timeline["journal_reported_running"] = 2.0
    moments.take([WatchEvent(3 * 10**9, path), WatchEvent(3 * 10**9, RELEASE_DOMAIN)], timeline)
    assert timeline == {"xl_started": 0.5, "journal_reported_running": 2.0}
