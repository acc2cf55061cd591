# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge of every migration: gap, same guest, one copy."""

from __future__ import annotations

import typing as t

import pytest
from dom0lab.observer import longest_gap, summarise
from dom0lab.outside import Answer


def answer(number: int, arrived: float, counter: int, **more: t.Any) -> Answer:
    return Answer(f"n{number}", arrived, {"boot_id": "b", "memory_verified": True, "counter": counter, **more})


AFTER = {"boot_id": "b", "memory_verified": True, "counter": 999}


@pytest.mark.parametrize(
    ("start", "arrivals", "end", "expected"),
    [
        (0.0, [0.1, 0.2, 3.2, 3.3], 3.4, 3.0),
        (0.0, [2.0, 2.1], 2.2, 2.0),
        (0.0, [0.1], 5.1, 5.0),
        (0.0, [], 7.0, 7.0),
        (0.0, [0.1, 0.2, 1.2], 0.9, 1.0),
    ],
)
def test_longest_gap(start: float, arrivals: list[float], end: float, expected: float) -> None:
    """Silence at the beginning and at the end counts; an answer after the end does not shorten anything."""
    assert longest_gap(start, arrivals, end) == pytest.approx(expected)


def test_a_good_move() -> None:
    """Lost answers in the gap are normal and make no alarm."""
    seen = summarise(0.0, 4.0, 6, [answer(0, 0.1, 1), answer(1, 0.15, 2), answer(5, 3.9, 3)], AFTER)
    assert (seen.gap_ms, seen.asked, seen.answered, seen.lost, seen.double_answers) == (3750, 6, 3, 3, 0)
    assert seen.boot_id_unchanged
    assert seen.counter_never_fell
    assert seen.memory_verified
    assert seen.before["counter"] == 1


def test_a_restarted_guest_is_told_from_a_moved_one() -> None:
    """Another boot id, and a counter that starts again."""
    seen = summarise(0.0, 1.0, 2, [answer(0, 0.1, 50), answer(1, 0.5, 2, boot_id="c")], AFTER)
    assert not seen.boot_id_unchanged
    assert not seen.counter_never_fell


def test_boots_are_counted_in_the_order_of_the_questions() -> None:
    """A guest that is started anew is another one from then on; one that answers once more was not off."""
    first, second = answer(0, 0.1, 50), answer(1, 0.5, 2, boot_id="c")
    anew = {**AFTER, "boot_id": "c"}
    assert summarise(0.0, 1.0, 2, [first], AFTER).boots == 1
    assert summarise(0.0, 1.0, 2, [first, second], anew).boots == 2
    assert summarise(0.0, 1.0, 2, [second, first], anew).boots == 2
    assert summarise(0.0, 1.0, 2, [first, second], AFTER).boots == 3
    assert summarise(0.0, 1.0, 3, [first, second, answer(2, 0.6, 51)], anew).boots == 4
    assert summarise(0.0, 1.0, 1, [], {}).boots == 0


def test_two_copies_are_seen() -> None:
    """One question, two answers: the disaster everything here exists to prevent."""
    seen = summarise(0.0, 1.0, 1, [answer(0, 0.1, 1), answer(0, 0.2, 7)], AFTER)
    assert seen.double_answers == 1


def test_bad_memory_in_any_answer_is_seen() -> None:
    """Neither a later good answer nor a missing last one hides it."""
    assert not summarise(0.0, 1.0, 1, [answer(0, 0.1, 1, memory_verified=False)], AFTER).memory_verified
    assert not summarise(0.0, 1.0, 1, [answer(0, 0.1, 1)], {**AFTER, "memory_verified": False}).memory_verified
    assert not summarise(0.0, 1.0, 1, [answer(0, 0.1, 1)], {}).memory_verified


def test_overtaking_answers_are_no_fall_of_the_counter() -> None:
    """Packets may arrive in another order than they were asked for."""
    assert summarise(0.0, 1.0, 2, [answer(1, 0.1, 2), answer(0, 0.2, 1)], AFTER).counter_never_fell
