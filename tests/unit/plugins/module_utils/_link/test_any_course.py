# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both ends of the link in any course of events: what arrives is what was sent, in order and once.

Real sockets and real TLS. The events are drawn: sending either way, cuts at once or after some bytes, a network that
stands still, a receiver that uses nothing for a while, clocks that jump ahead.
"""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Frame, Kind
from ansible_collections.dom0.xen.plugins.module_utils._link.link import SILENCE_LIMIT
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packed import known
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packer import Packer, usable
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._link.loopback import Ends

WINDOW = 1 << 16
EXAMPLES = max(20, int(os.environ.get("DOM0_XEN_EXAMPLES", "100")) // 5)


def content(frame: Frame) -> tuple[Kind, bytes]:
    """What tells one frame from another."""
    return frame.kind, bytes(frame.payload)


class LinkMachine(RuleBasedStateMachine):
    """A sender, a receiver, and a network between them."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = Ends(network=True, window=WINDOW)
        assert self.ends.network is not None
        self.network = self.ends.network
        self.sent_far: list[tuple[Kind, bytes]] = []
        self.sent_near = 0
        self.used = 0

    @rule(size=st.integers(1, 5000))
    def stream_data(self, size: int) -> None:
        """The sender reads from xl, as far as the window lets it."""
        if not self.ends.near.full:
            payload = len(self.sent_far).to_bytes(4, "big") * (size // 4 + 1) + bytes(size)
            self.ends.near.send_data(payload)
            self.sent_far.append((Kind.DATA, payload))

    @rule()
    def message_to_the_receiver(self) -> None:
        """As the commit."""
        self.ends.near.send_message({"number": len(self.sent_far)})
        self.sent_far.append((Kind.MESSAGE, b'{"number":%d}' % len(self.sent_far)))

    @rule()
    def message_to_the_sender(self) -> None:
        """As the report."""
        self.ends.far.send_message({"number": self.sent_near})
        self.sent_near += 1

    @initialize(connected=st.booleans(), wanted=st.sampled_from(["", "auto", "zeros", "zstd1"]))
    def begin(self, connected: bool, wanted: str) -> None:
        """Before the first connection, or after it, with what is sent packed or as it is."""
        if wanted:
            self.ends.near.packer = Packer(usable(wanted, known()))
        if connected:
            self.ends.connect()

    @rule(turns=st.integers(1, 30))
    def work(self, turns: int) -> None:
        """Both loops go round."""
        for _dummy in range(turns):
            self.ends.step()
        self._use()

    @rule()
    def cut(self) -> None:
        """The connection is reset."""
        self.network.cut()

    @rule(
        up=st.none() | st.integers(0, 9000),
        down=st.none() | st.integers(0, 3000),
        as_reset=st.booleans(),
        now=st.booleans(),
    )
    def cut_later(self, up: int | None, down: int | None, as_reset: bool, now: bool) -> None:
        """The next connection breaks after some bytes, in its handshake or in a frame."""
        self.network.budgets.append((up, down, as_reset))
        if now:
            self.network.cut()

    @rule(way=st.sampled_from(["up", "down"]), stalled=st.booleans())
    def stall(self, way: str, stalled: bool) -> None:
        """One direction stands still, or goes on."""
        self.network.stalled[way] = stalled

    @rule(at_once=st.booleans())
    def xl_reads(self, at_once: bool) -> None:
        """The receiver's xl takes what arrives, or does not for a while."""
        self.ends.use_at_once = at_once
        self._use()

    @rule(seconds=st.sampled_from([1.0, SILENCE_LIMIT / 2, SILENCE_LIMIT + 1]), which=st.sampled_from(["near", "far"]))
    def time_passes(self, seconds: float, which: str) -> None:
        """Long enough for a ping, for an attempt to be given up, or for silence."""
        (self.ends.clock if which == "near" else self.ends.far_clock).skew += seconds

    @precondition(lambda self: self.ends.near.connection is not None)
    @rule()
    def repeat(self) -> None:
        """Everything that was not acknowledged is sent a second time over the same connection."""
        outgoing, connection = self.ends.near._outgoing, self.ends.near.connection
        if connection is not None and outgoing.pending:
            for buffers in outgoing.replay(outgoing._kept[0][0]):
                connection.send(*buffers)

    @precondition(lambda self: bool(self.ends.arrived_far))
    @rule()
    def acknowledge(self) -> None:
        """An acknowledgement more, without anything new."""
        self.ends.far.acknowledge()

    @invariant()
    def nothing_but_what_was_sent(self) -> None:
        """At every moment a prefix of it has arrived, at both ends."""
        arrived = [content(frame) for frame in self.ends.arrived_far]
        assert arrived == self.sent_far[: len(arrived)]
        assert [message["number"] for message in self.ends.near_messages()] == list(range(len(self.ends.arrived_near)))
        assert len(self.ends.arrived_near) <= self.sent_near

    def teardown(self) -> None:
        """Once the network is well again, everything arrives."""
        try:
            self.network.budgets.clear()
            self.network.stalled.update(up=False, down=False)
            self.network.cut()
            self.ends.use_at_once = True
            for _dummy in range(3000):
                if self._over():
                    break
                self.ends.step()
                self._use()
                self.ends.clock.skew += 0.1 if not self.ends.near.up else 0.0
            assert self._over()
            assert [content(frame) for frame in self.ends.arrived_far] == self.sent_far
            assert len(self.ends.arrived_near) == self.sent_near
        finally:
            self.ends.__exit__()

    def _over(self) -> bool:
        return self.ends.near.delivered and self.ends.far.delivered

    def _use(self) -> None:
        if self.ends.use_at_once:
            for frame in self.ends.arrived_far[self.used :]:
                self.ends.far.use(frame)
            self.used = len(self.ends.arrived_far)


def test_any_course() -> None:
    """Losses, connections made again, repeated frames and held acknowledgements change nothing in what arrives."""
    run_state_machine_as_test(LinkMachine, settings=settings(max_examples=EXAMPLES, stateful_step_count=40))
