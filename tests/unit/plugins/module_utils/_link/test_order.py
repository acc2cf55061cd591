# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every frame arrives once and in order, whatever connections lose or repeat, and what is kept is bounded."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Frame, FrameReader, Kind
from ansible_collections.dom0.xen.plugins.module_utils._link.order import Buffers, Incoming, Outgoing

LIMIT = 1 << 20


def frame_of(buffers: Buffers) -> Frame:
    """The frame in these buffers."""
    reader, frame = FrameReader(), None
    data = b"".join(bytes(buffer) for buffer in buffers)
    while data:
        target = reader.target()
        count = min(len(target), len(data))
        target[:count] = data[:count]
        data = data[count:]
        frame = reader.filled(count)
    if frame is None:
        raise ValueError("no frame")
    return frame


class Course:
    """Both ends and the frames on their way on the connection of the moment."""

    def __init__(self, window: int) -> None:
        self.outgoing, self.incoming = Outgoing(window), Incoming(LIMIT)
        self.way: list[Frame] = []
        self.arrived: list[bytes] = []
        self.used = 0
        self.sent = 0
        self.largest = 0

    def send(self) -> None:
        """Send a frame, as far as the window allows."""
        if not self.outgoing.full:
            self.way.append(frame_of(self.outgoing.data(b"%d" % self.sent)))
            self.sent += 1

    def deliver(self) -> None:
        """Let the oldest frame arrive."""
        if self.way:
            frame = self.way.pop(0)
            if self.incoming.accept(frame):
                self.arrived.append(bytes(frame.payload))

    def use(self) -> None:
        """Use the oldest frame that has arrived."""
        if self.used < len(self.arrived):
            self.incoming.use(self.used)
            self.used += 1

    def acknowledge(self) -> None:
        """Let an acknowledgement arrive."""
        self.outgoing.acknowledged(self.incoming.used)

    def connect_again(self) -> None:
        """Lose everything that is on its way, and go on over another connection."""
        self.way = [frame_of(buffers) for buffers in self.outgoing.replay(self.incoming.expected)]

    def repeat(self) -> None:
        """Replay from further back than need be, as when the peer's figure is older than what has arrived."""
        self.way += [frame_of(buffers) for buffers in self.outgoing.replay(self.incoming.used)]


STEPS: dict[str, t.Callable[[Course], None]] = {
    "send": Course.send,
    "deliver": Course.deliver,
    "use": Course.use,
    "acknowledge": Course.acknowledge,
    "connect again": Course.connect_again,
}


@given(steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=200), window=st.integers(1, 12))
def test_once_and_in_order(steps: list[str], window: int) -> None:
    """Reconnects between any two steps neither lose, repeat nor reorder anything, and the peer's memory is bounded."""
    course = Course(window)
    for step in steps:
        STEPS[step](course)
        assert sum(map(len, course.arrived[course.used :])) < window + 3
    course.connect_again()
    while course.way:
        course.deliver()
    assert course.arrived == [b"%d" % number for number in range(course.sent)]


@given(steps=st.lists(st.sampled_from([*sorted(STEPS), "repeat"]), max_size=100))
def test_repeated_frames_are_not_new(steps: list[str]) -> None:
    """What arrives a second time is left out."""
    course = Course(8)
    for step in steps:
        if step == "repeat":
            course.connect_again()
            course.way.clear()
            course.repeat()
        else:
            STEPS[step](course)
    course.connect_again()
    while course.way:
        course.deliver()
    assert course.arrived == [b"%d" % number for number in range(course.sent)]


def test_gap_is_refused() -> None:
    """A frame that was left out is noticed."""
    with pytest.raises(FrameError):
        Incoming(LIMIT).accept(Frame(Kind.DATA, 1, b"x"))


def test_acknowledging_the_future_is_refused() -> None:
    """What was never sent cannot have been used."""
    outgoing = Outgoing(10)
    outgoing.data(b"x")
    with pytest.raises(FrameError):
        outgoing.acknowledged(2)


def test_replay_of_what_was_acknowledged_is_refused() -> None:
    """A peer that has forgotten what it acknowledged is not the peer it was."""
    outgoing = Outgoing(10)
    for _dummy in range(3):
        outgoing.data(b"x")
    outgoing.acknowledged(1)
    assert [frame_of(buffers).number for buffers in outgoing.replay(2)] == [2]
    outgoing.acknowledged(2)
    assert [outgoing.can_replay(expected) for expected in range(5)] == [False, False, True, True, False]
    with pytest.raises(FrameError):
        outgoing.replay(1)


def test_window_counts_what_the_peer_has_not_used() -> None:
    """A connection made again gives a slow peer no further window; only its acknowledgement does."""
    outgoing = Outgoing(4)
    outgoing.data(b"1234")
    assert outgoing.full
    outgoing.replay(1)
    assert outgoing.full and outgoing.pending == 1
    outgoing.acknowledged(1)
    assert (outgoing.full, outgoing.pending) == (False, 0)
