# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record as the table of the docs (pure)."""

from __future__ import annotations

import collections
from collections.abc import Iterator

from .listing import COLUMNS, GUESTS, RELEASES, cells
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
    lines += _row(["from", "to", "guest", *COLUMNS])
    rows: dict[tuple[int, int, int], dict[str, str]] = {}
    releases, guests = list(RELEASES), list(GUESTS)
    tried: collections.Counter[bool] = collections.Counter()
    for cell in cells():
        entry = record.cells.get(str(cell))
        tried[entry is not None] += 1
        key = (releases.index(cell.source), releases.index(cell.destination), guests.index(cell.guest))
        rows.setdefault(key, {})[cell.column] = outcome(entry, cell.breaks)
    for (source, destination, guest), told in sorted(rows.items()):
        names = [_release(record, releases[number]) for number in (source, destination)]
        lines += _row([*names, f"``{guests[guest]}``", *(told.get(column, "") for column in COLUMNS)])
    return "\n".join([f"{tried[True]} of {tried.total()} cells tried.", "", *lines, ""])


def outcome(entry: Entry | None, breaks: str = "") -> str:
    """Say in a few words what came of a cell; ``breaks`` is why it was known to fail."""
    if entry is None:
        return "not tried"
    if not entry["well"]:
        why = (
            known(entry, breaks)
            or entry["error"]
            or entry["stamps_problem"]
            or ("" if entry["refused"] else entry["message"])
        )
        return f"**fails**: {_plain(why or 'not as expected')}"
    if entry["refused"]:
        return f"refused (``{entry['refused']}``)"
    return "goes on" if entry["undone"] else "moves"


def known(entry: Entry, breaks: str) -> str:
    """Return why it was known to fail, where it failed in no other way: the one copy that has run is the source's,
    which the run says or, where it saw it end, asks about; and there is no harm else.
    """
    harmed = entry["stamps_problem"] or entry["double_answers"]
    told = entry["owner"] == "source" or entry["end_state"] == "running_nowhere"
    alone = told and entry["where"] == [entry["hosts"][0]]
    return breaks if alone and not harmed else ""


def _release(record: Record, release: str) -> str:
    return record.xen.get(release, RELEASES[release])


def _plain(text: str) -> str:
    words = " ".join(text.split())
    short = words if len(words) <= _LONGEST else words[: _LONGEST - 3] + "..."
    return short.replace("\\", "\\\\").replace("*", "\\*").replace("`", "'").replace("|", "\\|").replace("_", "\\_")


def _row(texts: list[str]) -> Iterator[str]:
    for place, text in enumerate(texts):
        yield f"   {'* -' if place == 0 else '  -'} {text}".rstrip()
