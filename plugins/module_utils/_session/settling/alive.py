# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a guest that stood still for a move that was undone goes on at the source (private to the collection).

The move is settled, and this changes nothing of that: it is put beside the session's result for whoever reads it.
"""

from __future__ import annotations

import contextlib
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents, journal
from ansible_collections.dom0.xen.plugins.module_utils._session.observing import comeback
from ansible_collections.dom0.xen.plugins.module_utils._session.settling.side import of_side
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import SUSPENDED
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

Document = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Wanted:
    """Whether it is looked for, for how many seconds at most, and what address must answer then."""

    looked_for: bool = True
    timeout: float = comeback.TIMEOUT_S
    address: str = ""


def look(here: Here, xl: Xl, owner: str, wanted: Wanted) -> dict[str, t.Any] | None:
    """Return what was seen of the guest's life, now or by an earlier run; None where there is nothing to look for.

    That is where it did not stay here, has not stood still, is paused, or was shut down for the move and boots; and
    where xl or XenStore does not answer: what was settled is, whatever comes of this look.
    """
    path = os.path.join(here.journal, documents.RESULT)
    told = documents.read(path) if here.role == SENDER and owner == "source" else None
    if told is None or told.get("method") == COLD:
        return None
    if told.get("liveness"):
        return t.cast("dict[str, t.Any]", told["liveness"])
    if not wanted.looked_for or not _stood_still(here, told):
        return None
    seen = None
    with contextlib.suppress(Dom0XenError, OSError):
        copies = [row for row in of_side(here, xl) if row.state.alive]
        if len(copies) == 1 and not copies[0].state.paused:
            with XenStore() as store:
                seen = comeback.watch(xl, store, copies[0].domid, wanted.timeout, wanted.address)
            documents.write(path, {**told, "liveness": seen}, durable=True)
    return seen


def _stood_still(here: Here, told: Document) -> bool:
    """Whether anything on record says so: the session has seen it, settling has resumed it, or whoever watched it."""
    if SUSPENDED in (told.get("timeline") or {}) or here.history().resumed:
        return True
    late = [record["details"] for record in journal.read(here.journal) if record.get("step") == "late_suspend"]
    return any((details or {}).get("done") for details in late)
