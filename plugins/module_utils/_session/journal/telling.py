# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the status file is written, and writing it (private to the collection)."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.looks import Looks
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Phase

# Telling how far it is takes about this share of the time, between these pauses (seconds).
SHARE = 0.02
INTERVAL = 1.0
INTERVAL_MAX = 5.0

# While the guest stands still, and while its copy is taken down, the status is not written when there is anything else
# to do, however new the phase is, and nobody is called to look at it.
_BUSY_PHASES = (
    Phase.SUSPENDING,
    Phase.FINAL_ROUND,
    Phase.TRANSFERRED,
    Phase.GATE,
    Phase.COMMITTED,
    Phase.FINISHING,
)


class Telling:
    """The status file of one session, in the runtime folder ``folder``.

    ``quiet_interval`` is how old, in seconds, it may be in the phases that leave no time for it.
    """

    def __init__(self, folder: str, quiet_interval: float, clock: t.Callable[[], float]) -> None:
        self._folder = folder
        self._path = os.path.join(folder, documents.STATUS)
        self._quiet_interval = quiet_interval
        self._clock = clock
        self._due = 0.0
        self._told = 0.0
        self._last: tuple[Phase, bool] | None = None
        self._hurried = False
        self._looks: Looks | None = None
        self.sequence = 0

    def invite(self, interval: float) -> None:
        """Let the controller wait for its looks here, about ``interval`` seconds from one to the next."""
        self._looks = Looks(self._folder, interval, self._clock)

    def hurry(self) -> None:
        """Write the status at the next occasion, whatever the phase."""
        self._hurried = True

    def tell(self, phase: Phase, *, idle: bool, waits: bool, document: t.Callable[[], dict[str, t.Any]]) -> None:
        """Write the status if it is time to; ``waits`` when nothing goes on before the controller or the link does."""
        now, news = self._clock(), (phase, waits) != self._last
        busy = phase in _BUSY_PHASES and not waits
        look = self._looks is not None and not busy and (self._looks.due() or (news and _matters(phase, waits)))
        if busy:
            due = idle and now >= max(self._due, self._told + self._quiet_interval)
        else:
            due = news or look or now >= self._due
        if due or self._hurried:
            self._hurried = False
            self._write(now, document)
            self._last = phase, waits
        if look and self._looks is not None:
            self._looks.call()

    def _write(self, now: float, document: t.Callable[[], dict[str, t.Any]]) -> None:
        self.sequence += 1
        with contextlib.suppress(OSError):
            documents.write(self._path, document())
        done = self._told = self._clock()
        self._due = done + min(max(INTERVAL, (done - now) / SHARE), INTERVAL_MAX)

    def write(self, document: t.Mapping[str, t.Any]) -> None:
        """Write the status now. Raises :class:`OSError`."""
        documents.write(self._path, document)

    def close(self) -> None:
        """Nobody needs to wait any more."""
        if self._looks is not None:
            self._looks.close()


def _matters(phase: Phase, waits: bool) -> bool:
    """Whether the controller has something to do with that."""
    return phase is Phase.ENDED or (waits and phase in _BUSY_PHASES)
