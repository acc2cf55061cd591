# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sender's end of the link: connects, and connects again (private to the collection)."""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils._link.connection import Connection
from ansible_collections.dom0.xen.plugins.module_utils._link.cover import Cover
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import (
    LinkError,
    LinkLost,
    PeerRefused,
    Unreachable,
)
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Frame, Kind
from ansible_collections.dom0.xen.plugins.module_utils._link.introduction import Introduction, objection
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._link.packing.packed import known
from ansible_collections.dom0.xen.plugins.module_utils._link.route import Route

RETRY_INTERVAL = 0.5
ATTEMPT_LIMIT = 10.0


class Dialer:
    """Keeps ``link`` connected over ``route``, one attempt at a time, none of them blocking."""

    def __init__(
        self,
        link: Link,
        *,
        session: str,
        route: Route,
        cover: Cover,
        clock: t.Callable[[], float],
    ) -> None:
        self._link = link
        self._route = route
        self._cover = cover
        self._clock = clock
        self._limit = ATTEMPT_LIMIT + route.detour
        self._mine = Introduction(session, os.urandom(8).hex(), None, 0, known())
        self._attempt: Connection | None = None
        self._started = 0.0
        self._not_before = 0.0

    def fileno(self) -> int:
        """Return the descriptor of the attempt under way, -1 when there is none."""
        return (self._attempt or self._route).fileno()

    def interest(self) -> int:
        """Return the selector events the attempt waits for."""
        return (self._attempt or self._route).interest()

    def progress(self) -> bool:
        """Work on the attempt under way, or start one; return whether the link came up.

        Raises :class:`Unreachable` for an attempt that failed and may be made again, any other link error for a peer
        that will never do.
        """
        if self._link.up:
            return False
        try:
            return self._step()
        except LinkError as exc:
            self.close()
            self._not_before = self._clock() + RETRY_INTERVAL
            self._link.trouble = exc
            if isinstance(exc, LinkLost):
                raise Unreachable(f"no link to {self._route.goal}: {exc.message}") from exc
            raise

    def wait(self) -> float | None:
        """Return the seconds until there is something to do without an event, ``None`` for never."""
        if self._link.connection is not None:
            return 0.0 if self._link.connection.unread_frames else None
        now = self._clock()
        if self.fileno() >= 0:
            return max(0.0, self._started + self._limit - now)
        return max(0.0, self._not_before - now)

    def close(self) -> None:
        """Give up the attempt under way."""
        self._drop()
        self._route.close()

    def end(self) -> None:
        """Do so for good, after the link has let its connection go."""
        self._drop()
        self._route.end()

    def _drop(self) -> None:
        if self._attempt is not None:
            self._attempt.close()
            self._attempt = None

    def _step(self) -> bool:
        now = self._clock()
        if self.fileno() < 0:
            if now < self._not_before:
                return False
            self._started = now
            self._begin()
            return False
        if now - self._started > self._limit:
            raise Unreachable(f"no answer from {self._route.goal} within {self._limit:.0f} s")
        if self._attempt is None:
            self._connected()
            if self._attempt is None:
                return False
        frames = self._attempt.progress()
        return bool(frames) and self._introduced(self._attempt, frames)

    def _begin(self) -> None:
        try:
            self._route.begin()
        except (OSError, RuntimeError) as exc:
            # After the commit request there is no way but to come through one day: what is short now may not be then.
            raise Unreachable(
                f"a connection to {self._route.goal} cannot be begun: {exc}",
                remedy="See that the source dom0 has descriptors, threads and memory left, and IPv6 where it needs it.",
            ) from exc

    def _connected(self) -> None:
        sock = self._route.take()
        if sock is not None:
            self._attempt = Connection(sock, self._cover, self._route.ends)
            self._attempt.send(replace(self._mine, expected=self._link.expected).encode(Kind.HELLO))

    def _introduced(self, connection: Connection, frames: list[Frame]) -> bool:
        theirs = Introduction.decode(frames[0], Kind.WELCOME)
        reason = objection(self._mine, theirs)
        if reason is None and not self._link.can_resume(theirs.expected):
            reason = f"it expects frame {theirs.expected}, which this end does not have"
        if reason is not None:
            raise PeerRefused(f"the receiver does not belong to this session any more: {reason}")
        self._mine = replace(self._mine, peer_nonce=theirs.nonce)
        self._attempt = None
        connection.unread(frames[1:])
        self._link.peer_unpacks = theirs.unpacks
        self._link.attach(connection, theirs.expected)
        return True
