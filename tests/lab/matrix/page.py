# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record as the table of the docs (pure)."""

from __future__ import annotations

import collections
import typing as t
from collections.abc import Iterator

from .listing import GUESTS, METHODS, PAIRS, RELEASES, Cell
from .record import Entry, Record

BEGIN, END = "..\n  The matrix begins\n", "..\n  The matrix ends\n"
_LONGEST = 160


def printed(page: str, record: Record) -> str:
    """Return the page with the table of this record between its marks. Raises ValueError where it has none."""
    before, dummy, rest = page.partition(BEGIN)
    old, mark, after = rest.partition(END)
    if not mark:
        raise ValueError("the page has no place for the matrix")
    return f"{before}{BEGIN}\n{table(record)}\n{END}{after}"


def table(record: Record) -> str:
    """Return a list table, a row for each pair of releases and guest, a column for each method."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    lines += _row(["from", "to", "guest", *METHODS])
    notes: collections.Counter[str] = collections.Counter()
    for source, destination in PAIRS:
        for guest in GUESTS:
            cells = [Cell(source, destination, guest, method) for method in METHODS]
            told = [outcome(record.cells.get(str(cell))) for cell in cells]
            notes.update(told)
            lines += _row([_release(record, source), _release(record, destination), f"``{guest}``", *told])
    tried = sum(notes.values()) - notes[outcome(None)]
    return "\n".join([f"{tried} of {sum(notes.values())} cells tried.", "", *lines, ""])


def outcome(entry: Entry | None) -> str:
    """Say in a few words what came of a cell."""
    if entry is None:
        return "not tried"
    legs: list[dict[str, t.Any]] = entry["legs"]
    if not entry["well"]:
        bad = next((leg["message"] for leg in legs if leg["message"] and not leg["refused"]), "")
        why = entry["error"] or entry["stamps_problem"] or bad or "not as expected"
        return f"**fails**: {_plain(why)}"
    told = [f"refused (``{leg['refused']}``)" if leg["refused"] else "moves" for leg in legs]
    return told[0] if len(told) == 1 else f"{told[0]}; back: {told[1]}"


def _release(record: Record, release: str) -> str:
    return record.xen.get(release, RELEASES[release])


def _plain(text: str) -> str:
    words = " ".join(text.split())
    short = words if len(words) <= _LONGEST else words[: _LONGEST - 3] + "..."
    return short.replace("\\", "\\\\").replace("*", "\\*").replace("`", "'").replace("|", "\\|").replace("_", "\\_")


def _row(texts: list[str]) -> Iterator[str]:
    for place, text in enumerate(texts):
        yield f"   {'* -' if place == 0 else '  -'} {text}"
