# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent arrives, once and in order, through real TLS and whatever the network does to the connection."""

from __future__ import annotations

import os
import random
import select
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._link import connection as connection_module
from ansible_collections.dom0.xen.plugins.module_utils._link import link as link_module
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import (
    FrameError,
    LinkLost,
    NobodyListens,
    Unreachable,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import (
    MAX_DATA,
    Kind,
    encode_document,
    encode_header,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.window import LEAST
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends, no_descriptor_left

BUDGETS = st.tuples(st.none() | st.integers(0, 60_000), st.none() | st.integers(0, 6_000), st.booleans())


def test_data_and_messages_both_ways() -> None:
    """Stream bytes one way and messages both ways, in the order in which they were sent."""
    with Ends() as ends:
        ends.near.send_data(b"before there is a connection")
        ends.connect()
        ends.near.send_message({"type": "commit"})
        ends.far.send_message({"type": "ready"})
        ends.until(lambda: len(ends.arrived_far) == 2 and len(ends.arrived_near) == 1)
        assert [frame.kind for frame in ends.arrived_far] == [Kind.DATA, Kind.MESSAGE]
        assert ends.arrived_far[1].document() == {"type": "commit"}
        assert ends.near_messages() == [{"type": "ready"}]
        ends.until(lambda: ends.near.delivered and ends.far.delivered)


def test_large_and_empty_payloads() -> None:
    """No payload is too large or too small to be sent, though frames are bounded."""
    data = os.urandom(2 * MAX_DATA + 1)
    with Ends(window=4 * MAX_DATA) as ends:
        ends.connect()
        ends.near.send_data(b"")
        ends.near.send_data(data)
        ends.until(lambda: len(ends.far_data()) == len(data))
        assert ends.far_data() == data
        assert len(ends.arrived_far) == 3


def test_nothing_is_left_where_no_selector_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS holds decrypted bytes back when fewer are asked for than a record has; a turn that is over takes them too."""
    monkeypatch.setattr(connection_module, "TURN_BYTES", 24_000)
    with Ends() as ends:
        ends.connect()
        assert ends.near.connection is not None and ends.far.connection is not None
        frames = b"".join(encode_header(Kind.DATA, 84, number) + bytes(84) for number in range(320))
        for start in range(0, len(frames), 16_000):
            ends.near.connection.send(frames[start : start + 16_000])
        ends.near.connection.progress()
        time.sleep(0.1)
        poll, arrived = select.poll(), 0
        poll.register(ends.far.connection.fileno(), select.POLLIN)
        while arrived < 320:
            assert poll.poll(2000)
            arrived += len(ends.far.progress())


@settings(max_examples=60)
@given(seed=st.integers(0, 1 << 30), budgets=st.lists(BUDGETS, max_size=6), sizes=st.lists(st.integers(1, 30_000)))
def test_broken_at_any_byte(seed: int, budgets: list[tuple[int | None, int | None, bool]], sizes: list[int]) -> None:
    """Connections that break after any number of bytes, in the handshake too, change nothing in what arrives."""
    pieces = [random.Random(seed + number).randbytes(size) for number, size in enumerate(sizes)]
    with Ends(network=True) as ends:
        assert ends.network is not None
        ends.network.budgets = budgets
        for piece in pieces:
            ends.near.send_data(piece)
        ends.near.send_message({"type": "end"})
        for number in range(5):
            ends.far.send_message({"type": "answer", "number": number})
        deadline = time.monotonic() + 30
        while not (ends.near.delivered and ends.far.delivered):
            assert time.monotonic() < deadline
            ends.step()
            # Attempts that failed are not waited for.
            ends.clock.skew += 0.1 if not ends.near.up else 0.0
        assert ends.far_data() == b"".join(pieces)
        assert [frame.number for frame in ends.arrived_far] == list(range(len(pieces) + 1))
        assert [message["number"] for message in ends.near_messages()] == list(range(5))


def test_cut_often_while_the_peer_uses_nothing() -> None:
    """Each new connection gives the sender no further window, so that the receiver's memory stays bounded."""
    window = LEAST
    with Ends(network=True, window=window) as ends:
        assert ends.network is not None
        ends.use_at_once = False
        for _dummy in range(5):
            ends.connect()
            while not ends.near.full:
                ends.near.send_data(bytes(1 << 16))
            ends.until(lambda: len(ends.far_data()) >= window)
            ends.network.cut()
            ends.until(lambda: not ends.near.up and not ends.far.up)
        assert len(ends.far_data()) == window
        ends.connect()
        for frame in ends.arrived_far:
            ends.far.use(frame)
        ends.far.acknowledge()
        ends.until(lambda: ends.near.delivered)
        assert not ends.near.full


def test_lost_acknowledgement_is_given_again() -> None:
    """What was used before the connection broke is acknowledged over the next one."""
    with Ends(network=True) as ends:
        assert ends.network is not None
        ends.connect()
        ends.until(lambda: ends.near.offset is not None)
        ends.network.stalled["down"] = True
        ends.near.send_data(b"used, but the word of it never arrives")
        ends.until(lambda: bool(ends.arrived_far))
        for _dummy in range(5):
            ends.step()
        assert not ends.near.delivered
        ends.network.cut()
        ends.network.stalled["down"] = False
        ends.until(lambda: ends.near.delivered)
        assert len(ends.arrived_far) == 1


def test_frames_that_come_with_the_welcome() -> None:
    """What the listener's end had waiting arrives with the welcome and is not lost, nor left lying."""
    with Ends() as ends:
        for number in range(20):
            ends.far.send_message({"number": number})
        while not ends.near.up:
            ends.listener.accept()
            ends.listener.progress()
            ends.far.progress()
            time.sleep(0.005)
            ends.dialer.progress()
        # No selector tells of them, so the dialer asks not to be kept waiting.
        assert ends.dialer.wait() == 0.0
        ends.until(lambda: len(ends.arrived_near) == 20)
        assert [message["number"] for message in ends.near_messages()] == list(range(20))


def test_a_host_that_is_short_of_descriptors() -> None:
    """That is an attempt that failed, not the end of the sender, who may have asked for the commit by then."""
    with Ends() as both:
        with no_descriptor_left(), pytest.raises(Unreachable, match="cannot be begun") as caught:
            both.dialer.progress()
        assert "descriptors" in caught.value.remedy
        both.clock.skew += 1
        both.connect()


def test_why_there_is_no_connection_is_known() -> None:
    """Whoever gives the link up can say whether the other host was silent, or its receiver is gone."""
    with Ends() as ends:
        ends.connect()
        ends.listener.close()
        ends.far.detach()
        ends.until(lambda: ends.near.trouble is not None)
        assert isinstance(ends.near.trouble, NobodyListens)
        assert "Connection refused" in ends.near.trouble.message


def test_silent_peer_is_noticed() -> None:
    """A network that swallows everything ends the connection, though nobody closed it; the link then comes back."""
    with Ends(network=True) as ends:
        assert ends.network is not None
        ends.connect()
        ends.network.stalled.update(up=True, down=True)
        ends.clock.skew += link_module.SILENCE_LIMIT + 1
        before = ends.clock()
        ends.until(lambda: not ends.near.up)
        assert ends.near.lost_at is not None and ends.near.lost_at >= before
        ends.network.cut()
        ends.network.stalled.update(up=False, down=False)
        ends.near.send_message({"type": "still here"})
        ends.until(lambda: bool(ends.arrived_far))
        assert (ends.near.losses, ends.far.losses) == (1, 1)


def test_idle_peer_is_not_silent() -> None:
    """Pings keep a connection that has nothing to carry."""
    with Ends() as ends:
        ends.connect()
        for _dummy in range(10):
            ends.near.clocks.offset = ends.far.clocks.offset = None
            for clock in (ends.clock, ends.far_clock):
                clock.skew += link_module.SILENCE_LIMIT / 2
            ends.until(lambda: ends.near.offset is not None and ends.far.offset is not None)
        assert ends.near.losses == ends.far.losses == 0


def test_slow_frame_is_not_silence() -> None:
    """A frame that takes longer to arrive than the limit for silence is heard byte by byte."""
    with Ends() as ends:
        ends.connect()
        connection = ends.near.connection
        assert connection is not None
        connection.send(encode_header(Kind.DATA, 10, 0))
        for _dummy in range(10):
            connection.send(b"x")
            connection.progress()
            ends.far_clock.skew += link_module.SILENCE_LIMIT / 2
            before = ends.far.connection.received_bytes if ends.far.connection is not None else 0
            while ends.far.connection is not None and ends.far.connection.received_bytes == before:
                ends.arrived_far += ends.far.progress()
            ends.far.tick()
        assert ends.far_data() == b"x" * 10


def test_clock_offset_and_figures() -> None:
    """The peer's clock and figures are known, within the round trip."""
    with Ends() as ends:
        ends.far_clock.skew = 1000.0
        ends.connect()
        ends.until(lambda: ends.near.offset is not None and ends.far.offset is not None)
        for link, expected in ((ends.near, 1000.0), (ends.far, -1000.0)):
            assert link.offset is not None
            assert abs(link.offset.seconds - expected) <= link.offset.round_trip
        assert ends.near.peer_figures == {"phase": "streaming"}


def test_clock_offset_follows_drift() -> None:
    """An old measurement gives way to a newer one once clocks may have drifted by more than that is worse."""
    with Ends() as ends:
        ends.connect()
        ends.until(lambda: ends.near.offset is not None)
        ends.far_clock.skew += 50.0

        def follows() -> bool:
            for clock in (ends.clock, ends.far_clock):
                clock.skew += link_module.PING_INTERVAL / 2
            return ends.near.offset is not None and abs(ends.near.offset.seconds - 50.0) < 10.0

        ends.until(follows)


@pytest.mark.parametrize(
    "frame",
    [
        encode_document(Kind.HELLO),
        encode_header(Kind.ACK, 0, 7),
        encode_header(Kind.DATA, 1, 5) + b"x",
        encode_document(Kind.PONG, {"sent": 1.0})[:-1] + b"]",
        encode_header(Kind.DATA, MAX_DATA + 1, 0),
    ],
    ids=["hello", "acknowledges the future", "gap", "no document", "oversized"],
)
def test_peer_that_breaks_the_rules(frame: bytes) -> None:
    """It is named for what it is, after what came before it in order has been delivered."""
    with Ends() as ends:
        ends.connect()
        connection = ends.near.connection
        assert connection is not None
        ends.near.send_message({"type": "commit"})
        connection.send(frame)
        with pytest.raises(FrameError):
            ends.until(lambda: False)
        assert [arrived.document() for arrived in ends.arrived_far] == [{"type": "commit"}]


def test_last_words_before_the_end_arrive() -> None:
    """What was sent just before a peer closed, or was cut off, is delivered before the loss is told."""
    with Ends() as ends:
        ends.connect()
        ends.near.send_message({"type": "last words"})
        ends.near.detach()
        with pytest.raises(LinkLost):
            while True:
                for frame in ends.far.progress():
                    ends.arrived_far.append(frame)
        assert len(ends.arrived_far) == 1


def test_the_end_of_a_session_is_no_loss() -> None:
    """One side closes first; a clean move must not be told as one with a broken link."""
    with Ends() as ends:
        ends.connect()
        ends.near.over = ends.far.over = True
        ends.near.detach()
        ends.until(lambda: not ends.far.up)
        assert ends.near.losses == ends.far.losses == 0
