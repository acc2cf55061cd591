# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds told from records: where they begin and end, which is the last, and what each sent."""

from __future__ import annotations

import time
import tracemalloc
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._wire import events
from ansible_collections.dom0.xen.plugins.module_utils._wire.parser import StreamParser
from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import RoundTracker
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

ROUNDS = st.lists(st.sets(st.integers(0, 3000), min_size=1, max_size=12).map(sorted), min_size=1, max_size=6)


def track(data: bytes, cuts: t.Iterable[int] = (), clock: t.Callable[[int], float] = float) -> RoundTracker:
    """Follow ``data`` cut at ``cuts``; the clock is made from the position."""
    parser, tracker = StreamParser(), RoundTracker()
    for piece in streams.pieces(data, cuts):
        found = parser.feed(piece).events
        tracker.update(found, parser.position, clock(parser.position))
    return tracker


def figures(tracker: RoundTracker) -> list[tuple[int, str, int, int, int]]:
    """Number, kind, entries, distinct and again of each round."""
    return [(each.number, each.kind, each.entries, each.distinct, each.again) for each in tracker.rounds]


@given(dirty=ROUNDS, cuts=st.lists(st.integers(0, 1 << 20), max_size=6))
def test_rounds_and_distinct_frames(dirty: list[list[int]], cuts: list[int]) -> None:
    """Exact for any sets of dirtied frames, against a plain set, however the stream is cut."""
    tracker = track(streams.pvh([streams.normal(frames) for frames in dirty]), cuts)
    seen: set[int] = set()
    expected = []
    for number, frames in enumerate(dirty):
        new = len(set(frames) - seen)
        seen |= set(frames)
        kind = "final" if number == len(dirty) - 1 else "live"
        expected.append((number, kind, len(frames), new, len(frames) - new))
    assert figures(tracker) == expected
    assert tracker.distinct == len(seen)
    assert tracker.again == tracker.entries - len(seen)
    assert tracker.exact and tracker.finished
    assert tracker.size == sum(each.size for each in tracker.rounds)
    assert tracker.pages == tracker.entries == sum(each.pages for each in tracker.rounds)


@pytest.mark.parametrize("first", [1023, 1024, 1025, 2048, 3000])
def test_full_records_belong_to_one_round(first: int) -> None:
    """A record of 1024 entries does not end its round; a step back does, also behind exactly 1024."""
    tracker = track(streams.pvh([[(15, pfn) for pfn in range(first)], streams.normal([0]), streams.normal([0])]))
    assert figures(tracker) == [(0, "live", first, first, 0), (1, "live", 1, 0, 1), (2, "final", 1, 0, 1)]
    assert tracker.pages == 2


def test_same_frame_again_is_a_new_round() -> None:
    """The last frame of a full record may be the first one dirtied."""
    tracker = track(streams.pvh([streams.normal(range(1024)), streams.normal([1023])]))
    assert figures(tracker) == [(0, "live", 1024, 1024, 0), (1, "final", 1, 0, 1)]


def test_frames_out_of_order_are_counted() -> None:
    """Xen sends none, but distinct frames are exact for any order."""
    tracker = track(streams.pvh([streams.normal(range(10)), streams.normal([0, 5000, 9]), streams.normal([3, 3, 3])]))
    assert figures(tracker) == [(0, "live", 10, 10, 0), (1, "live", 3, 1, 2), (2, "final", 3, 0, 3)]


def test_short_record_ends_its_round() -> None:
    """Dirtied frames above all earlier ones are a new round, though they ascend."""
    tracker = track(streams.pvh([streams.normal([1, 2]), streams.normal([7])]))
    assert figures(tracker) == [(0, "live", 2, 2, 0), (1, "final", 1, 1, 0)]


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("size", [1024, 3072])
def test_a_full_round_below_the_next_one(size: int, told: bool) -> None:
    """No byte tells it from the next one: both count as one, and as two where somebody knows that it is over."""
    data = streams.pvh([streams.normal(range(9000)), streams.normal(range(size)), streams.normal([7000])])
    third = data.index(streams.page_data(streams.normal([7000])))
    parser, tracker = StreamParser(), RoundTracker()
    for number, piece in enumerate((data[:third], data[third:])):
        if number and told:
            assert not tracker.between_rounds
            tracker.end_round()
            assert tracker.between_rounds
        tracker.update(parser.feed(piece).events, parser.position, float(number))
    first = (0, "live", 9000, 9000, 0)
    both = [(1, "live", size, 0, size), (2, "final", 1, 0, 1)]
    assert figures(tracker) == [first, *(both if told else [(1, "final", size + 1, 0, size + 1)])]


def test_an_end_before_the_first_round() -> None:
    """Nothing is over, and the first round is still the first."""
    tracker = RoundTracker()
    tracker.end_round()
    tracker.update((record(0, 0), record(1, 1024)), 1, 0.0)
    assert figures(tracker) == [(0, "live", 2048, 2048, 0)] and not tracker.between_rounds


def test_between_rounds() -> None:
    """The silence before the final round is told from a pause within one: only then is the guest being suspended."""
    data = streams.pvh([streams.normal(range(1024)), streams.normal([3, 5]), streams.normal([3])])
    second = data.index(streams.page_data(streams.normal([3, 5])))
    third = data.index(streams.page_data(streams.normal([3])))
    told = {place: track(data[:place]).between_rounds for place in (100, second, third - 1, third, third + 24)}
    assert told == {100: False, second: False, third - 1: False, third: True, third + 24: False}


def test_live_until_memory_is_over() -> None:
    """No round may be called final while the guest may still be running."""
    data = streams.pvh([streams.normal([1, 2]), streams.normal([2])])
    place = data.rindex(streams.frame(*streams.TSC_INFO))
    tracker = track(data[:place])
    assert [each.kind for each in tracker.rounds] == ["live", "live"]
    assert not tracker.finished
    assert tracker.current is not None and tracker.current.number == 1
    over = track(data[: place + 8])
    assert [each.kind for each in over.rounds] == ["live", "final"]
    assert over.finished


def test_verify_pass_is_counted_apart() -> None:
    """--debug sends everything once more to compare: no dirtied page among it."""
    tracker = track(streams.SMALL["verify"])
    assert figures(tracker) == [(0, "live", 2, 2, 0), (1, "final", 1, 0, 1)]
    assert [(each.kind, each.entries) for each in tracker.verify] == [("verify", 2)]
    assert (tracker.entries, tracker.distinct, tracker.again) == (3, 2, 1)
    assert tracker.finished


def test_nothing_yet() -> None:
    """A status is written before the first record, too."""
    tracker = track(streams.SMALL["pvh"][:60])
    assert (tracker.rounds, tracker.current, tracker.entries, tracker.finished) == ((), None, 0, False)


def test_durations_and_dirty_rate() -> None:
    """Rates are pages over the time in which they were dirtied: from the start of the round before."""
    data = streams.pvh([streams.normal(range(100)), streams.normal(range(50))])
    first = data.index(streams.page_data(streams.normal(range(100)))[:20])
    second = data.index(streams.page_data(streams.normal(range(50)))[:20])
    chunks = [first, first + 1000, second - 1, second, second + 416, len(data)]
    times = {first: 0.0, first + 1000: 1.0, second - 1: 2.0, second: 4.0, second + 416: 11.0, len(data): 12.5}
    tracker = track(data, chunks, times.__getitem__)
    live, final = tracker.rounds
    assert (live.started, live.ended, live.duration) == (1.0, 4.0, 3.0)
    assert live.dirty_pages_per_second is None
    assert (final.started, final.ended, final.duration) == (11.0, 12.5, 1.5)
    assert final.dirty_pages_per_second == 50 / 10.0


def test_no_time_passed() -> None:
    """A whole stream in one chunk has no rates, and divides by nothing."""
    tracker = track(streams.SMALL["pvh"], (), lambda position: 5.0)
    assert [each.dirty_pages_per_second for each in tracker.rounds] == [None, None]


def record(number: int, first: int) -> events.PageData:
    """A full record of frames that follow each other."""
    return events.PageData(number * 4202512, 4202512, 1024, 1024, first, first + 1023, b"")


def test_a_guest_of_a_tebibyte_costs_no_memory() -> None:
    """Counting must be affordable for the largest guests: 268 million frames in a few kilobytes."""
    tracker = RoundTracker()
    begun = time.process_time()
    for number in range(1 << 18):
        if number == 1000:
            tracemalloc.start()
        if number == 2000:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        tracker.update((record(number, number * 1024),), number, 0.0)
    assert tracker.distinct == 1 << 28
    assert peak < 10_000
    assert time.process_time() - begun < 60


def test_endless_rounds_are_bounded() -> None:
    """Remus sends rounds for ever; the totals go on, the oldest rounds are let go."""
    tracker = RoundTracker()
    for number in range(5000):
        tracker.update((events.PageData(number, 4120, 1, 1, 3, 3, b""),), number, float(number))
    assert tracker.entries == 5000
    assert len(tracker.rounds) == 256
    assert tracker.rounds[-1].number == 4999
