# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a live move to the stop time that it may have (private to the collection).

``xl`` alone decides when the guest is suspended: after its fifth live round, or one with hardly a page (see
:mod:`figures`). Whether it may is asked by a process between it and its save helper (:mod:`stand_ins.warden`); by then
all live rounds are written, and the guest still runs.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._methods import LIVE
from ansible_collections.dom0.xen.plugins.module_utils._session.budget import learned
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.prediction import (
    ASSUMED,
    Base,
    Prediction,
    last_round,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.speed import Speed
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.stream import Outgoing
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import CONTROLLER, ENGINE

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
        self._due = 0.0
        self._asked = False

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
            if settings.gives_up:
                text = f"with the method {settings.method} the guest stands still until it has arrived"
                remedy = "Leave migrate_max_stop_ms out, or set migrate_on_over_budget: continue, for such a guest."
                raise OverBudget(text, remedy=remedy, method=settings.method, budget_ms=settings.max_stop_ms)
            return
        if self._over and settings.gives_up:
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

    def look(self, stream: Outgoing, suspends: bool) -> None:
        """Take note of what the destination has used by now; ``suspends``: the guest is on its way to be suspended."""
        packer, rounds = self._link.packer, stream.rounds
        if packer is None or rounds.number < 0 or rounds.finished:
            return
        moves = self._link.up and not (rounds.between_rounds and self._link.delivered)
        self._speed.look(self._clock(), packer.used_bytes, self._link.used_bytes, moves, rounds.number + 1)
        if not suspends and not self._asked and self._clock() >= self._due:
            self._predict(stream)

    def _predict(self, stream: Outgoing) -> None:
        now, rate, packer = self._clock(), self._speed.rate, self._link.packer
        self._due = now + INTERVAL_S
        if self._base is None or packer is None or rate is None:
            return
        pages = last_round(stream.rounds.rounds, now)
        self._last = Prediction(pages, stream.position - packer.used_bytes, rate, self._base)

    def against(self, stream: Outgoing) -> Failure | None:
        """Return what speaks against suspending the guest now, when all its live rounds were read.

        What is predicted then is the last word, however long ``xl`` takes to suspend it, or to end.
        """
        self._predict(stream)
        self._asked = True
        last, settings = self._last, self._settings
        if settings.rehearse:
            return failures.REHEARSED
        if last is None or not (settings.gives_up and self._over):
            return None
        text = (
            f"the guest would stand still for up to {last.milliseconds} ms, and may for {settings.max_stop_ms} ms: it"
            f" has written up to {last.pages} pages while its memory was sent, the network takes"
            f" {last.rate / 1e6:.3g} MB a second, and the rest takes {last.base.milliseconds} ms"
        )
        return failures.of(OverBudget(text, **self.told(None)))

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
            "rate_limited": settings.rate_limit > 0,
            "base_ms": base.milliseconds if base is not None else None,
            "base_known_by": base.known_by if base is not None else None,
            "base_moves": base.moves if base is not None else None,
            "destination": settings.peer_host,
        }
