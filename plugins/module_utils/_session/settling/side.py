# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence that one host has of one side of a session (private to the collection)."""

from __future__ import annotations

import os
import socket
import typing as t
from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import after_tasks, sessions_seen
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER
from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, DomainRow, SessionSeen
from ansible_collections.dom0.xen.plugins.module_utils._session.copies import late_shutdown
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.downfall import has_ended
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import journal
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    LATER_LEFT,
    LATER_LIVES,
    SUSPENDED,
    History,
    Side,
    own_copy,
    paused_by_session,
)
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl

# All of them: an older one that has an end must not be cut off.
_ALL = 1_000_000
# Of those before it only such matter as the other host may take for later ones.
_EARLIER = 50


def seen(here: Here, xl: Xl, alive: bool, xl_alive: bool) -> Side:
    """Return what there is to be seen; whether both processes are alive is known. Raises the errors of :class:`Xl`."""
    history, status = here.history(), here.status() if alive else {}
    since, before = _around(here)
    left = [each for each in since if not each.over]
    rows = of_side(here, xl)
    if here.role == SENDER and history.restartable and not history.seen_down:
        # Its monitor writes that before the domain goes, so who finds it gone has to read it afterwards.
        history = replace(history, seen_down=late_shutdown.went_down(here))
    side = Side(
        host="",
        known=history.boot_id is not None,
        alive=alive,
        ending=status.get("phase") == "ended",
        linked=bool((status.get("link") or {}).get("up")),
        waits=bool(status.get("waits_for_settling")),
        barred=bool(status.get("barred")),
        xl_alive=xl_alive,
        boot_id=_procfs.boot_id(),
        hostname=socket.gethostname(),
        superseded=any(each.over for each in since),
        later=_without_end(left),
        session=here.session,
        after=tuple(each.session for each in left),
        before=tuple(each.session for each in before[:_EARLIER]),
        history=history,
        after_tasks=after_tasks(journal.read(here.journal)),
    )
    # Beside another one, what is being torn down tells nothing.
    rows = [row for row in rows if not row.state.dying] or rows
    row, others = own_copy(rows, history, side.rebooted)
    if is_phantom(here.role, history, row):
        return replace(side, copy=SUSPENDED, domid=history.domid or 0, name=here.name, others=others, phantom=True)
    if row is None:
        return side
    copy, ran = row.state.word, row.cpu_time_s > 0
    if paused_by_session(row, history, side.rebooted):
        # xl save -p has resumed it into the pause; it goes on only when it is let go.
        copy = SUSPENDED
    return replace(side, copy=copy, domid=row.domid, name=row.name, ran=ran, others=others)


def is_overtaken(here: Here) -> bool:
    """Whether a later session of the domain lives on this host."""
    return any(each.alive for each in _around(here)[0])


def of_side(here: Here, xl: Xl) -> list[DomainRow]:
    """Return the copies of this side; within one host both have theirs there. Raises the errors of :class:`Xl`."""
    rows = [row for row in xl.domains() if row.uuid == here.uuid]
    if os.path.isdir(here.other.journal):
        rows = [row for row in rows if _sent(here, row) == (here.role == SENDER)]
    return rows


def is_phantom(role: str, history: History, row: DomainRow | None) -> bool:
    """Whether this side's copy is only a record: it was shut down for the move, and can be started again.

    What is being torn down never runs again.
    """
    return role == SENDER and history.restartable and (row is None or row.state.dying or has_ended(row))


def _around(here: Here) -> tuple[list[SessionSeen], list[SessionSeen]]:
    """Return the later and the earlier sessions of the domain on this host, as the audit reckons, newest first."""
    later: list[SessionSeen] = []
    earlier: list[SessionSeen] = []
    found = False
    for each in sessions_seen(here.runtime_root, here.journal_root, limit=_ALL):
        if each.session == here.session:
            found = True
        elif each.domain.uuid == here.uuid:
            (earlier if found else later).append(each)
    # Of one of which nothing is left, nothing tells when it was.
    return (later, earlier) if found else ([], [])


def _without_end(left: t.Sequence[SessionSeen]) -> str:
    return (LATER_LIVES if any(each.alive for each in left) else LATER_LEFT) if left else ""


def _sent(here: Here, row: DomainRow) -> bool:
    """Return whether a copy is the source's, within one host: by its domid, or its name where no xl was started."""
    source, receiver = (here, here.other) if here.role == SENDER else (here.other, here)
    if (sent := source.history().domid) is not None:
        return row.domid == sent
    return row.domid != receiver.history().domid and not row.name.endswith(INCOMING)
