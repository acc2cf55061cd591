# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stream on both sides: what may pass, and what it tells (no I/O; private to the collection).

Neither side lets a byte pass before it has read the configuration in the header and found the domain of its session.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy
from ansible_collections.dom0.xen.plugins.module_utils._session.stream import figures
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.guest_clock import GuestClock
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.shown_processor import ShownProcessor
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import AnotherDomain
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Phase
from ansible_collections.dom0.xen.plugins.module_utils._wire import parser as wire
from ansible_collections.dom0.xen.plugins.module_utils._wire.errors import printable
from ansible_collections.dom0.xen.plugins.module_utils._wire.header import config_identity
from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import RoundTracker

Buffer = t.Union[bytes, bytearray, memoryview]

# A frame of nothing but empty records is thirty times as large when it has been read as a whole.
PIECE = 64 * 1024


@dataclass(frozen=True)
class Authorised:
    """The one domain that a session may move. ``memory_max_kib`` is ``None`` where the size does not matter."""

    uuid: str
    name: str
    memory_max_kib: int | None = None

    def compare(self, config: bytes) -> None:
        """Raise :class:`AnotherDomain`, or a ``StreamError`` for a configuration that cannot be read."""
        found = config_identity(config)
        if found.uuid != self.uuid or found.name != self.name:
            shown = printable(found.name.encode("utf-8", "replace"))
            raise AnotherDomain(
                f"the stream is of {shown} ({found.uuid}), this session is for {self.name} ({self.uuid})"
            )
        # xl makes room for the target before it creates the domain (libxl_mem.c libxl__domain_need_memory_calculate).
        memory = max(found.memory_max_kib, found.memory_target_kib)
        if self.memory_max_kib is not None and memory > self.memory_max_kib:
            raise AnotherDomain(f"the stream's domain may have {memory} KiB, this session allows {self.memory_max_kib}")


class Outgoing:
    """The stream as the sender reads it from ``xl``."""

    def __init__(self, domain: Authorised, features: str = "", most: Policy | None = None) -> None:
        """``features`` are those of the destination's processor, as hw_caps; empty: they are not looked at.

        ``most`` is what Xen there shows such a guest at most, as far as that is known.
        """
        self._domain = domain
        self._processor = ShownProcessor(features, most)
        self._parser = wire.StreamParser()
        self._rate = figures.Rate()
        self._held: list[bytes] = []
        self.rounds = RoundTracker()
        self.authorised = False

    @property
    def position(self) -> int:
        """Bytes read so far, the permission included."""
        return self._parser.position

    @property
    def complete(self) -> bool:
        """Whether the libxl END record was read."""
        return self._parser.stream_end is not None

    @property
    def permission_read(self) -> bool:
        """Whether the whole permission was read, and is right."""
        return self._parser.phase == wire.PERMITTED

    def take(self, data: bytes, now: float) -> Buffer | None:
        """Read ``data``; return what may be forwarded, ``None`` for nothing yet. Raises a ``Dom0XenError``."""
        begin = self._parser.position
        parsed = self._parser.feed(data)
        self.rounds.update(parsed.events, self._parser.position, now)
        self._processor.take(data, begin, parsed.events)
        if not parsed.stream_bytes:
            return None
        part: Buffer = data if parsed.stream_bytes == len(data) else memoryview(data)[: parsed.stream_bytes]
        if self.authorised:
            return part
        self._held.append(bytes(part))
        if self._parser.config is None:
            return None
        self._domain.compare(self._parser.config)
        self.authorised = True
        header = b"".join(self._held)
        self._held.clear()
        return header

    def next_phase(self, phase: Phase, suspended: bool) -> Phase | None:
        """Return the phase that the stream shows beyond ``phase``; ``suspended`` is what XenStore says of the guest."""
        if phase is Phase.CONFIGURATION and self.rounds.current is not None:
            return Phase.STREAMING
        if phase is Phase.STREAMING and self.rounds.between_rounds and figures.suspend_is_near(self.rounds.current):
            return Phase.SUSPENDING
        if phase is Phase.SUSPENDING and suspended:
            return Phase.FINAL_ROUND
        return None

    def figures(self, now: float, memory_kib: int, started: float) -> dict[str, t.Any]:
        """Return the transfer's part of the status document."""
        rate = self._rate.update(now, self.position)
        return figures.transfer(self.rounds, self.position, memory_kib * 1024, rate, started)


FrameT = t.TypeVar("FrameT", bound="HasPayload")


class HasPayload(t.Protocol):
    """A frame of the link, as far as it matters here."""

    @property
    def payload(self) -> Buffer:
        """Its bytes."""


class Incoming(t.Generic[FrameT]):
    """The stream as the receiver gets it, frame by frame.

    ``rewrite`` gives the beginning of the stream, which holds header and configuration, the destination's names.
    """

    def __init__(self, domain: Authorised, rewrite: t.Callable[[bytes], bytes] | None = None) -> None:
        self._domain = domain
        self._rewrite = rewrite
        self._parser = wire.StreamParser()
        self.clock = GuestClock()
        self._held: list[FrameT] = []
        self.authorised = False

    @property
    def config(self) -> bytes | None:
        """The configuration in front of the stream as it came, once it is there."""
        return self._parser.config

    @property
    def position(self) -> int:
        """Bytes received so far."""
        return self._parser.position

    @property
    def complete(self) -> bool:
        """Whether the libxl END record was received."""
        return self._parser.stream_end is not None

    def take(self, frame: FrameT) -> list[tuple[Buffer, FrameT]]:
        """Read a frame; return what may be written to ``xl``, in order. Raises a ``Dom0XenError``.

        Each piece comes with the frame that is used, with all before it, when the last of the piece has been written.
        """
        payload = memoryview(frame.payload)
        for begin in range(0, len(payload), PIECE):
            piece, position = payload[begin : begin + PIECE], self._parser.position
            parsed = self._parser.feed(piece)
            if parsed.stream_bytes != len(piece):
                raise AnotherDomain("bytes follow the end of the stream")
            self.clock.take(piece, position, parsed.events)
        if self.authorised:
            return [(frame.payload, frame)]
        self._held.append(frame)
        if self._parser.config is None:
            return []
        self._domain.compare(self._parser.config)
        self.authorised = True
        held, self._held = self._held, []
        if self._rewrite is None:
            return [(each.payload, each) for each in held]
        return [(self._rewrite(b"".join(each.payload for each in held)), frame)]

    def drop(self) -> None:
        """Forget what is held."""
        self._held.clear()
