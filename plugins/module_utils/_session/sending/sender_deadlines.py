# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long the source waits, and for what (private to the collection).

What is too late is told here as an event; whether anything comes of it the machine decides. While the guest runs,
``xl`` may take its time: it waits for its lock until another domain has arrived. A guest that stands still waits less.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.away import Away
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.gate import gate
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures, words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure, Phase


def stalled(state: SourceState, limit: float) -> Failure:
    """Return the failure of a migration in which nothing has moved for ``limit`` seconds."""
    waits = "its stream has not come to its end"
    if state.phase is Phase.TRANSFERRED:
        waits = "the destination's xl has not said that it is ready"
    elif state.phase.order > Phase.TRANSFERRED.order:
        waits = "the source's xl has not given its permission"
    how, option = ("stood still", "ready") if state.stands_still else ("ran on", "stall")
    return Failure(
        "stalled",
        f"nothing has moved for {limit:g} s while the guest {how}: {waits}",
        remedy="See what keeps xl waiting there (ps -eo pid,stat,wchan:32,args; dmesg), then run the migration again. "
        f"With migrate_{option}_timeout it is given more time.",
        details={"phase": state.phase.value, "seconds": limit},
    )


def too_slow(settings: SenderSettings) -> Failure:
    """Return the failure of a migration that has taken longer than it may while the guest ran."""
    limit, each = settings.longest_s, settings.timeout_per_gib
    return Failure(
        "too_slow",
        f"the guest still runs on after {limit:g} s, which is the limit: {each} s for each GiB of its memory",
        remedy="Use a faster network, or move it when it writes less, or give it more time with migrate_timeout.",
        details={"seconds": limit, "seconds_per_gib": each},
    )


class SenderDeadlines:
    """Those of one sender; ``clock`` is monotonic, in seconds.

    Only progress begins a limit anew: bytes that the destination has used, and for what may not stand still also those
    that ``xl`` has written, or another state of the session. While the guest runs, or the controller has the word, it
    is enough for the link that the destination answers: what is on its way may wait for the lock of ``xl`` there.
    """

    def __init__(self, settings: SenderSettings, link: Link, clock: t.Callable[[], float]) -> None:
        self._settings, self._link, self._clock = settings, link, clock
        self._away = Away(link, clock)
        self._seen: tuple[SourceState, int, int] | None = None
        self._quiet = 0.0
        self._stands = False
        self._ran_from: float | None = None
        self._held_at: float | None = None

    def late(self, state: SourceState) -> bool:
        """Whether the link has been away, or nothing has moved, for longer than is waited in this state."""
        stands = self._stands and self._seen is not None and self._seen[0] is state
        return stands or self._away.seconds > self._settings.link_timeout

    def passed(self, state: SourceState, timeline: t.Mapping[str, float], position: int) -> t.Iterator[words.Event]:
        """Yield what is too late by now; ``position`` is how many bytes of the stream ``xl`` has written."""
        settings = self._settings
        self._look(state, position)
        if state.phase is Phase.STARTING:
            return
        patience = self._patience(state)
        self._stands = self._quiet > patience
        if self._stands:
            # Alone: what comes of another event is not to be taken for what has stood still.
            yield words.Stalled(stalled(state, patience))
            return
        if self._runs_too_long(state):
            yield words.Failed(too_slow(settings))
            return
        if state.at_the_gate and self._held_for(timeline) > settings.gate_timeout:
            yield words.Failed(gate.expired(settings.gate_timeout))
        # A guest that boots anew has not stood still for the sake of some seconds.
        stopped = state.phase.order >= Phase.SUSPENDING.order and not state.shuts_down
        limit = settings.stop_link_timeout if stopped else settings.link_timeout
        if self._away.seconds > limit:
            yield words.LinkExpired(failures.link_expired("destination", limit, self._link.trouble))

    def _runs_too_long(self, state: SourceState) -> bool:
        """Say whether the guest runs on for longer than it may."""
        now = self._clock()
        self._ran_from = now if self._ran_from is None else self._ran_from
        over = 0 < self._settings.longest_s < now - self._ran_from
        return over and state.failure is None and not state.stands_still

    def _held_for(self, timeline: t.Mapping[str, float]) -> float:
        """Return for how long the controller has had the word: not while the disks still came to rest."""
        if self._held_at is None:
            # Where the record could not be written it has the word all the same.
            self._held_at = timeline.get("journal_permission_held", self._clock())
        return self._clock() - self._held_at

    def _patience(self, state: SourceState) -> float:
        if state.failure is None and not state.stands_still:
            return self._settings.stall_timeout
        down = state.failure is None and state.phase.order >= Phase.TRANSFERRED.order
        # What stands for xl waits for the guest.
        more = self._settings.shutdown_timeout if state.shuts_down and not down else 0.0
        return self._settings.ready_timeout + more

    def _look(self, state: SourceState, position: int) -> None:
        used = self._link.used_bytes
        enough = state.at_the_gate or not state.stands_still
        there, away = self._away.look((state.phase, used, self._link.answers if enough else None))
        moved = self._seen is None or self._seen[1:] != (position, used) or self._seen[0] is not state
        # The controller has its own limit.
        if moved or state.at_the_gate:
            self._seen, self._quiet = (state, position, used), 0.0
        else:
            # And so has a link that is away, until nobody waits for it any more.
            self._quiet += there if state.failure is None else there + away
