# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of figures: raw data beside a list of checks, and an exit status that follows from the checks."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Check:
    """One comparison of a figure with what is needed of it."""

    name: str
    value: t.Any
    needed: str
    ok: bool


def equal(name: str, value: t.Any, needed: t.Any) -> Check:
    """Check that ``value`` is ``needed``."""
    return Check(name, value, str(needed), bool(value == needed))


def at_most(name: str, value: float | None, needed: float) -> Check:
    """Check that ``value`` is there and not above ``needed``."""
    return Check(name, value, f"at most {needed}", value is not None and value <= needed)


def at_least(name: str, value: float, needed: float) -> Check:
    """Check that ``value`` is not below ``needed``."""
    return Check(name, value, f"at least {needed}", value >= needed)


def write(path: Path, data: Mapping[str, t.Any], checks: Sequence[Check]) -> bool:
    """Write the file, tell what failed, return whether every check holds (and there is one)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {**data, "checks": [asdict(check) for check in checks]}
    path.write_text(json.dumps(document, indent=1, sort_keys=False) + "\n")
    for check in checks:
        if not check.ok:
            print(f"not ok: {check.name} is {check.value!r}, needed {check.needed}")
    return bool(checks) and all(check.ok for check in checks)
