# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What passes while a guest stands still, beside the last round, learnt from earlier moves (private to the collection).

That is what the destination does when the memory has arrived (devices, hotplug scripts), the device model's state, and
both ``xl``. A sender's result has its whole stop time, the bytes of its last round and the rate that was reckoned with;
what is left is this.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._methods import LIVE
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER, session_folders
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.prediction import (
    ASSUMED,
    DESTINATION,
    DOMAIN,
    Base,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import FINAL

# Where nothing is known. It is a guess and is told as one: the first move shows how far off it was.
ASSUMED_MS = 1000

# How many moves count, the latest first, and among how many they are looked for.
MOVES = 5
LOOKED_AT = 100


def base(journals: str, uuid: str, destination: str, gate: str) -> Base:
    """Return what earlier moves from this host to this destination tell; of this domain, if it was moved there before.

    ``journals`` is the folder of all sessions' journals, ``destination`` what the inventory calls it, ``gate`` who
    holds the permission: the caller's tasks at the gate count, where there were any.
    """
    of_domain: list[int] = []
    of_any: list[int] = []
    sent = [path for dummy, role, path in session_folders(journals) if role == SENDER]
    for path in sent[:LOOKED_AT]:
        told = documents.read(os.path.join(path, documents.RESULT))
        found = rest(told, destination, gate) if told is not None else None
        if told is None or found is None:
            continue
        of_any.append(found)
        if _dict(told.get("domain")).get("uuid") == uuid:
            of_domain.append(found)
        if len(of_domain) >= MOVES:
            break
    for known_by, found_ms in ((DOMAIN, of_domain), (DESTINATION, of_any)):
        if found_ms:
            return Base(usual(found_ms[:MOVES]), known_by, len(found_ms[:MOVES]))
    return Base(ASSUMED_MS, ASSUMED)


def usual(found: t.Sequence[int]) -> int:
    """Return what is to be reckoned with: the longest, but one that stands alone does not count where there are more.

    Half of all moves would be over the middle of them.
    """
    return sorted(found)[-2 if len(found) > 2 else -1]


def rest(told: t.Mapping[str, t.Any], destination: str, gate: str) -> int | None:
    """Return what this result says, in milliseconds, ``None`` where it is of another destination or says nothing."""
    stop, rounds = _dict(told.get("stop_prediction")), told.get("rounds")
    fits = stop.get("destination") == destination and _dict(told.get("gate")).get("kind") == gate
    if not fits or told.get("end_state") != "moved" or told.get("method") != LIVE or told.get("leave_paused"):
        return None
    rate, whole = stop.get("rate_bytes_per_s"), told.get("stop_ms")
    last = _dict(rounds[-1]) if isinstance(rounds, list) and rounds else {}
    size = last.get("bytes") if last.get("kind") == FINAL else 0
    if not isinstance(whole, int) or not isinstance(size, int):
        return None
    if stop.get("rate_limited"):
        # No limit holds while the guest stands still: at the rate from before it the last round takes too long, and
        # too little would be left.
        return max(0, whole)
    # Where too little was sent to tell a rate, the last round took no time either.
    return max(0, whole - (size * 1000 // rate if isinstance(rate, int) and rate > 0 else 0))


def _dict(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}
