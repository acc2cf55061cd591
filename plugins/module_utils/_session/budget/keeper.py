# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a live move to the stop time that it may have (private to the collection).

``xl`` alone decides when the guest is suspended, and tells nobody: after its fifth live round, or one with hardly a
page (see :mod:`figures`). So this looks at the head of each PAGE_DATA record before the rest of it is read. While more
than a pipe can hold is left of a record, the save helper is still at it, and can be ended with the guest running on. In
the rounds after which the guest may be suspended the pipe is made small and the stream is read piece by piece, so that
nothing of the next record is let out of the pipe before its head was looked at; what the pipe may hold of it counts as
written. The last look is at the last byte with which a record is still more than the pipe holds: from there on nothing
leaves the pipe while the link is away, and once the move is given up nothing does at all. The helper's write is
interrupted by SIGTERM (tools/libs/light/libxl_save_helper.c save_signal_handler), but one that gets room before it is
woken comes to its end first, and ``xl`` then to the suspend.
"""

from __future__ import annotations

import math
import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._session.budget import learned
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.prediction import (
    ASSUMED,
    Base,
    Prediction,
    last_round,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.speed import Speed
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import READ_BYTES
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.figures import (
    LAST_LIVE_ROUND,
    PAGE_BYTES,
    suspend_is_near,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.stream import Outgoing
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ABORT, SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import CONTROLLER, ENGINE, LIVE

# In seconds: how often the prediction is made anew within a record.
INTERVAL_S = 0.25


class OverBudget(Dom0XenError):
    """The guest would stand still for longer than it may. Details: what was predicted, and from what."""

    code = "stop_over_budget"
    remedy = (
        "The guest was not suspended and runs on. Move it when it writes less memory, over a faster network, or with a"
        " higher migrate_max_stop_ms; with migrate_on_over_budget: retry it is tried again, with continue it is moved"
        " all the same."
    )


class NothingToRehearse(Dom0XenError):
    """The domain is moved in a way in which its guest stands still from the beginning."""

    code = "nothing_to_rehearse"
    remedy = "Only live moves have rounds to predict from. Ask with --check what such a move would need."


class StopKeeper:
    """One sender's. ``clock`` is monotonic, in seconds, and that of the stream's rounds."""

    def __init__(self, settings: SenderSettings, link: Link, clock: t.Callable[[], float]) -> None:
        self._settings, self._link, self._clock = settings, link, clock
        gate = CONTROLLER if settings.gate_held else ENGINE
        self._base: Base | None = None
        if settings.method == LIVE:
            journals = os.path.dirname(settings.journal_folder)
            self._base = learned.base(journals, settings.uuid, settings.peer_host, gate)
        self._speed = Speed()
        self._last: Prediction | None = None
        self._entries = 0
        self._due = 0.0
        self._given_up = False

    @property
    def _gives_up(self) -> bool:
        settings = self._settings
        return settings.max_stop_ms > 0 and settings.on_over_budget == ABORT and not settings.rehearse

    @property
    def _over(self) -> bool:
        known = self._last or self._base
        return known is not None and 0 < self._settings.max_stop_ms < known.milliseconds

    def begin(self) -> None:
        """Look whether it is of any use to begin. Raises :class:`OverBudget` and :class:`NothingToRehearse`."""
        settings = self._settings
        if settings.rehearse and self._base is None:
            raise NothingToRehearse(f"with the method {settings.method} the guest stands still until it has arrived")
        if self._base is None:
            if self._gives_up:
                text = f"with the method {settings.method} the guest stands still until it has arrived"
                remedy = "Leave migrate_max_stop_ms out, or set migrate_on_over_budget: continue, for such a guest."
                raise OverBudget(text, remedy=remedy, method=settings.method, budget_ms=settings.max_stop_ms)
            return
        if self._over and self._gives_up:
            told = f"the guest may stand still for {settings.max_stop_ms} ms, and however little it writes"
            if self._base.known_by == ASSUMED:
                raise OverBudget(
                    f"{told} {self._base.milliseconds} ms are reckoned with: it is not known how long it takes until a"
                    " domain that has arrived runs there",
                    remedy="Let one domain be moved there with migrate_on_over_budget: continue; later ones know then.",
                    **self.told(None),
                )
            raise OverBudget(
                f"{told} it takes {self._base.milliseconds} ms until it runs there, as earlier moves have shown",
                remedy="Give it more with migrate_max_stop_ms, or see in the timeline of an earlier move's result what"
                " takes so long there. With migrate_on_over_budget: continue it is moved all the same.",
                **self.told(None),
            )

    def look(self, stream: Outgoing) -> None:
        """Take note of what the destination has used by now."""
        packer, rounds = self._link.packer, stream.rounds
        if packer is not None and rounds.number >= 0 and not rounds.finished:
            moves = self._link.up and not (rounds.between_rounds and self._link.delivered)
            used = (packer.used_bytes, self._link.used_bytes)
            self._speed.look(self._clock(), *used, moves, rounds.number + 1)

    def near(self, stream: Outgoing) -> bool:
        """Say whether ``xl`` must not run ahead: the guest may be suspended soon, and the move may be given up."""
        return self._gives_up and LAST_LIVE_ROUND - 1 <= stream.rounds.number <= LAST_LIVE_ROUND

    def most(self, stream: Outgoing, room: int, suspends: bool) -> int:
        """Return how many bytes may be read at once, 0 where all must stay in the pipe.

        ``room`` is what the pipe from ``xl`` holds, in bytes; ``suspends``: the guest was asked to suspend.
        """
        if self._given_up:
            return 0
        if suspends or not self.near(stream):
            return READ_BYTES
        # With the link away the guest would stand still for as long as that is.
        edge = stream.passing - room - 1
        return edge if edge > 0 else stream.wanted if self._link.up else 0

    def judge(self, stream: Outgoing, room: int, suspends: bool) -> None:
        """Predict the stop time anew when there is something new to predict it from. Raises :class:`OverBudget`.

        To be called before and after each reading; ``room`` and ``suspends`` as for :meth:`most`.
        """
        now = self._clock()
        if suspends or self._base is None or not self._news(stream, now, room):
            return
        # A slow beginning is no reason to give up while more rounds are to come: what would be over at its best is.
        near, best = suspend_is_near(stream.rounds.current), self._speed.best
        rate = self._speed.rate if near or best is None else best
        if rate is None:
            return
        # What is in the pipe when it is full, and this round is over.
        pages = last_round(stream.rounds.rounds, now, stream.passing / rate, math.ceil(room / PAGE_BYTES))
        self._last = Prediction(pages, rate, self._base)
        if (near or best is not None) and self._over and self._gives_up and stream.passing > room:
            self._given_up = True
            raise OverBudget(
                f"the guest would stand still for up to {self._last.milliseconds} ms, and may for"
                f" {self._settings.max_stop_ms} ms: it has written up to {pages} pages while its memory was sent, the"
                f" network takes {rate / 1e6:.3g} MB a second, and the rest takes {self._base.milliseconds} ms",
                **self.told(None),
            )

    def _news(self, stream: Outgoing, now: float, room: int) -> bool:
        if not 0 <= stream.rounds.number <= LAST_LIVE_ROUND:
            return False
        last_look = self.near(stream) and stream.passing == room + 1
        if stream.rounds.entries == self._entries and now < self._due and not last_look:
            return False
        self._entries, self._due = stream.rounds.entries, now + INTERVAL_S
        return True

    def told(self, stop_ms: int | None, live_ms: int | None = None) -> dict[str, t.Any]:
        """Return the status's part of it; ``stop_ms`` is the stop time that was measured, if it was.

        ``live_ms`` is how long a rehearsal took, which has all that comes before the stop time.
        """
        last, base, settings = self._last, self._base, self._settings
        predicted = last.milliseconds if last is not None else None
        return {
            "budget_ms": settings.max_stop_ms or None,
            "on_over_budget": settings.on_over_budget,
            "predicted_ms": predicted,
            "predicted_total_ms": live_ms + predicted if live_ms is not None and predicted is not None else None,
            "off_ms": stop_ms - predicted if stop_ms is not None and predicted is not None else None,
            "over_budget": self._over,
            "pages": last.pages if last is not None else None,
            "rate_bytes_per_s": int(last.rate) if last is not None else None,
            "base_ms": base.milliseconds if base is not None else None,
            "base_known_by": base.known_by if base is not None else None,
            "base_moves": base.moves if base is not None else None,
            "destination": settings.peer_host,
        }
