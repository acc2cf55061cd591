# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a guest's stream moves, from what the destination has used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._session.budget.speed import BEGINS, LEAST, Speed

MIB = 1024 * 1024


class Course:
    """A stream that moves as it is told."""

    def __init__(self) -> None:
        self.speed, self.now, self.stream, self.way, self.rounds = Speed(), 0.0, 0, 0, 0

    def round(self) -> None:
        """Begin a round."""
        self.rounds += 1
        self.speed.look(self.now, self.stream, self.way, True, self.rounds)

    def carry(self, mib: float, seconds: float, left: float = 1.0, steps: int = 10) -> None:
        """Move so much, of which a share is ``left`` when it is packed."""
        for _dummy in range(steps):
            self.now += seconds / steps
            self.stream += int(mib * MIB / steps)
            self.way += int(mib * MIB * left / steps)
            self.speed.look(self.now, self.stream, self.way, True, self.rounds)

    def rest(self, seconds: float) -> None:
        """Let xl look for what was written: all has been used, and nothing comes."""
        self.speed.look(self.now, self.stream, self.way, False, self.rounds)
        self.now += seconds

    @property
    def mib_s(self) -> float | None:
        """The rate."""
        return None if self.speed.rate is None else self.speed.rate / MIB


def test_zeros_of_the_first_round_say_nothing_of_what_is_written() -> None:
    """They leave almost nothing; until more was written than tells a rate, it is as if nothing could be packed."""
    course = Course()
    course.round()
    course.carry(1000, 10.0, left=0.01)
    assert course.mib_s == pytest.approx(1.0, rel=0.01)
    course.round()
    course.carry(0.5, 0.05)
    assert course.mib_s == pytest.approx(10.5 / 10.05, rel=0.01)
    course.carry(19.5, 1.95)
    assert course.mib_s == pytest.approx(10.0, rel=0.01)


def test_the_latest_rounds_count() -> None:
    """A network that drops to a tenth is believed as soon as that has been seen."""
    course = Course()
    for _dummy in range(3):
        course.round()
        course.carry(100, 1.0)
    assert course.mib_s == pytest.approx(100.0)
    course.round()
    course.carry(10, 1.0)
    assert course.mib_s == pytest.approx(10.0)


def test_a_round_too_small_to_tell_is_taken_with_those_before() -> None:
    """What is left in a pipe makes any rate of it."""
    course = Course()
    for mib in (100.0, 10.0, 0.1):
        course.round()
        course.carry(mib, mib / 10)
    course.round()
    course.carry(0.1, 0.00001)
    assert course.mib_s == pytest.approx(10.0, rel=0.02)


def test_the_time_between_two_rounds_does_not_count() -> None:
    """While xl looks for what was written, nothing is to be moved."""
    course = Course()
    for _dummy in range(4):
        course.round()
        course.carry(20, 2.0)
        course.rest(5.0)
    course.round()
    course.carry(20, 2.0)
    assert course.mib_s == pytest.approx(10.0)


def test_what_is_waited_for_before_anything_can_be_used_does_not_count() -> None:
    """The destination's xl takes no memory before it has its lock, and room."""
    course = Course()
    course.round()
    course.carry(0.5, 300.0)
    course.carry(20.5, 2.05)
    assert course.mib_s == pytest.approx(10.0, rel=0.1)


def test_too_little_tells_nothing() -> None:
    """Rather no prediction than one made of the first bytes."""
    course = Course()
    assert course.speed.rate is None
    course.round()
    course.carry((BEGINS + LEAST - 20) / MIB, 0.1)
    assert course.speed.rate is None
    course.carry(1.0, 0.1)
    assert course.mib_s is not None


@given(
    steps=st.lists(
        st.tuples(
            st.floats(0, 100), st.integers(0, 1 << 30), st.integers(0, 1 << 30), st.booleans(), st.integers(0, 1)
        ),
        max_size=60,
    )
)
def test_it_is_positive_or_not_known(steps: list[tuple[float, int, int, bool, int]]) -> None:
    """Whatever comes, and in whatever time: it is divided by."""
    speed, now, stream, way, rounds = Speed(), 0.0, 0, 0, 0
    for passed, more, sent, moves, begun in steps:
        now, stream, way, rounds = now + passed, stream + more, way + sent, rounds + begun
        speed.look(now, stream, way, moves, rounds)
        assert speed.rate is None or speed.rate > 0
