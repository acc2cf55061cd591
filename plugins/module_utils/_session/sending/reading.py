# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of the stream leaves the pipe from ``xl``, and when (private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.keeper import StopKeeper
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.source_xl import SourceXl
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.stream import Buffer, Outgoing
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Phase


class HelperNotReplaced(Dom0XenError):
    """``xl`` has not started our program in place of its save helper, and would suspend the guest."""

    code = "rehearsal_impossible"
    remedy = "This xl does not heed LIBXL_SAVE_HELPER. Nothing was suspended; such a host cannot be rehearsed on."


class Piece(t.NamedTuple):
    """What was read: ``data``, empty at the end of the stream, and what of it may be forwarded."""

    data: bytes
    part: Buffer | None = None


class Reader:
    """One sender's. ``clock`` is monotonic, in seconds."""

    def __init__(
        self,
        process: SourceXl,
        stream: Outgoing,
        keeper: StopKeeper,
        link: Link,
        clock: t.Callable[[], float],
        rehearse: bool,
    ) -> None:
        self._process, self._stream, self._keeper = process, stream, keeper
        self._link, self._clock = link, clock
        self._unproven, self._shut = rehearse, False

    def may(self, state: SourceState) -> bool:
        """Say whether anything may be read now."""
        if self._process.stream < 0 or (state.failure is None and self._link.full):
            return False
        return self._most(state) > 0

    def read(self, state: SourceState) -> Piece | None:
        """Return what comes next, ``None`` where nothing is there. Raises a ``Dom0XenError``.

        The stop time is judged before, when the pipe has yet to give way, and after, by what was read.
        """
        self._judge(state)
        data = self._process.read(self._most(state))
        if not data:
            return None if data is None else Piece(data)
        part = self._stream.take(data, self._clock())
        self._judge(state)
        self._prove()
        return Piece(data, part)

    def _prove(self) -> None:
        if not self._unproven or self._stream.rounds.number < 0:
            return
        self._unproven = False
        if not self._process.refuser.stands:
            # What is in the pipe keeps the helper where it can be ended.
            self._shut = True
            raise HelperNotReplaced("the rehearsal was given up: xl would suspend the guest")

    def _most(self, state: SourceState) -> int:
        if self._shut:
            return 0
        # What is given up for another cause is read to its end, wherever xl is with it.
        free = state.failure is not None or _suspends(state)
        return self._keeper.most(self._stream, self._process.room, free)

    def _judge(self, state: SourceState) -> None:
        if state.failure is None:
            suspends = _suspends(state)
            self._process.hold_back(self._keeper.near(self._stream) and not suspends)
            self._keeper.judge(self._stream, self._process.room, suspends)


def _suspends(state: SourceState) -> bool:
    return state.phase.order > Phase.STREAMING.order
