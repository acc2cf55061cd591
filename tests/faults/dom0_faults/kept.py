# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a campaign that was stopped has passed, for one that goes on with the same code."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import typing as t

from .judge import MISSED
from .run import Outcome

FILE, OF_NAMES = pathlib.Path("build/faults/passed.jsonl"), pathlib.Path("build/faults/passed-names.jsonl")
# What a fault tries out, whatever else a commit changes.
_TREES = ("plugins", "roles", "playbooks", "tests/faults", "tests/double")


def code() -> str:
    """Return the names of the trees; empty outside a checkout, or with changes that are not committed."""
    changed = _git("status", "--porcelain", "--", *_TREES)
    return "" if changed else _git("rev-parse", *(f"HEAD:{tree}" for tree in _TREES))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout.strip()


class Kept:
    """The file of what has passed, an outcome a line. Without ``go_on`` or with other code it begins anew."""

    def __init__(self, go_on: bool, file: pathlib.Path = FILE, tried: str | None = None) -> None:
        self._file = file
        self.seconds = 0.0
        self.outcomes: list[Outcome] = []
        tried = code() if tried is None else tried
        lines = file.read_text().splitlines() if go_on and file.exists() else []
        if not lines or not tried or json.loads(lines[0]) != tried:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(tried) + "\n")
            return
        for found in map(json.loads, lines[1:]):
            self.seconds = found.pop("wall")
            found.update(found=tuple(found["found"]), why=tuple(found["why"]))
            self.outcomes.append(Outcome(**found))

    @property
    def names(self) -> frozenset[str]:
        """The faults that need not be tried again."""
        return frozenset(one.name for one in self.outcomes)

    def add(self, outcome: Outcome, wall: float) -> None:
        """Keep one that has passed, ``wall`` seconds after the campaign began.

        One whose point was not passed has tried nothing, and may come upon it another time.
        """
        if not outcome.failed and MISSED not in outcome.found:
            line: dict[str, t.Any] = {**dataclasses.asdict(outcome), "wall": round(wall, 1)}
            with self._file.open("a") as log:
                log.write(json.dumps(line) + "\n")
