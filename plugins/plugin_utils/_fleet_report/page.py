# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one HTML page that needs nothing else (private to the collection).

Everything that comes from outside, such as names of domains, is escaped by Jinja; only the charts are taken as they
are. The page has no script, and its policy allows none.
"""

from __future__ import annotations

import datetime
import functools
import pathlib
import typing as t

import jinja2
import markupsafe

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report import words
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.charts import gantt_rows
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.records import (
    ALREADY_THERE,
    CLIPPED,
    MOVED,
    NOT_DONE,
    REFUSED,
    STAYED,
    UNCERTAIN,
    Host,
    Move,
    Remark,
    Report,
)

Row = dict[str, t.Any]

# More rows than that no browser shows well; the JSON has all.
ROWS_MAX = 2000
_TEMPLATE = pathlib.Path(__file__).with_name("page.html.j2")


def render(report: Report, charts: t.Mapping[str, str], note: str, zone: datetime.tzinfo, json_name: str) -> str:
    """Return the page. ``charts`` are those of :func:`charts.draw`, ``note`` says why there are none.

    Times are shown in ``zone``; ``json_name`` is the name of the file beside it.
    """
    run = report.run
    day = datetime.datetime.fromtimestamp(run.began_s, zone).date()
    moment = functools.partial(words.moment, zone=zone, day=day)
    tried = [move for move in report.moves if move.outcome != REFUSED]
    return _template().render(
        report=report,
        run={
            "began": words.moment(run.began_s, zone),
            "ended": words.moment(run.ended_s, zone),
            "took": words.duration(round(run.elapsed_s * 1000)),
            "zone": words.zone_name(run.began_s, zone),
        },
        totals={
            "bytes": words.size(report.totals.bytes),
            "stop_longest": words.duration(report.totals.stop_longest_ms),
        },
        charts={name: markupsafe.Markup(charts.get(name, "")) for name in ("gantt", "memory")},
        note=note,
        gantt_more=gantt_rows(report)[1],
        attention=[_attention(move) for move in _urgent_first(report.moves)][:ROWS_MAX],
        moves=[_move(move, moment) for move in tried[:ROWS_MAX]],
        moves_more=max(0, len(tried) - ROWS_MAX),
        refused=[_refused(move) for move in report.moves if move.outcome == REFUSED][:ROWS_MAX],
        remarks=[each for move in report.moves for each in move.remarks][:ROWS_MAX],
        hosts=[_host(host) for host in report.hosts[:ROWS_MAX]],
        blockers=report.blockers[:ROWS_MAX],
        clipped=sorted({str(move.source) for move in report.moves if move.times == CLIPPED}),
        json_name=json_name,
        not_known=words.NOT_KNOWN,
    )


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))


def _move(move: Move, moment: t.Callable[[float | None], str]) -> Row:
    return {
        "move": move,
        "outcome": words.outcome(move),
        "way": words.way(move.source, move.destination),
        "method": " over ".join(part for part in (move.method, move.transport) if part) or words.NOT_KNOWN,
        "began": moment(move.began_s),
        "ended": moment(move.ended_s),
        "took": words.duration(move.total_ms),
        "still": "left paused" if move.left_paused and move.stop_ms is None else words.duration(move.stop_ms),
        "bytes": words.size(move.bytes),
        "runs_on": move.runs_on or words.NOT_KNOWN,
    }


def _urgent_first(moves: t.Sequence[Move]) -> list[Move]:
    """Return the moves that need somebody: first where two copies may run, last where the domain was not touched."""
    order = (UNCERTAIN, MOVED, ALREADY_THERE, STAYED, NOT_DONE, REFUSED)
    return sorted((move for move in moves if move.attention), key=lambda move: order.index(move.outcome))


def _attention(move: Move) -> Row:
    """Return what is to be known at once of a move: what went wrong, where the domain was seen, what to do."""
    known: tuple[Remark, ...] = (*([move.error] if move.error else []), *move.reasons)
    return {
        "move": move,
        "outcome": words.outcome(move),
        "way": words.way(move.source, move.destination),
        "told": known[:3],
        "more": max(0, len(known) - 3),
        "remedy": words.remedy(move),
    }


def _refused(move: Move) -> Row:
    return {"move": move, "way": words.way(move.source, move.destination)}


def _host(host: Host) -> Row:
    looks = []
    for look in (host.before, host.after):
        sizes = (look.domains_mib, look.dom0_mib, look.free_mib, look.total_mib) if look else (None,) * 4
        mib = [words.size(None if size is None else size * 1024 * 1024) for size in sizes]
        looks.append([str(look.domains) if look else words.NOT_KNOWN, *mib])
    return {"host": host, "looks": list(zip(("before", "after"), looks, strict=True))}
