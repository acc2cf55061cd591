# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that may suspend late, and whose sender does not watch for that any more (private to the collection).

The sender was killed, or told to go, while it watched (:mod:`copies.late_suspend`). Whoever settles and sees the
domain run watches in its place for what is left of the time.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER
from ansible_collections.dom0.xen.plugins.module_utils._session.copies import late_suspend
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.copies import worker_on
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import journal
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import MayStandStill
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore


def seconds_left(here: Here, told: t.Mapping[str, t.Any]) -> float | None:
    """Return for how long the guest is still to be watched; None where it need not be.

    ``told`` is the last that the session has said of itself. One that settling has resumed has suspended already, and
    what was asked in another boot of the host nobody remembers.
    """
    if here.role != SENDER or not told.get("watches") or told.get("method") == COLD:
        return None
    steps = {record.get("step"): record for record in journal.read(here.journal)}
    boot_id = (steps.get("opened", {}).get("details") or {}).get("boot_id")
    if boot_id != _procfs.boot_id() or "resume" in steps:
        return None
    ended = steps.get("ended", {}).get("monotonic_s")
    passed = time.monotonic() - ended if isinstance(ended, float) else 0.0
    return min(max(0.0, late_suspend.WATCH_S - passed), late_suspend.WATCH_S)


def keep(here: Here, xl: Xl, store: XenStore, record: t.Callable[..., None], seconds: float) -> None:
    """Watch for so many seconds, and resume the guest if it suspends after all.

    ``record`` writes to the journal. Raises MayStandStill when it is not known in the end that it runs, and the errors
    of :class:`Xl` and :class:`XenStore`.
    """
    domid = here.history().domid
    if domid is None:
        return
    if worker_on(domid, here.name) is not None:
        # What is pending now is what they have asked for.
        record("late_suspend", **late_suspend.Outcome(late_suspend.Next.TAKEN_OVER).to_result())
        return
    outcome = late_suspend.LateSuspend(xl, store, domid, here.uuid, here.name, seconds=seconds).run().to_result()
    record("late_suspend", **outcome)
    why = late_suspend.failure(outcome, here.name)
    if why is not None:
        raise MayStandStill(why.msg)
