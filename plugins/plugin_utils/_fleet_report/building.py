# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report from what a run has left: every move once, sums, a sentence (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report import memory, reading, records
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.records import Move, Report, Run, Selected, Totals
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.taking import Document, document, moment, text

# A report of more is cut off, and says so.
MOVES_MAX = 20_000
_SELECTED_MAX = 1000
_MAYBE_SUPERSEDED = (records.STAYED, records.REFUSED, records.UNCERTAIN)
_DONE = (records.MOVED, records.ALREADY_THERE)


@dataclasses.dataclass(frozen=True)
class Left:
    """What a run has left, as tasks have returned it.

    ``planned`` are moves of ``migration_plan``, ``results`` those of ``migration_verdict``; ``refused`` name moves and
    have what ``migration_check`` returned. ``outcomes`` have any of these by the ``host`` of the planned move, or the
    result of another task that failed. ``rounds`` have ``planned`` and ``outcomes`` each: a domain that is tried again
    is called the same. ``before`` and ``after`` are answers of ``host_info`` by host.
    """

    planned: t.Sequence[Document] = ()
    results: t.Sequence[Document] = ()
    refused: t.Sequence[Document] = ()
    blockers: t.Sequence[Document] = ()
    before: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    after: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    outcomes: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    rounds: t.Sequence[Document] = ()

    @property
    def every_planned(self) -> list[Document]:
        """The planned moves of all rounds."""
        return [*self.planned, *(move for each in self.rounds for move in each.get("planned") or ())]

    @property
    def named_outcomes(self) -> list[tuple[Document, Document]]:
        """Each outcome with the planned move of its round that it is of."""
        rounds = [(self.planned, self.outcomes)]
        rounds += [(each.get("planned") or (), each.get("outcomes") or {}) for each in self.rounds]
        return [(_named(host, moves), document(told)) for moves, found in rounds for host, told in found.items()]


def build(run: Run, left: Left) -> Report:
    """Return the report of a run."""
    moves = _superseded(_in_order(_each_once(run, left)))[:MOVES_MAX]
    totals = _totals(moves)
    return Report(
        format=records.FORMAT,
        summary=_summary(totals),
        run=run,
        totals=totals,
        moves=moves,
        hosts=memory.hosts(left.before, left.after),
        blockers=tuple(dict.fromkeys(reading.remark(each) for each in left.blockers)),
    )


def run_of(
    title: str, by: str, reference: str, selected: t.Mapping[str, t.Any], began_s: float | None, now: float, left: Left
) -> Run:
    """Return the run. One that was not told when it began did so when the first host was asked, or the first move
    began.
    """
    first = [moment(result.get("began_s")) for result in left.results]
    known = (began_s, memory.earliest(left.before), min((at for at in first if at is not None), default=None))
    began = next((at for at in known if at is not None), now)
    return Run(text(title), text(by), text(reference), _selected(selected), min(began, now), now)


def _each_once(run: Run, left: Left) -> list[Move]:
    """Return a move for each session or attempt that has left a result, for each refusal, and for what remains of the
    plan. What is told twice is taken once.
    """
    ahead = memory.offsets(left.before, left.after)
    outcomes = left.named_outcomes
    told = [*left.results, *(each for dummy, each in outcomes)]
    results = [reading.of_result(each, run, ahead) for each in told if each.get("end_state") not in _NO_RESULT]
    checks = [{**named, "check": each} for named, each in outcomes if not each.get("end_state")]
    whole = [*left.refused, *left.results, *(each for dummy, each in outcomes if each.get("end_state"))]
    refusals = [reading.of_refusal(each) for each in whole if _is_refusal(each)]
    refusals += [reading.of_refusal(each) for each in checks if each["check"].get("findings") and _is_refusal(each)]
    done = {move.session or _identity(move): move for move in results}
    moves = list(done.values())
    refused = {_identity(move): move for move in refusals}
    moves += refused.values()
    taken = {way for move in moves for way in _ways(move)}
    failures = {_identity(move): move for move in (reading.of_failure(each, each["check"]) for each in checks)}
    moves += [move for move in failures.values() if move.error and not taken & set(_ways(move))]
    taken |= {way for move in moves for way in _ways(move)}
    planned = {_identity(move): move for move in map(reading.of_plan, left.every_planned)}
    return moves + [move for move in planned.values() if not taken & set(_ways(move))]


# A move that was refused leaves a result without the figures of one; one that did not get so far leaves none at all.
_NO_RESULT = (None, records.REFUSED)


def _named(host: str, planned: t.Sequence[Document]) -> Document:
    """Return the planned move that a host stands for; of another one its name tells the domain and the source."""
    named = {"host": host, "source": host.rpartition("@")[2]}
    return next((move for move in planned if move.get("host") == host), named)


def _is_refusal(entry: Document) -> bool:
    """Say whether something was refused: the check of a move that is done, or was never made, is passed over."""
    if entry.get("end_state") == records.REFUSED:
        return True
    if entry.get("end_state") is not None:
        return False
    told = {**entry, **document(entry.get("check"))}
    return told.get("action", "refuse") == "refuse" and any(told.get(key) for key in ("findings", "code", "msg"))


def _identity(move: Move) -> tuple[str | None, ...]:
    return (move.uuid or move.name, move.source, move.destination)


def _ways(move: Move) -> list[tuple[str | None, ...]]:
    """Return what a planned move is known by: its UUID, or where one side does not know that its name, and the way."""
    return [(who, move.source, move.destination) for who in (move.uuid, move.name) if who]


def _in_order(moves: t.Iterable[Move]) -> list[Move]:
    return sorted(moves, key=lambda move: (move.began_s is None, move.began_s or 0.0))


def _superseded(moves: list[Move]) -> tuple[Move, ...]:
    """Mark what did not succeed and was made good by a later attempt, which then needs no attention.

    That one has taken the domain away from the same host; where a domain moves twice, the second half may still fail.
    """
    latest: dict[tuple[str, str | None], float] = {}
    for move in moves:
        if move.outcome in _DONE:
            away = (move.uuid or move.name, move.source)
            latest[away] = max(latest.get(away, 0.0), move.began_s or 0.0)
    return tuple(
        dataclasses.replace(move, superseded=True, attention=False)
        if move.outcome in _MAYBE_SUPERSEDED
        and latest.get((move.uuid or move.name, move.source), -1.0) >= (move.began_s or 0.0)
        else move
        for move in moves
    )


def _totals(moves: t.Sequence[Move]) -> Totals:
    here = [move for move in moves if move.outcome != records.ALREADY_THERE]
    stops = [(move.stop_ms, move.name) for move in here if move.stop_ms is not None]
    longest = max(stops, default=None)
    return Totals(
        moves=len(moves),
        counts={outcome: sum(move.outcome == outcome for move in moves) for outcome in records.OUTCOMES},
        adopted=sum(move.adopted for move in moves),
        attention=sum(move.attention for move in moves),
        bytes=sum(move.bytes or 0 for move in here),
        total_ms=sum(move.total_ms or 0 for move in here),
        stop_ms=sum(stop for stop, dummy in stops),
        stop_longest_ms=longest[0] if longest else None,
        stop_longest_name=longest[1] if longest else None,
    )


def _summary(totals: Totals) -> str:
    """Return the outcome in one line."""
    if not totals.moves:
        return "There was nothing to move."
    words = {
        records.MOVED: "moved",
        records.ALREADY_THERE: "already there",
        records.STAYED: "not moved and still at the source",
        records.REFUSED: "refused",
        records.UNCERTAIN: "not settled",
        records.NOT_DONE: "planned and not done",
    }
    parts = [f"{totals.counts[outcome]} {words[outcome]}" for outcome in records.OUTCOMES if totals.counts[outcome]]
    moves = "1 move" if totals.moves == 1 else f"{totals.moves} moves"
    before = f" {totals.adopted} had been begun by an earlier run." if totals.adopted else ""
    ends = {0: "Nothing is left to do.", 1: "1 needs somebody to look at it."}
    end = ends.get(totals.attention, f"{totals.attention} need somebody to look at them.")
    return f"{moves}: {', '.join(parts)}.{before} {end}"


def _selected(selected: t.Mapping[str, t.Any]) -> tuple[Selected, ...]:
    taken = []
    for what, value in selected.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        shown = tuple(text(each) for each in values[:_SELECTED_MAX] if each not in (None, ""))
        if shown:
            taken.append(Selected(text(what), shown))
    return tuple(taken)
