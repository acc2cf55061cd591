# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A figure, and the bound that it has to keep (pure)."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing as t


@dataclasses.dataclass(frozen=True)
class Figure:
    """One measured value; ``most`` and ``least`` are its bounds, None where it only informs.

    ``value`` is None when there was nothing to measure, which misses a bound. The unit is part of the name.
    """

    name: str
    value: float | None
    most: float | None = None
    least: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the value keeps its bounds."""
        if self.value is None:
            return self.most is None and self.least is None
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    def to_result(self) -> dict[str, t.Any]:
        """Return it for the summary."""
        value = round(self.value, 4) if self.value is not None else None
        bounds = {"at_most": self.most, "at_least": self.least}
        return {"value": value, **{key: each for key, each in bounds.items() if each is not None}, "kept": self.kept}

    def line(self) -> str:
        """Return it for a person."""
        bound = [f"at most {self.most:g}"] if self.most is not None else []
        bound += [f"at least {self.least:g}"] if self.least is not None else []
        value = "nothing to measure" if self.value is None else f"{self.value:.4g}"
        return f"  {'' if self.kept else 'MISSED '}{self.name}: {value}{' (' + ', '.join(bound) + ')' if bound else ''}"


@dataclasses.dataclass(frozen=True)
class Part:
    """What one part of the bench has found: its figures, how it was asked, and ``rows`` to look closer."""

    name: str
    figures: tuple[Figure, ...]
    asked: t.Mapping[str, t.Any]
    rows: tuple[t.Mapping[str, t.Any], ...] = ()

    @property
    def kept(self) -> bool:
        """Whether all figures keep their bounds."""
        return bool(self.figures) and all(figure.kept for figure in self.figures)

    def to_result(self) -> dict[str, t.Any]:
        """Return it for the summary."""
        figures = {figure.name: figure.to_result() for figure in self.figures}
        return {"kept": self.kept, "asked": dict(self.asked), "figures": figures, "rows": [dict(r) for r in self.rows]}


def merge(path: pathlib.Path, parts: t.Iterable[Part]) -> dict[str, t.Any]:
    """Return the summary with these parts anew; what others have found before stays in it."""
    known: dict[str, t.Any] = {}
    if path.exists():
        known = json.loads(path.read_text())["parts"]
    known.update({part.name: part.to_result() for part in parts})
    return {"kept": all(part["kept"] for part in known.values()), "parts": known}
