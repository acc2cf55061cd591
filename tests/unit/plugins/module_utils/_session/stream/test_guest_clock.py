# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a guest's time stamp counter is told from its stream and from both processors."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._session.stream.guest_clock import (
    GuestClock,
    TscInfo,
    difference,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.stream import Authorised, Incoming
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._wire import streams

KHZ = 2600000


@dataclass(frozen=True)
class Piece:
    """What the stream needs of a frame."""

    payload: bytes


def clock_of(data: bytes, cuts: t.Iterable[int] = ()) -> GuestClock:
    """What a receiver has read when this came, in these pieces."""
    stream: Incoming[Piece] = Incoming(Authorised(streams.UUID, "centos"))
    for piece in streams.pieces(data, cuts):
        stream.take(Piece(piece))
    return stream.clock


@given(kind=st.sampled_from(sorted(streams.SMALL)), cuts=st.lists(st.integers(0, 1 << 20), max_size=10))
def test_the_record_is_found_in_any_pieces(kind: str, cuts: list[int]) -> None:
    """Of every kind of guest."""
    assert clock_of(streams.SMALL[kind], cuts).info == TscInfo(0, KHZ)


def test_it_may_come_byte_by_byte() -> None:
    """And is not known before its last one."""
    data = streams.SMALL["pvh"]
    end = data.rindex(streams.frame(*streams.TSC_INFO)) + len(streams.frame(*streams.TSC_INFO))
    assert clock_of(data[: end - 1], range(len(data))).info is None
    assert clock_of(data[:end], range(len(data))).info == TscInfo(0, KHZ)


@pytest.mark.parametrize(
    ("info", "before", "after", "told"),
    [
        (TscInfo(0, KHZ), KHZ, KHZ, None),
        (TscInfo(0, KHZ), KHZ, 2100000, ("at the processor's rate", "scaled or emulated at 2600.000 MHz")),
        (TscInfo(0, KHZ), KHZ, KHZ - 2, ("at the processor's rate", "the processor has 2599.998")),
        # It comes back to where it was started.
        (TscInfo(0, KHZ), 2100000, KHZ, ("scaled or emulated", "at the processor's rate")),
        (TscInfo(0, KHZ), 2100000, 2300000, None),
        # Always, or never, emulated: whatever the processor.
        (TscInfo(1, KHZ), KHZ, 2100000, None),
        (TscInfo(2, 0), KHZ, 2100000, None),
        (None, KHZ, 2100000, None),
        (TscInfo(0, KHZ), None, 2100000, None),
        (TscInfo(0, KHZ), KHZ, None, None),
    ],
)
def test_what_is_not_as_it_was(
    info: TscInfo | None, before: int | None, after: int | None, told: tuple[str, str] | None
) -> None:
    """Only where it was, or is, left to the processor; not what nobody could read."""
    found = difference(info, before, after)
    assert (found is None) == (told is None)
    if found and told:
        assert found["what"] == "clock_source"
        assert told[0] in found["before"] and told[1] in found["after"]
