# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small records gather in the pipe while they cost a slow host much; nothing waits for long, or where a guest waits."""

from __future__ import annotations

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.sending.gathering import MOST_S, SMALL, Gathering

RECORD = 8208


class Clock:
    """It stands still until it is told to go on."""

    now = 5.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def after(size: int, took: float, live: bool = True) -> tuple[Gathering, Clock]:
    """One for which such a piece was read, and took so long."""
    clock = Clock()
    gathering = Gathering(clock)
    gathering.begin(size, live)
    clock.now += took
    return gathering, clock


def test_on_a_slow_host_the_pipe_is_left_alone_for_a_while() -> None:
    """However long the piece has taken: it is read again after a fiftieth of a second."""
    for took, rest in ((0.002, 0.008), (30.0, MOST_S)):
        gathering, clock = after(RECORD, took)
        asked = [gathering.rests]
        assert gathering.wait == pytest.approx(rest)
        for passed in (rest - 0.001, 0.0011):
            clock.now += passed
            asked.append(gathering.rests)
        assert asked == [True, True, False] and gathering.wait is None


def test_a_wait_follows_the_last_answer() -> None:
    """The time may pass between the two: nobody then waits for something else with the pipe unwatched."""
    gathering, clock = after(RECORD, 0.005)
    assert gathering.rests
    clock.now += 1.0
    assert gathering.wait == 0.0


@pytest.mark.parametrize(
    "size, took, live",
    [(SMALL, 0.01, True), (RECORD, 0.0009, True), (RECORD, 0.01, False)],
    ids=["large", "quick", "stands-still"],
)
def test_it_is_read_on_at_once(size: int, took: float, live: bool) -> None:
    """What is large, takes no time, or has a guest wait for it."""
    gathering, dummy = after(size, took, live)
    assert not gathering.rests and gathering.wait is None


def test_what_the_link_takes_is_not_what_a_piece_has_taken() -> None:
    """A quick host reads on as soon as the peer has used enough; else each small piece would cost it a rest."""
    gathering, clock = after(RECORD, 0.0001)
    assert not gathering.may_read(free=False)
    clock.now += 0.05
    assert gathering.may_read(free=True)


def test_a_link_that_fills_up_meanwhile_is_not_looked_at_all_the_time() -> None:
    """The window may become smaller while the pipe is left alone: the rest is over then, and so is its wait."""
    gathering, clock = after(RECORD, 0.005)
    assert not gathering.may_read(free=True) and gathering.wait
    clock.now += 0.5
    assert not gathering.may_read(free=False) and gathering.wait is None
