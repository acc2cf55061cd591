# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a rolling maintenance so far, in a file that a run that is stopped leaves to the next one."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dom0lab import LabError, Observation, whole

UNDER_WAY, OVER = "under way", "over"


@dataclass
class Part:
    """One run of the playbook: its exit status (None: it was stopped), and what was seen of the guests meanwhile.

    ``resets``: the machines that began anew.
    """

    status: int | None = None
    wall_s: float = 0.0
    observed: dict[str, Observation] = field(default_factory=dict)
    resets: list[dict[str, t.Any]] = field(default_factory=list)

    @classmethod
    def of(cls, document: Mapping[str, t.Any]) -> Part:
        """Return the one of which this was written."""
        observed = {name: Observation(**seen) for name, seen in document["observed"].items()}
        return cls(**{**document, "observed": observed})


@dataclass
class Record:
    """The beginning, and each part since. ``boots`` and ``guests`` are the boot ids of hosts and guests at first."""

    revision: str
    xen: str
    since: str
    boots: dict[str, str]
    guests: dict[str, str]
    parts: list[Part] = field(default_factory=list)

    @property
    def maintained(self) -> bool:
        """Whether the playbook has come to a good end: then only the judgement is missing."""
        return bool(self.parts) and self.parts[-1].status == 0

    def observations(self, guest: str) -> list[Observation]:
        """Return what was seen of a guest, part by part, where it was asked long enough to answer."""
        seen = [part.observed[guest] for part in self.parts if guest in part.observed]
        return [one for one in seen if one.answered]

    def document(self, state: str, moves: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Return all of it for the file."""
        return {"state": state, **asdict(self), "moves": dict(moves)}

    def save(self, path: Path, moves: Mapping[str, t.Any]) -> None:
        """Write what is known so far. Raises OSError."""
        whole.save(path, self.document(UNDER_WAY, moves))

    @classmethod
    def load(cls, path: Path) -> Record:
        """Return what a run that was stopped has left. Raises LabError where there is nothing to go on with."""
        try:
            document = json.loads(path.read_text())
            if document["state"] != UNDER_WAY:
                raise LabError(f"the run in {path} is {document['state']}", "Begin anew, without --continue")
            parts = [Part.of(part) for part in document["parts"]]
            return cls(**{key: document[key] for key in ("revision", "xen", "since", "boots", "guests")}, parts=parts)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise LabError(f"{path} has no run to go on with ({exc})", "Begin anew, without --continue") from exc
