# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rounds of a live migration, told from the records alone.

tools/libs/guest/xg_sr_save.c: ``send_memory_live`` sends every frame once, then what was dirtied meanwhile, up to five
rounds; ``suspend_and_send_dirty`` adds a last one with the guest suspended. Nothing in the stream marks a round, but
within one the frames ascend, and only its last record has fewer than MAX_BATCH_SIZE entries.

The limit: no byte tells a round of a multiple of 1024 entries from a next one whose frames are all above its own. Both
count as one, unless somebody else knows that the first is over (:meth:`RoundTracker.end_round`). It does not happen to
the first round, which ends with the guest's highest frame.
"""

from __future__ import annotations

import typing as t
from collections import deque
from dataclasses import dataclass, field

from ansible_collections.dom0.xen.plugins.module_utils._wire import pages, records
from ansible_collections.dom0.xen.plugins.module_utils._wire.events import Event, PageData, Record
from ansible_collections.dom0.xen.plugins.module_utils._wire.pfnset import PfnSet

LIVE = "live"
FINAL = "final"
VERIFY = "verify"

ROUNDS_KEPT = 256
"""xl makes at most six; only Remus and COLO go on for ever, and of those the last rounds are kept."""

_AFTER_MEMORY = frozenset(
    (
        records.LIBXC_END,
        records.LIBXC_SHARED_INFO,
        records.LIBXC_X86_PV_VCPU_BASIC,
        records.LIBXC_X86_TSC_INFO,
        records.LIBXC_HVM_CONTEXT,
        records.LIBXC_HVM_PARAMS,
        records.LIBXC_CHECKPOINT,
        records.LIBXC_VERIFY,
    )
)


@dataclass(frozen=True)
class Round:
    """One pass over the guest's memory. Sizes in bytes, times in seconds of the caller's clock.

    ``distinct`` counts the frames that were sent for the first time, ``again`` the other entries.
    ``dirty_pages_per_second`` is how fast the guest dirtied what this round sent: its pages over the time
    since the round before began; None for the first round, and where no time passed.
    """

    number: int
    kind: str
    entries: int
    pages: int
    size: int
    distinct: int
    again: int
    started: float
    ended: float
    dirty_pages_per_second: float | None

    @property
    def duration(self) -> float:
        """Seconds from the first to the last byte of the round, as they arrived."""
        return self.ended - self.started


@dataclass
class _Count:
    number: int
    started: float
    ended: float
    since: float | None
    kind: str = LIVE
    entries: int = 0
    pages: int = 0
    size: int = 0
    distinct: int = 0
    last_pfn: int = -1
    end_position: int = 0
    over: bool = False

    def freeze(self) -> Round:
        elapsed = 0.0 if self.since is None else self.started - self.since
        return Round(
            number=self.number,
            kind=self.kind,
            entries=self.entries,
            pages=self.pages,
            size=self.size,
            distinct=self.distinct,
            again=self.entries - self.distinct,
            started=self.started,
            ended=self.ended,
            dirty_pages_per_second=self.pages / elapsed if elapsed > 0 else None,
        )


@dataclass
class _Bucket:
    """Rounds that belong together, and the frames they sent."""

    kind: str
    seen: PfnSet = field(default_factory=PfnSet)
    rounds: deque[_Count] = field(default_factory=lambda: deque(maxlen=ROUNDS_KEPT))


class RoundTracker:
    """Count rounds, entries, pages, bytes and distinct frames, exactly and in little memory.

    The last round becomes ``final`` when the first record after memory shows that no other will come. (With a guest
    that dirties nothing at all while it is suspended, xl sends no final round, and the last live one is named so.)
    """

    def __init__(self) -> None:
        self.entries = 0
        self.pages = 0
        self.size = 0
        self.distinct = 0
        self.finished = False
        self._memory = _Bucket(LIVE)
        self._verify = _Bucket(VERIFY)
        self._bucket = self._memory
        self._position = 0

    @property
    def rounds(self) -> tuple[Round, ...]:
        """The rounds that sent the guest, oldest first."""
        return tuple(count.freeze() for count in self._memory.rounds)

    @property
    def verify(self) -> tuple[Round, ...]:
        """The passes which ``--debug`` sends only to compare; they are part of no total."""
        return tuple(count.freeze() for count in self._verify.rounds)

    @property
    def current(self) -> Round | None:
        """The latest round that sends the guest, or None before the first."""
        return self._memory.rounds[-1].freeze() if self._memory.rounds else None

    @property
    def number(self) -> int:
        """Number of the latest round that sends the guest, -1 before the first; it costs less than :attr:`current`."""
        return self._memory.rounds[-1].number if self._memory.rounds else -1

    @property
    def between_rounds(self) -> bool:
        """Whether the latest round is known to be over and its last byte has arrived.

        A round of a multiple of 1024 entries shows that only when the next one begins, if at all.
        """
        if not self._memory.rounds:
            return False
        latest = self._memory.rounds[-1]
        return latest.over and self._position >= latest.end_position

    @property
    def again(self) -> int:
        """Entries for frames which had been sent before."""
        return self.entries - self.distinct

    @property
    def exact(self) -> bool:
        """False when :attr:`distinct` is only an upper bound (see :class:`PfnSet`)."""
        return self._memory.seen.exact

    def end_round(self) -> None:
        """Take note that the latest round is over. That is known from elsewhere, and all of it was read."""
        if self._memory.rounds:
            self._memory.rounds[-1].over = True

    def update(self, events: t.Iterable[Event], position: int, now: float) -> None:
        """Count what the parser found in one chunk. ``position`` is the parser's; ``now`` never goes back."""
        rounds = self._bucket.rounds
        if rounds and rounds[-1].end_position > self._position:
            rounds[-1].ended = now
        self._position = position
        for event in events:
            if isinstance(event, PageData):
                self._page_data(event, now)
            elif isinstance(event, Record) and event.layer == records.LIBXC:
                self._record(event.type)

    def _page_data(self, event: PageData, now: float) -> None:
        bucket = self._bucket
        count = bucket.rounds[-1] if bucket.rounds else None
        if count is None or count.over or event.first <= count.last_pfn:
            count = _begin(bucket, now)
        distinct = _count_new(bucket.seen, event)
        count.entries += event.entries
        count.pages += event.pages
        count.size += event.size
        count.distinct += distinct
        count.last_pfn = event.last
        count.end_position = event.position + event.size
        count.over = event.entries < pages.ENTRIES_MAX
        if bucket is self._memory:
            self.finished = False
            self.entries += event.entries
            self.pages += event.pages
            self.size += event.size
            self.distinct += distinct

    def _record(self, kind: int) -> None:
        rounds = self._memory.rounds
        if not rounds or kind not in _AFTER_MEMORY:
            return
        rounds[-1].kind = FINAL
        rounds[-1].over = True
        self.finished = kind != records.LIBXC_VERIFY
        self._bucket = self._verify if kind == records.LIBXC_VERIFY else self._memory


def _begin(bucket: _Bucket, now: float) -> _Count:
    before = bucket.rounds[-1] if bucket.rounds else None
    count = _Count(
        number=before.number + 1 if before else 0,
        started=now,
        ended=now,
        since=before.started if before else None,
        kind=bucket.kind,
    )
    bucket.rounds.append(count)
    return count


def _count_new(seen: PfnSet, event: PageData) -> int:
    if not event.packed:
        return seen.add_range(event.first, event.last)
    if seen.covers(event.first, event.last) and pages.strictly_ascending(event.packed):
        return 0
    return seen.add_each(pages.pfns(event.packed))
