# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures a user watches: rate, dirty rate, what is left, and when the suspend is near."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._session.stream.figures import (
    ETA_FROM_BYTES,
    LAST_LIVE_ROUND,
    PAGE_BYTES,
    Rate,
    suspend_is_near,
    transfer,
)
from ansible_collections.dom0.xen.plugins.module_utils._wire.parser import StreamParser
from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import Round, RoundTracker
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

MIB = 1024 * 1024


def round_of(number: int, entries: int) -> Round:
    """A round as far as its number and its entries matter."""
    return Round(number, "live", entries, entries, entries * PAGE_BYTES, entries, 0, 1.0, 2.0, None)


def test_rate_of_a_steady_flow() -> None:
    """A steady flow has its rate, however often one asks."""
    rate = Rate()
    seen = [rate.update(number * 0.05, number * MIB) for number in range(1, 400)]
    assert seen[0] == 0.0
    assert all(abs(value - 20 * MIB) < MIB for value in seen[2:])


def test_rate_follows_a_change() -> None:
    """After the window only the new flow counts; a flow that has stopped comes to nothing."""
    rate = Rate(window=5.0)
    for second in range(10):
        rate.update(float(second), second * 100 * MIB)
    for second in range(10, 20):
        last = rate.update(float(second), 900 * MIB + (second - 9) * MIB)
    assert abs(last - MIB) < MIB / 10
    for second in range(20, 30):
        last = rate.update(float(second), 910 * MIB)
    assert last == 0.0


@given(steps=st.lists(st.tuples(st.floats(0, 100), st.integers(0, 1 << 40)), max_size=50))
def test_rate_is_never_negative_nor_fails(steps: list[tuple[float, int]]) -> None:
    """Whatever the clock's steps, a total that grows has a rate that is none or more."""
    rate, now, total = Rate(), 0.0, 0
    for step, count in steps:
        now, total = now + step, total + count
        assert rate.update(now, total) >= 0.0


def tracked(data: bytes) -> RoundTracker:
    """The rounds of a stream whose bytes come one MiB a second."""
    parser, tracker = StreamParser(), RoundTracker()
    for start in range(0, len(data), 65536):
        parsed = parser.feed(data[start : start + 65536])
        tracker.update(parsed.events, parser.position, 100.0 + parser.position / MIB)
    return tracker


def test_nothing_yet() -> None:
    """Before the first round there are no figures to divide by."""
    document = transfer(RoundTracker(), 0, 256 * MIB, 0.0, 0.0)
    assert document["rounds"] == [] and document["round"] == 0
    assert (document["eta_s"], document["dirty_bytes_per_s"], document["rate_bytes_per_s"]) == (None, 0, 0)
    assert document["expected_bytes"] == 256 * MIB


def test_figures_of_a_stream() -> None:
    """Rounds, their bytes and their times come from the stream, times relative to its first byte."""
    data = streams.pvh([streams.normal(range(3000)), streams.normal(range(0, 600, 2)), streams.normal(range(7))])
    tracker = tracked(data)
    document = transfer(tracker, len(data), 0, 2.0 * MIB, 100.0)
    assert document["round"] == tracker.rounds[-1].number
    assert len(document["rounds"]) == len(tracker.rounds)
    assert sum(item["entries"] for item in document["rounds"]) == sum(item.entries for item in tracker.rounds)
    assert document["rounds"][-1]["kind"] == "final"
    assert all(item["started_ms"] >= 0 and item["duration_ms"] >= 0 for item in document["rounds"])
    assert document["expected_bytes"] == document["bytes"] == len(data) and document["eta_s"] is None


@pytest.mark.parametrize(
    ("total", "memory", "rate", "eta"),
    [
        (ETA_FROM_BYTES, ETA_FROM_BYTES + 10 * MIB, 2.0 * MIB, 5.0),
        (ETA_FROM_BYTES - 1, ETA_FROM_BYTES + 10 * MIB, 2.0 * MIB, None),
        (ETA_FROM_BYTES, ETA_FROM_BYTES + 10 * MIB, 0.0, None),
        (ETA_FROM_BYTES * 2, ETA_FROM_BYTES, 2.0 * MIB, None),
    ],
    ids=["flowing", "hardly begun", "stalled", "beyond the guest's memory"],
)
def test_time_left(total: int, memory: int, rate: float, eta: float | None) -> None:
    """It is told only where there is something to tell it from."""
    document = transfer(RoundTracker(), total, memory, rate, 0.0)
    assert document["eta_s"] == eta
    assert document["expected_bytes"] == max(total, memory)


@pytest.mark.parametrize(
    ("current", "near"),
    [
        (None, False),
        (round_of(0, 100), False),
        (round_of(0, 10), False),
        (round_of(1, 10), True),
        (round_of(1, 50), False),
        (round_of(LAST_LIVE_ROUND, 100_000), True),
    ],
)
def test_suspend_is_near(current: Round | None, near: bool) -> None:
    """After the fifth live round, or one with hardly a dirty page; never after the first."""
    assert suspend_is_near(current) is near
