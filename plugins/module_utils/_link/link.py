# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The link: numbered frames both ways, surviving any number of connections (private to the collection).

It knows nothing of Xen and does no waiting of its own: an endpoint (:mod:`dialer`, :mod:`listener`) hands it
connections whose peer has been verified, and the session's event loop drives both.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.clocks import ClockOffset, Clocks
from ansible_collections.dom0.xen.plugins.module_utils._link.connection import Connection
from ansible_collections.dom0.xen.plugins.module_utils._link.ends import Ends
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError, LinkError, LinkLost
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import (
    MAX_DATA,
    Frame,
    Kind,
    encode_document,
    encode_header,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.order import Incoming, Outgoing
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packed import Unpacker
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packer import Packer
from ansible_collections.dom0.xen.plugins.module_utils._link.rate import RateLimit
from ansible_collections.dom0.xen.plugins.module_utils._link.window import Window

PING_INTERVAL = 5.0
SILENCE_LIMIT = 20.0
WINDOW = 8 * 1024 * 1024
# What a peer may have sent that has not been used here; one that keeps to the window never comes near it.
HELD_LIMIT = 2 * WINDOW
# How many pairs of addresses are remembered; nobody whose network works comes near it.
WAYS_LIMIT = 8


class Link:
    """One end of the link.

    ``clock`` is a monotonic clock in seconds, ``figures`` what a PONG tells the peer, ``window`` the most bytes that
    may be on their way, not yet used by the peer.
    """

    def __init__(
        self,
        clock: t.Callable[[], float],
        figures: t.Callable[[], dict[str, t.Any]] | None = None,
        window: int = WINDOW,
    ) -> None:
        self._clock = clock
        self._figures = figures
        self._window = Window(window)
        self._outgoing = Outgoing(self._window.size)
        self._incoming = Incoming(HELD_LIMIT)
        self._acknowledged = 0
        # How much the connection must have sent before another acknowledgement, or another answer to a PING, may queue
        # up: a peer that never reads shall not fill this end's memory.
        self._ack_leaves_at = self._pong_leaves_at = 0
        self._connection: Connection | None = None
        self._attached = 0.0
        self._error: LinkError | None = None
        self._heard = 0.0
        self._pinged = 0.0
        self.lost_at: float | None = clock()
        # Why the last attempt to make a connection has failed, while there is none.
        self.trouble: LinkError | None = None
        self.losses = 0
        # Set when nothing more has to be said: an end of the connection is no loss then.
        self.over = False
        self.clocks = Clocks()
        self.peer_figures: dict[str, t.Any] = {}
        # How many times the peer has answered: over all connections, and whether or not there was anything to send.
        self.answers = 0
        # Between which addresses connections have run, and how many of them.
        self.ways: dict[Ends, int] = {}
        # How much of the network may be used. Payload is what counts; the rest is under 1 %.
        self.limit: RateLimit | None = None
        # What makes stream data smaller before it leaves; none: it goes as it is. And what the peer can undo of that.
        self.packer: Packer | None = None
        self.peer_unpacks: tuple[str, ...] = ()
        self._unpacker = Unpacker()
        # What was sent and the peer has used, and what came in over connections that are gone, in bytes.
        self.used_bytes = 0
        self._received_before = 0

    @property
    def received_bytes(self) -> int:
        """What the sockets have received, in bytes, everything that the link adds included."""
        return self._received_before + (self._connection.received_bytes if self._connection is not None else 0)

    @property
    def up(self) -> bool:
        """Whether there is a connection now."""
        return self._connection is not None

    @property
    def offset(self) -> ClockOffset | None:
        """How far the peer's clock is ahead, as far as it has answered."""
        return self.clocks.offset

    @property
    def connection(self) -> Connection | None:
        """The connection in use."""
        return self._connection

    @property
    def expected(self) -> int:
        """The number of the frame to arrive next; what a new connection starts with."""
        return self._incoming.expected

    @property
    def full(self) -> bool:
        """Whether new data must wait, for acknowledgements or for the rate limit."""
        return self._outgoing.full or self.pause > 0

    @property
    def pause(self) -> float:
        """How long the rate limit lets nothing leave, in seconds."""
        return 0.0 if self.limit is None else self.limit.wait(self._clock())

    @property
    def down_for(self) -> float:
        """How long there has been no connection, in seconds; 0 while there is one."""
        return 0.0 if self.lost_at is None else self._clock() - self.lost_at

    @property
    def delivered(self) -> bool:
        """Whether the peer has used everything that was sent."""
        return not self._outgoing.pending

    def can_resume(self, peer_expects: int) -> bool:
        """Whether a peer that expects this number can be given everything from there on."""
        return self._outgoing.can_replay(peer_expects)

    def attach(self, connection: Connection, peer_expects: int) -> None:
        """Go on over ``connection``, sending again what the peer has not got. Raises :class:`FrameError`."""
        replay = self._outgoing.replay(peer_expects)
        self.detach()
        self._connection = connection
        if connection.ends is not None and (connection.ends in self.ways or len(self.ways) < WAYS_LIMIT):
            self.ways[connection.ends] = self.ways.get(connection.ends, 0) + 1
        self._ack_leaves_at = self._pong_leaves_at = 0
        self._attached = self._heard = self._clock()
        self._pinged = -math.inf
        self.lost_at = self.trouble = None
        for buffers in replay:
            connection.send(*buffers)
        # The last acknowledgement may have been lost with the connection before.
        self._acknowledged = 0
        self.acknowledge()

    def detach(self) -> None:
        """Drop the connection, keeping everything needed to go on over another one."""
        self._error = None
        if self._connection is not None:
            self._connection.close()
            self._received_before += self._connection.received_bytes
            self._connection = None
            if self.packer is not None:
                self.packer.lost()
            self.lost_at = self._clock()
            self.losses += not self.over

    def send_data(self, payload: bytes | memoryview) -> None:
        """Send stream bytes; ``payload`` must not be changed until they are acknowledged."""
        view = memoryview(payload)
        for start in range(0, len(view), MAX_DATA):
            self._send_piece(view[start : start + MAX_DATA])
        if self.packer is not None:
            self.packer.full(self.full, self._clock())

    def send_message(self, document: t.Mapping[str, t.Any]) -> None:
        """Send a message."""
        self._queue(self._outgoing.message(document))

    def open_window(self) -> None:
        """Bound what is on its way by memory alone from now on, and by no rate: nothing can come that a queue would
        delay, and a guest stands still.
        """
        self.limit = None
        self._window.open()
        self._outgoing.window = self._window.size

    def use(self, frame: Frame) -> None:
        """Take note that ``frame``, and all before it, have been used; :meth:`acknowledge` tells the peer."""
        self._incoming.use(frame.number)

    def acknowledge(self) -> None:
        """Tell the peer what has been used since it was last told, as soon as the word before has left."""
        connection = self._connection
        if connection is None or self._incoming.used <= self._acknowledged:
            return
        if connection.sent_bytes >= self._ack_leaves_at:
            self._acknowledged = self._incoming.used
            connection.send(encode_header(Kind.ACK, 0, self._acknowledged))
            self._ack_leaves_at = connection.queued_bytes

    def progress(self, *, readable: bool = True) -> list[Frame]:
        """Move bytes; return the new ``DATA`` and ``MESSAGE`` frames. ``readable`` is what a selector said.

        Raises :class:`LinkLost` after detaching, :class:`FrameError` for a peer that breaks the rules. Frames that
        were in order are returned first.
        """
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        connection = self._connection
        if connection is None:
            return []
        before = connection.received_bytes
        try:
            arrived = connection.progress(readable=readable)
        except LinkLost:
            self.detach()
            raise
        if connection.received_bytes != before:
            self._heard = self._clock()
        if self.packer is not None:
            self.packer.sent(connection.sent_bytes, connection.sending_seconds)
        fresh = self._sort(arrived)
        self.acknowledge()
        return fresh

    def tick(self) -> None:
        """Keep the connection alive. Raises :class:`LinkLost` after detaching when the peer has gone silent."""
        if self._connection is None:
            return
        now = self._clock()
        if now - self._heard > SILENCE_LIMIT:
            self.detach()
            raise LinkLost(f"the peer has been silent for {SILENCE_LIMIT:.0f} s")
        if now - self._pinged >= PING_INTERVAL:
            self._pinged = now
            self._connection.send(encode_document(Kind.PING, {"sent": now}))

    def _queue(self, buffers: t.Sequence[bytes | memoryview]) -> None:
        if self._connection is not None:
            self._connection.send(*buffers)

    def _send_piece(self, piece: memoryview) -> None:
        header, body = self.packer.pack(bytes(piece)) if self.packer is not None else (b"", piece)
        if self.limit is not None:
            self.limit.took(len(header) + len(body), self._clock())
        self._queue(self._outgoing.packed(header, body, len(piece)) if header else self._outgoing.data(body))

    def _sort(self, arrived: list[Frame]) -> list[Frame]:
        fresh: list[Frame] = []
        try:
            for frame in arrived:
                if frame.kind in (Kind.DATA, Kind.MESSAGE):
                    if self._incoming.accept(frame):
                        fresh.append(frame)
                elif frame.kind is Kind.PACKED:
                    if self._incoming.accept(frame):
                        fresh.append(Frame(Kind.DATA, frame.number, self._unpacker.unpack(frame.payload)))
                else:
                    self._control(frame)
        except FrameError as exc:
            if not fresh:
                raise
            self._error = exc
        return fresh

    def _control(self, frame: Frame) -> None:
        if frame.kind is Kind.ACK:
            trip = self.offset.round_trip if self.offset is not None else None
            now, used = self._clock(), self._outgoing.acknowledged(frame.number)
            self.used_bytes += used.way
            self._window.used(used.stream, now, trip)
            self._outgoing.window = self._window.size
            if self.packer is not None:
                self.packer.acknowledged(used.stream, used.way, now)
                self.packer.full(self.full, now)
        elif frame.kind is Kind.PING:
            self._answer(frame.document().get("sent"))
        elif frame.kind is Kind.PONG:
            self._pong(frame.document())
        else:
            raise FrameError(f"a {frame.kind.name} frame in the middle of a connection")

    def _answer(self, sent: t.Any) -> None:
        connection = self._connection
        if connection is None or connection.sent_bytes < self._pong_leaves_at:
            return
        answer: dict[str, t.Any] = {"sent": sent if isinstance(sent, float) else None, "now": self._clock()}
        if self._figures is not None:
            answer["figures"] = self._figures()
        connection.send(encode_document(Kind.PONG, answer))
        self._pong_leaves_at = connection.queued_bytes

    def _pong(self, answer: dict[str, t.Any]) -> None:
        self.answers += 1
        self.clocks.take(answer.get("sent"), answer.get("now"), self._clock(), self._attached)
        figures = answer.get("figures")
        if isinstance(figures, dict):
            self.peer_figures = figures
