# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One move of a report from what it has left (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _ownership as ownership
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report import records
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.records import Move, Remark, Run
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.taking import (
    Document,
    document,
    documents,
    moment,
    name,
    number,
    text,
    whole,
)

# More than that of one move is cut off.
REMARKS_MAX = 100
# By how many seconds a host's clock may be off without being doubted.
_CLOCK_SLACK_S = 2.0
_NO_NAME = "(no name)"
_OUTCOMES = {ownership.MOVED: records.MOVED, ownership.STAYED: records.STAYED}


def of_result(result: Document, run: Run, offsets: t.Mapping[str, float]) -> Move:
    """Return the move that a result of ``migration_verdict`` is about; ``offsets`` tell which clocks are ahead."""
    domain, end_state = _domain(result), name(result.get("end_state"))
    source, destination = name(result.get("source")), name(result.get("destination"))
    owner = name(result.get("owner"))
    stop_ms = whole(result.get("stop_ms"))
    move = Move(
        **domain,
        source=source,
        destination=destination,
        outcome=_OUTCOMES.get(str(end_state), records.UNCERTAIN),
        end_state=records.REHEARSED if result.get("rehearsed") is True else end_state,
        owner=owner,
        runs_on={ownership.SOURCE: source, ownership.DESTINATION: destination}.get(str(owner)),
        settled=bool(result.get("settled")),
        reason=text(result.get("reason")),
        session=name(result.get("session")),
        method=name(result.get("method")),
        transport=name(result.get("transport")),
        total_ms=whole(result.get("total_ms")),
        stop_ms=stop_ms,
        stop_measured=name(result.get("stop_measured")),
        left_paused=bool(result.get("leave_paused")),
        bytes=whole(result.get("bytes")),
        link_losses=whole(result.get("link_losses")),
        error=_error(result.get("error"), domain["name"]),
        remarks=_remarks([*_list(result, "remarks"), *_list(result, "findings")], domain["name"]),
    )
    if move.outcome == records.MOVED and move.session is None:
        move = dataclasses.replace(move, outcome=records.ALREADY_THERE)
    return _with_attention(_placed(move, result, run, offsets.get(str(source), 0.0)))


def of_refusal(entry: Document) -> Move:
    """Return the move that was refused; ``entry`` names it, and has what ``migration_check`` has returned as ``check``,
    or by itself ``findings``, or ``code``, ``msg`` and ``remedy``.
    """
    told = {**entry, **document(entry.get("check"))}
    domain = _domain(entry)
    against = [each for each in _list(told, "findings") if each.get("severity", "error") == "error"]
    reasons = _remarks(against or [told], domain["name"])
    return Move(
        **domain,
        source=name(entry.get("source")),
        destination=name(entry.get("destination")),
        outcome=records.REFUSED,
        end_state=records.REFUSED,
        runs_on=name(entry.get("source")),
        treatment=name(entry.get("treatment")),
        attention=True,
        reasons=reasons,
        remarks=_remarks([each for each in _list(told, "findings") if each not in against], domain["name"]),
    )


def of_plan(entry: Document) -> Move:
    """Return a planned move that has left nothing."""
    return Move(
        **_domain(entry),
        source=name(entry.get("source")),
        destination=name(entry.get("destination")),
        outcome=records.NOT_DONE,
        attention=True,
    )


def of_failure(entry: Document, failure: Document) -> Move:
    """Return a planned move of which nothing is known but the result of the task that failed."""
    move = of_plan(entry)
    return dataclasses.replace(move, error=_error(failure, move.name))


def remark(entry: Document, domain: str | None = None) -> Remark:
    """Return a finding of the checks, a remark of a move, or an error of a task."""
    about = (entry.get("domain") or entry.get("name")) if domain is None else domain
    said = entry.get("message") or entry.get("msg") or entry.get("why")
    # A plan tells of a domain that stays what speaks against each other host.
    others = [f"{each.get('host')}: {each.get('message')}" for each in documents(entry.get("reasons"))[:REMARKS_MAX]]
    return Remark(
        code=name(entry.get("code")) or "unknown",
        severity=name(entry.get("severity")) or "warning",
        host=name(entry.get("host")),
        domain=name(document(about).get("name")) if isinstance(about, t.Mapping) else name(about),
        message=text("\n".join([str(said or ""), *others]).strip()) or "Nothing more was told.",
        remedy=text(entry.get("remedy")),
    )


def _list(entry: Document, key: str) -> list[Document]:
    return documents(entry.get(key))


def _remarks(entries: t.Sequence[Document], domain: str) -> tuple[Remark, ...]:
    return tuple(dict.fromkeys(remark(entry, domain) for entry in entries[:REMARKS_MAX]))


def _error(entry: t.Any, domain: str) -> Remark | None:
    told = document(entry)
    return dataclasses.replace(remark(told, domain), severity="error") if told else None


def _domain(entry: Document) -> dict[str, t.Any]:
    """Return name and UUID, from a result's ``domain``, or from a planned move's, which may be either."""
    domain = entry.get("domain")
    if isinstance(domain, t.Mapping):
        return {"name": name(domain.get("name")) or name(domain.get("uuid")) or _NO_NAME, "uuid": _uuid(domain)}
    # A planned move is about a UUID, and its host is called NAME@DOM0.
    host = (name(entry.get("host")) or "").rpartition("@")[0]
    return {"name": name(entry.get("name")) or host or name(domain) or _NO_NAME, "uuid": _uuid(entry)}


def _uuid(entry: Document) -> str | None:
    return name(entry.get("uuid"))


def _placed(move: Move, result: Document, run: Run, ahead: float) -> Move:
    """Put the move on the controller's line of time; its figures are those of the source's clock."""
    told, line = moment(result.get("began_s")), document(result.get("timeline"))
    began = None if told is None else moment(told - ahead)
    if began is None:
        return move
    moments = [at for value in line.values() if (at := number(value)) is not None]
    lasted = move.total_ms if move.total_ms is not None else max(moments, default=None)
    ended = None if lasted is None else began + lasted / 1000
    if ended is not None and ended < run.began_s - _CLOCK_SLACK_S:
        over = records.ALREADY_THERE if move.outcome == records.MOVED else move.outcome
        return dataclasses.replace(move, outcome=over, began_s=began, ended_s=ended, times=records.KNOWN)
    adopted = bool(result.get("adopted")) or began < run.began_s - _CLOCK_SLACK_S
    first = began if adopted else _within(began, run.began_s, run.ended_s)
    last = None if ended is None else _within(ended, first, run.ended_s)
    sure = abs(first - began) <= _CLOCK_SLACK_S and (ended is None or abs((last or 0) - ended) <= _CLOCK_SLACK_S)
    stop = number(line.get("journal_shutting_down" if move.method == COLD else "source_suspended"))
    stop_began = None if stop is None or move.stop_ms is None else _within(began + stop / 1000, first, run.ended_s)
    return dataclasses.replace(
        move,
        adopted=adopted,
        times=records.KNOWN if sure else records.CLIPPED,
        began_s=first,
        ended_s=last,
        stop_began_s=stop_began,
    )


def _within(at: float, first: float, last: float) -> float:
    return min(max(at, first), max(first, last))


def _with_attention(move: Move) -> Move:
    as_asked = move.outcome in (records.MOVED, records.ALREADY_THERE) or move.end_state == records.REHEARSED
    well = as_asked and move.settled and move.error is None
    return dataclasses.replace(move, attention=not well)
