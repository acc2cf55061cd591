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

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.unsuspended import stayed_awake
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents, journal
from ansible_collections.dom0.xen.plugins.module_utils._session.observing import comeback
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import fence
from ansible_collections.dom0.xen.plugins.module_utils._session.settling.side import of_side
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import SUSPENDED
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import History
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

Document = t.Mapping[str, t.Any]

# tools/xl/xl_migrate.c migrate_domain, before it has libxl resume the domain, be it suspended or not.
_XL_RESUMES = ("resuming at sender", "Trying to resume at our end")


@dataclass(frozen=True)
class Wanted:
    """Whether it is looked for, for how many seconds at most (0: not at all), and what address must answer then."""

    looked_for: bool = True
    timeout: float = comeback.TIMEOUT_S
    address: str = ""


def look(here: Here, xl: Xl, owner: str, wanted: Wanted) -> dict[str, t.Any] | None:
    """Return what was seen of the guest's life, now, or by an earlier run that saw it alive; None where nobody looks.

    That is where it did not stay here, has not stood still, is paused, or was shut down for the move or started since,
    and boots; and where xl or XenStore does not answer: what was settled is, whatever comes of this look.
    """
    path = os.path.join(here.journal, documents.RESULT)
    told = documents.read(path) if here.role == SENDER and owner == "source" else None
    if told is None or told.get("method") == COLD or not wanted.looked_for or wanted.timeout <= 0:
        return None
    before = t.cast("dict[str, t.Any] | None", told.get("liveness"))
    if before and before.get("alive"):
        return before
    past = here.history()
    if past.boot_id != _procfs.boot_id() or not _stood_still(here, told, past):
        return None
    seen = None
    with contextlib.suppress(Dom0XenError, OSError):
        copies = [row for row in of_side(here, xl) if row.domid == past.domid and row.state.alive]
        if copies and not copies[0].state.paused:
            with XenStore() as store:
                seen = comeback.watch(xl, store, copies[0].domid, wanted.timeout, wanted.address)
            with fence.locked(here, 0.0):
                documents.write(path, {**(documents.read(path) or told), "liveness": seen}, durable=True)
    return seen


def _stood_still(here: Here, told: Document, past: History) -> bool:
    """Whether anything on record says so: the session, its ``xl``, settling, or who watched for a late suspend."""
    said = documents.last_lines(os.path.join(here.journal, documents.XL_STDERR))
    if any(words in line for words in _XL_RESUMES for line in said) or past.resumed:
        return True
    if SUSPENDED in (told.get("timeline") or {}) and not stayed_awake(said):
        return True
    late = [record.get("details") for record in journal.read(here.journal) if record.get("step") == "late_suspend"]
    return any((details or {}).get("done") for details in late)
