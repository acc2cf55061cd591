# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking values from documents that others have written (pure; private to the collection)."""

from __future__ import annotations

import typing as t
import unicodedata

Document = t.Mapping[str, t.Any]

NAME_MAX = 255
TEXT_MAX = 4000
# Nothing that is measured in milliseconds or bytes, and no time since 1970, comes near it; JSON knows larger numbers.
_MOST = 1e17
_YEAR_9000 = 221_845_392_000.0
# Control characters, those that change the direction of writing, and halves of characters, which no file can hold.
_NOT_SHOWN = frozenset({"Cc", "Cf", "Cs"})


def text(value: t.Any, most: int = TEXT_MAX) -> str:
    """Return a value as a text that can be written and shown, at most so long; empty for null."""
    if value is None:
        return ""
    shown = "".join("\ufffd" if _hidden(each) else each for each in str(value)[: most + 1])
    return shown if len(shown) <= most else f"{shown[: most - 1]}\u2026"


def name(value: t.Any) -> str | None:
    """Return the name of something, null where there is none."""
    return text(value, NAME_MAX) or None if isinstance(value, str) else None


def number(value: t.Any) -> float | None:
    """Return a figure that is not negative, null for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _MOST:
        return None
    return float(value)


def moment(value: t.Any) -> float | None:
    """Return a time in seconds since 1970 that a calendar has, null for anything else."""
    figure = number(value)
    return figure if figure is not None and figure < _YEAR_9000 else None


def whole(value: t.Any) -> int | None:
    """Return a whole figure that is not negative, null for anything else."""
    figure = number(value)
    return None if figure is None else round(figure)


def document(value: t.Any) -> Document:
    """Return a document, an empty one for anything else."""
    return value if isinstance(value, t.Mapping) else {}


def documents(value: t.Any) -> list[Document]:
    """Return the documents of a list."""
    return [each for each in value if isinstance(each, t.Mapping)] if isinstance(value, (list, tuple)) else []


def _hidden(character: str) -> bool:
    return character not in "\n\t" and unicodedata.category(character) in _NOT_SHOWN
