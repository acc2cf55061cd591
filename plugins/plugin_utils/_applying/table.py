# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The moves of a run as a table for people (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._columns import columns
from ansible_collections.dom0.xen.plugins.plugin_utils._progress import figure, seconds

TITLE = ("domain", "from", "to", "method", "total", "stop", "owner")
_UNKNOWN = "-"


def table(moves: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Return a line for each move, a title first; none where there is no move.

    A move has the keys of :class:`Outcome`. What is not known of one, as of one that has not begun, is a dash.
    """
    return columns([TITLE, *map(_cells, moves)]) if moves else []


def _cells(move: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    words = (str(move.get(key) or _UNKNOWN) for key in ("name", "source", "destination", "method"))
    times = (_time(figure(move, key)) for key in ("total_ms", "stop_ms"))
    return (*words, *times, str(move.get("owner") or _UNKNOWN))


def _time(amount_ms: float | None) -> str:
    """Return a time in words. Guests stand still for less than a second, of which each tenth counts."""
    if amount_ms is None:
        return _UNKNOWN
    return f"{amount_ms:.0f} ms" if amount_ms < 1000 else seconds(amount_ms / 1000)
