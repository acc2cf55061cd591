# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stop time that is predicted: never less than what a guest that goes on as it does will need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._session.budget.prediction import (
    ASSUMED,
    ENTRY_BYTES,
    Base,
    Prediction,
    last_round,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.figures import (
    LAST_LIVE_ROUND,
    PAGE_BYTES,
    TARGET_DIRTY_COUNT,
)
from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import Round

AHEAD = 64


def round_of(number: int, pages: int, started: float, ended: float) -> Round:
    """A round as far as it matters here."""
    return Round(number, "live", pages, pages, pages * PAGE_BYTES, pages, 0, started, ended, None)


def live(dirty: float, rate: float, working_set: int, memory: int) -> tuple[list[Round], int]:
    """The live rounds of a guest that writes ``dirty`` other pages a second, and what its last round really has.

    ``rate`` is in pages a second, and the first ``working_set`` pages are written over and over.
    """
    now, pages, rounds = 0.0, memory, []
    for number in range(LAST_LIVE_ROUND + 1):
        took = pages / rate
        rounds.append(round_of(number, pages, now, now + took))
        now, pages = now + took, min(working_set, int(dirty * took))
        if rounds[-1].number and rounds[-1].entries < TARGET_DIRTY_COUNT:
            break
    return rounds, pages


@given(
    dirty=st.floats(0, 1e6),
    rate=st.floats(100, 1e6),
    working_set=st.integers(0, 1 << 20),
    memory=st.integers(1 << 10, 1 << 20),
)
def test_a_guest_that_goes_on_as_it_does(dirty: float, rate: float, working_set: int, memory: int) -> None:
    """Its last round is never larger than what was reckoned with, whatever it writes and however slow the way is."""
    rounds, really = live(dirty, rate, working_set, memory)
    assert last_round(rounds, rounds[-1].ended, 0.0, 0) >= really


@given(
    dirty=st.floats(0, 1e6),
    rate=st.floats(100, 1e6),
    memory=st.integers(1 << 10, 1 << 20),
    share=st.floats(0.0, 1.0),
)
def test_it_only_grows_while_a_round_comes(dirty: float, rate: float, memory: int, share: float) -> None:
    """So that a move which was over what is allowed by the middle of a round is so at its end."""
    rounds, dummy = live(dirty, rate, memory, memory)
    whole = rounds[-1]
    end = whole.started + share * whole.duration
    part = round_of(whole.number, int(whole.pages * share), whole.started, end)
    if whole.number == LAST_LIVE_ROUND:
        before, after = ([*rounds[:-1], each] for each in (part, whole))
        assert last_round(before, end, 0.0, AHEAD) <= last_round(after, whole.ended, 0.0, AHEAD)


@pytest.mark.parametrize("number", range(LAST_LIVE_ROUND))
def test_before_the_last_live_round_only_what_cannot_be_seen_counts(number: int) -> None:
    """A round with hardly a page may follow, be in the pipe already, and be the last one."""
    rounds = [round_of(each, 100_000, each, each + 1.0) for each in range(number + 1)]
    assert last_round(rounds, number + 1.0, 0.0, AHEAD) == AHEAD + TARGET_DIRTY_COUNT


def test_a_small_round_is_never_more_than_was_reckoned_with_before_it() -> None:
    """It is in the pipe when its head is read, and nothing can be done any more."""
    large = round_of(1, 100_000, 0.0, 5.0)
    before = last_round([large], 5.0, 0.0, AHEAD)
    for pages in range(TARGET_DIRTY_COUNT):
        assert last_round([large, round_of(2, pages, 5.0, 6.0)], 60.0, 0.0, AHEAD) < before


def test_a_round_that_takes_longer_gathers_more() -> None:
    """Also by the time that the rest of a record takes, which was not read yet."""
    rounds = [round_of(number, 1000, float(number), number + 1.0) for number in range(LAST_LIVE_ROUND + 1)]
    assert last_round(rounds, LAST_LIVE_ROUND + 1.0, 0.0, 0) == 1000
    assert last_round(rounds, LAST_LIVE_ROUND + 2.0, 0.0, 0) == 2000
    assert last_round(rounds, LAST_LIVE_ROUND + 2.0, 1.0, AHEAD) == 3000 + AHEAD


def test_nothing_was_read() -> None:
    """Then nothing is known."""
    assert last_round([], 1.0, 0.0, AHEAD) == AHEAD + TARGET_DIRTY_COUNT


@given(pages=st.integers(0, 1 << 30), rate=st.floats(1, 1e12), base=st.integers(0, 100_000))
def test_milliseconds(pages: int, rate: float, base: int) -> None:
    """Never less than the base, never less than the pages take, and no more than a millisecond above both."""
    found = Prediction(pages, rate, Base(base, ASSUMED)).milliseconds
    exact = base + pages * ENTRY_BYTES / rate * 1000
    assert exact - 1e-6 * exact <= found <= exact + 1.0 + 1e-6 * exact
