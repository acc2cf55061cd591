# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a guest will stand still, before it is asked to suspend (pure; private to the collection).

What passes while it stands still is the last round, for which the network counts, and everything else: what is learnt
of that from earlier moves (:mod:`learned`) is the same however much memory was written.

How large the last round will be nobody knows before the guest is suspended. What it has written while one live round
was sent is what the next one brings, so the last live round is the best measure there is: the last one is taken to be
as large, or larger by as much as that round takes longer than the one before. A guest that writes the same pages again
and again, and one that writes others all the time, are both no worse than that.
"""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._session.stream.figures import (
    PAGE_BYTES,
    TARGET_DIRTY_COUNT,
    suspend_is_near,
)
from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import Round

# A page and its number in a PAGE_DATA record.
ENTRY_BYTES = PAGE_BYTES + 8

DOMAIN = "domain"
DESTINATION = "destination"
ASSUMED = "assumed"


@dataclass(frozen=True)
class Base:
    """What passes beside the last round, in milliseconds.

    ``known_by``: earlier moves of this ``domain`` to this destination, of any domain to this ``destination``, or
    ``assumed``; ``moves`` is how many.
    """

    milliseconds: int
    known_by: str
    moves: int = 0


@dataclass(frozen=True)
class Prediction:
    """The stop time at most to be expected: of ``pages`` of 4 KiB, of ``behind`` bytes that were read and have not
    arrived, at ``rate``, in bytes of the stream a second, and of ``base``.
    """

    pages: int
    behind: int
    rate: float
    base: Base

    @property
    def milliseconds(self) -> int:
        """How long the guest will stand still."""
        return self.base.milliseconds + math.ceil((self.behind + self.pages * ENTRY_BYTES) * 1000 / self.rate)


def last_round(rounds: t.Sequence[Round], now: float) -> int:
    """Return how many pages the last round will have at most, if the guest is suspended ``now``.

    ``now`` is on the clock of the rounds. While ``xl`` makes more live rounds for sure, only as many as a round may
    have after which it makes none.
    """
    if not rounds or not suspend_is_near(rounds[-1]):
        return TARGET_DIRTY_COUNT
    return math.ceil(rounds[-1].pages * _growth(rounds, now))


def _growth(rounds: t.Sequence[Round], now: float) -> float:
    if len(rounds) < 2:
        return 1.0
    before, current = rounds[-2:]
    gathered = current.started - before.started
    return max(1.0, (now - current.started) / gathered) if gathered > 0 else 1.0
