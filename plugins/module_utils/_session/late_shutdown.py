# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that was asked to shut down for a move, and does so only after the move has failed (private).

It has agreed, and takes longer than it was given: it runs on for a while, goes down, and nobody starts it again. One
that somebody destroys, saves or moves meanwhile, because it did not shut down, is theirs.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.downfall import Being, Downfall, taken_in_hand
from ansible_collections.dom0.xen.plugins.module_utils._session.errors import TakenAway, may_succeed
from ansible_collections.dom0.xen.plugins.module_utils._session.resuming import Clock
from ansible_collections.dom0.xen.plugins.module_utils._session.words import Failure
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import LATE_BLIND, LATE_DISMISSED, LATE_DOWN

WATCH_S = 120.0
LOOK_INTERVAL = 2.0

Wait = t.Callable[[int, float], None]


def follow(
    down: Downfall,
    domid: int,
    name: str,
    wait: Wait,
    dismissed: t.Callable[[], bool],
    seconds: float = WATCH_S,
    clock: Clock = time.monotonic,
) -> dict[str, t.Any]:
    """Watch for ``seconds`` whether the domain ``domid`` goes down after all, and start it again then.

    A look or a start that fails is tried again; once it is down, for as long anew. Returns what came of it: ``end`` is
    ``started``, ``quiet`` (it runs on), ``here`` (it has another domid: it was started again before), ``taken``
    (somebody else has it in hand), ``dismissed``, ``down`` (it has shut down, and could not be started again) or
    ``blind`` (what it does is not known in the end). ``wait`` waits for a descriptor, at most so many seconds. Raises
    nothing: the session is over.
    """
    deadline, fallen = clock() + seconds, False
    error: Dom0XenError | None = None
    while not dismissed():
        try:
            being, row = down.look()
            error = None
            if being is Being.HERE and row is not None and row.domid != domid:
                return {"end": "here", "domid": row.domid}
            if being is Being.TAKEN or taken_in_hand(row, domid, name):
                return {"end": "taken"}
            if being is not Being.HERE:
                deadline, fallen = deadline if fallen else clock() + seconds, True
                return {"end": "started", "done": down.start().to_result()}
        except Dom0XenError as exc:
            error = exc
            if fallen and not may_succeed(exc):
                break
        if clock() >= deadline:
            break
        wait(-1, LOOK_INTERVAL)
    else:
        if not fallen:
            return {"end": LATE_DISMISSED}
    if isinstance(error, TakenAway):
        return {"end": "taken", "error": error.as_result()}
    end = LATE_BLIND if fallen or error is not None else "quiet"
    if fallen and down.has_shut_down:
        end = LATE_DOWN
    return {"end": end, "error": error.as_result() if error is not None else None}


def failure(outcome: t.Mapping[str, t.Any], name: str) -> Failure | None:
    """Return why it is not known any more that the domain runs here, None where it is, or is somebody else's."""
    if outcome.get("end") not in (LATE_DOWN, LATE_BLIND):
        return None
    how = "shut down after the move had failed, and could not be started again"
    if outcome["end"] == LATE_BLIND:
        how = "may have shut down after the move had failed, and what it does is not known"
    cause = (outcome.get("error") or {}).get("msg", "it was not waited for")
    return Failure("late_shutdown", f"{name} {how}: {cause}", remedy="Run dom0.xen.settle for the domain.")
