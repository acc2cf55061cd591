# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of plain text, for people (pure; private to the collection)."""

from __future__ import annotations

import typing as t


def columns(rows: t.Sequence[t.Sequence[str]]) -> list[str]:
    """Return a line for each row, of which there is one at least, with its cells below one another."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
