# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts outcomes and says whether they will do (pure)."""

from __future__ import annotations

import typing as t

from .enumeration import LEAST_FAULTS
from .judge import (
    ALLOWED,
    ASKED,
    FAILURES,
    LAST_COPY_DESTROYED,
    LEFT_UNSETTLED,
    LOST,
    MISSED,
    STALE,
    TOUCHED,
    WITH_ITS_HOST,
)
from .run import Outcome

LEAST_PLAYBOOKS = 100
# A fault whose point is not passed, or not in time, says nothing.
MOST_MISSED = 0.02


def summary(
    outcomes: t.Sequence[Outcome], seconds: float, listed: int, vanished: t.Sequence[str], chosen: int
) -> dict[str, t.Any]:
    """Return the document; ``listed`` faults there are, ``chosen`` were to be run."""
    playbooks = sum(one.name.endswith("+playbook") for one in outcomes)
    counts = {
        name: sum(name in one.found for one in outcomes)
        for name in (*FAILURES, ALLOWED, ASKED, WITH_ITS_HOST, MISSED, STALE)
    }
    checks = [_check(name, counts[name], 0, counts[name] == 0) for name in FAILURES]
    checks.append(_check("vanished_points", len(vanished), 0, not vanished))
    checks.append(_check("faults_listed", listed, LEAST_FAULTS, listed >= LEAST_FAULTS))
    most = int(len(outcomes) * MOST_MISSED)
    checks.append(_check(MISSED, counts[MISSED], most, counts[MISSED] <= most))
    if chosen >= LEAST_FAULTS:
        checks.append(_check("runs", len(outcomes), chosen, len(outcomes) >= chosen))
        checks.append(_check("through_playbooks", playbooks, LEAST_PLAYBOOKS, playbooks >= LEAST_PLAYBOOKS))
    return {
        "runs": len(outcomes),
        **counts,
        "faults_listed": listed,
        "through_playbooks": playbooks,
        "vanished": list(vanished),
        "seconds": round(seconds, 1),
        "failing": [{"name": one.name, "found": one.found, "why": one.why} for one in outcomes if one.failed],
        "checks": checks,
        "ok": all(check["ok"] for check in checks),
    }


def _check(name: str, value: int, needed: int, ok: bool) -> dict[str, t.Any]:
    return {"name": name, "value": value, "needed": needed, "ok": ok}


__all__ = ["LAST_COPY_DESTROYED", "LEFT_UNSETTLED", "LOST", "TOUCHED", "summary"]
