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
    assert last_round(rounds, rounds[-1].ended) >= really


@pytest.mark.parametrize("number", range(LAST_LIVE_ROUND))
def test_while_more_rounds_come_for_sure_they_are_waited_for(number: int) -> None:
    """Each may be smaller by far; the least that is known is told."""
    rounds = [round_of(each, 100_000, each, each + 1.0) for each in range(number + 1)]
    assert last_round(rounds, number + 1.0) == TARGET_DIRTY_COUNT


@pytest.mark.parametrize("number", [2, LAST_LIVE_ROUND])
def test_a_round_that_takes_longer_gathers_more(number: int) -> None:
    """Also a small one, and with the time in which the suspend was not permitted yet."""
    pages = 40
    rounds = [round_of(each, pages, float(each), each + 1.0) for each in range(number + 1)]
    assert last_round(rounds, number + 0.5) == pages
    assert last_round(rounds, number + 1.0) == pages
    assert last_round(rounds, number + 2.0) == 2 * pages


def test_nothing_was_read() -> None:
    """Then nothing is known."""
    assert last_round([], 1.0) == TARGET_DIRTY_COUNT


@given(
    pages=st.integers(0, 1 << 30),
    behind=st.integers(0, 1 << 30),
    rate=st.floats(1, 1e12),
    base=st.integers(0, 100_000),
)
def test_milliseconds(pages: int, behind: int, rate: float, base: int) -> None:
    """Never less than base, pages, and what has not arrived yet take, and no more than a millisecond above that."""
    found = Prediction(pages, behind, rate, Base(base, ASSUMED)).milliseconds
    exact = base + (behind + pages * ENTRY_BYTES) / rate * 1000
    assert exact - 1e-6 * exact <= found <= exact + 1.0 + 1e-6 * exact
