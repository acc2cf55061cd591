# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has been tried, cell by cell: hours of work, so that each run goes on where the one before ended."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from dom0lab import whole

from .listing import cells

# The evidence that the table in the docs is printed from; it is part of the repository.
KEPT = Path(__file__).with_name("record.json")
Entry = dict[str, t.Any]


@dataclass
class Record:
    """``xen`` is the exact version of each release; ``cells``, by name, what came of each, and on which commit."""

    xen: dict[str, str] = field(default_factory=dict)
    cells: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Record:
        """Read it; empty where there is none."""
        try:
            document = json.loads(path.read_text())
        except FileNotFoundError:
            return cls()
        return cls(document["xen"], {entry["name"]: entry for entry in document["cells"]})

    def document(self) -> dict[str, t.Any]:
        """It for a file, in the matrix' own order; what is no cell any more is left out."""
        names = [str(cell) for cell in cells()]
        return {"xen": self.xen, "cells": [self.cells[name] for name in names if name in self.cells]}

    def well(self) -> set[str]:
        """The names of the cells that were as they should be."""
        return {name for name, entry in self.cells.items() if entry["well"]}

    def save(self, path: Path, **more: t.Any) -> None:
        """Write it, with what else belongs into the file; whoever is stopped meanwhile leaves what was there."""
        whole.save(path, {**more, **self.document()})

    def over(self, older: Record) -> Record:
        """Return what is known of both, of each cell what this one says, if it does."""
        return Record({**older.xen, **self.xen}, {**older.cells, **self.cells})
