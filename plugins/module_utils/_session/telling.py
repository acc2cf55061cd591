# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the status file is written, and writing it (private to the collection)."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.stillness import Stillness
from ansible_collections.dom0.xen.plugins.module_utils._session.words import Phase

# Telling how far it is takes about this share of the time, between these pauses (seconds).
SHARE = 0.02
INTERVAL = 1.0
INTERVAL_MAX = 5.0

# While the guest stands still the status is not written when there is anything else to do, however new the phase is,
# and those who wait for it wait on.
_STOP_PHASES = (Phase.SUSPENDING, Phase.FINAL_ROUND, Phase.TRANSFERRED, Phase.GATE, Phase.COMMITTED)


class Telling:
    """The status file of one session, in the runtime folder ``folder``.

    ``quiet_interval`` is how old, in seconds, it may be while the guest stands still.
    """

    def __init__(self, folder: str, quiet_interval: float, clock: t.Callable[[], float]) -> None:
        self._path = os.path.join(folder, documents.STATUS)
        self._quiet_interval = quiet_interval
        self._clock = clock
        self._due = 0.0
        self._told = 0.0
        self._last: tuple[Phase, bool] | None = None
        self._stillness = Stillness(folder)
        self.sequence = 0

    def tell(self, phase: Phase, *, idle: bool, waits: bool, document: t.Callable[[], dict[str, t.Any]]) -> None:
        """Write the status if it is time to; ``waits`` when nothing goes on before the controller or the link does."""
        now = self._clock()
        still = phase in _STOP_PHASES and not waits
        if still:
            due = idle and now >= max(self._due, self._told + self._quiet_interval)
        else:
            due = (phase, waits) != self._last or now >= self._due
        if due:
            self._write(now, document)
            self._last = phase, waits
        self._stillness.keep(still)

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
        """Hold nobody back any more."""
        self._stillness.keep(False)
