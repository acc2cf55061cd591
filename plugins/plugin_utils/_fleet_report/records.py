# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report consists of; ``to_result()`` of :class:`Report` is its JSON (pure; private to the collection).

Times are seconds since 1970 by the controller's clock, durations milliseconds, memory MiB, ``bytes`` bytes of streams.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._record import Record

FORMAT = 1

# What became of a move. ALREADY_THERE: an earlier run had ended it. UNCERTAIN: which copy counts is not known, or it
# runs twice or nowhere. NOT_DONE: it was planned, and has left no result.
MOVED = "moved"
ALREADY_THERE = "already_there"
STAYED = "stayed"
REFUSED = "refused"
UNCERTAIN = "uncertain"
NOT_DONE = "not_done"
OUTCOMES = (MOVED, ALREADY_THERE, STAYED, REFUSED, UNCERTAIN, NOT_DONE)

# The end state of a move that was rehearsed, which stays, and was to.
REHEARSED = "rehearsed"

# Whether the times of a move are known. CLIPPED: by the source's clock a part of it lies outside the run.
KNOWN = "known"
CLIPPED = "clipped"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Remark(Record):
    """Something about a move or a host: a stable code for programs, the rest for people."""

    code: str
    severity: str
    host: str | None
    domain: str | None
    message: str
    remedy: str


@dataclass(frozen=True)
class Move(Record):
    """One attempt to move one domain. What was not measured or is not known is null.

    ``end_state`` and ``owner`` are those of the result of the move; ``runs_on`` is the host that the owner means.
    ``adopted``: an earlier run had begun it. ``superseded``: a later attempt has moved the domain. ``attention``: there
    is something left for a person to do or to decide. ``treatment``: what the caller had chosen for a refused one.
    """

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = {"error": Remark, "reasons": Remark, "remarks": Remark}

    name: str
    uuid: str | None
    source: str | None
    destination: str | None
    outcome: str
    end_state: str | None = None
    owner: str | None = None
    runs_on: str | None = None
    settled: bool | None = None
    reason: str = ""
    session: str | None = None
    method: str | None = None
    transport: str | None = None
    adopted: bool = False
    superseded: bool = False
    attention: bool = False
    times: str = UNKNOWN
    began_s: float | None = None
    ended_s: float | None = None
    total_ms: int | None = None
    stop_began_s: float | None = None
    stop_ms: int | None = None
    stop_measured: str | None = None
    left_paused: bool = False
    bytes: int | None = None
    link_losses: int | None = None
    error: Remark | None = None
    treatment: str | None = None
    reasons: tuple[Remark, ...] = ()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Memory(Record):
    """The memory of a host at one moment, and how many domains it had, without its own."""

    total_mib: int
    free_mib: int
    dom0_mib: int
    domains_mib: int
    domains: int


@dataclass(frozen=True)
class Host(Record):
    """A host before and after the run; null where it was not asked or did not tell, and ``trouble`` says why."""

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = {"before": Memory, "after": Memory}

    host: str
    before: Memory | None
    after: Memory | None
    trouble: str = ""


@dataclass(frozen=True)
class Selected(Record):
    """What the caller had selected, such as the hosts to empty."""

    what: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Run(Record):
    """The run itself."""

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = {"selected": Selected}

    title: str
    by: str
    reference: str
    selected: tuple[Selected, ...]
    began_s: float
    ended_s: float

    @property
    def elapsed_s(self) -> float:
        """How long it took, in seconds."""
        return self.ended_s - self.began_s


@dataclass(frozen=True)
class Totals(Record):
    """Sums over the moves. ``counts`` has one number for each outcome, and they sum up to ``moves``."""

    moves: int
    counts: t.Mapping[str, int]
    adopted: int
    attention: int
    bytes: int
    total_ms: int
    stop_ms: int
    stop_longest_ms: int | None
    stop_longest_name: str | None


@dataclass(frozen=True)
class Report(Record):
    """All of it."""

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = {
        **{"run": Run, "totals": Totals, "moves": Move, "hosts": Host, "blockers": Remark},
    }

    format: int
    summary: str
    run: Run
    totals: Totals
    moves: tuple[Move, ...]
    hosts: tuple[Host, ...]
    blockers: tuple[Remark, ...]
