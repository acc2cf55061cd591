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
from ansible_collections.dom0.xen.plugins.module_utils._session.resuming import Clock

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

    Returns what came of it: ``end`` is ``started``, ``quiet`` (it runs on), ``here`` (it has another domid: it was
    started again before), ``taken`` (somebody else has it in hand), ``dismissed`` or ``blind``. ``wait`` waits for a
    descriptor, at most so many seconds. Raises nothing: the session is over.
    """
    deadline = clock() + seconds
    while not dismissed():
        try:
            being, row = down.look()
            if being is Being.HERE and row is not None and row.domid != domid:
                return {"end": "here", "domid": row.domid}
            if being is Being.TAKEN or taken_in_hand(row, domid, name):
                return {"end": "taken"}
            if being is not Being.HERE:
                return {"end": "started", "done": down.start().to_result()}
        except Dom0XenError as exc:
            return {"end": "blind", "error": exc.as_result()}
        if clock() >= deadline:
            return {"end": "quiet"}
        wait(-1, LOOK_INTERVAL)
    return {"end": "dismissed"}
