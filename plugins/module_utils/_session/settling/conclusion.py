# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of settling: what a session came to is put on record, and its files go to the owner (private)."""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.monitors import monitor_of, monitors
from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import in_doubt
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.autostart import Autostart
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.leaving import Leaving
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.unpacking import Unpacking
from ansible_collections.dom0.xen.plugins.module_utils._session.copies import late_shutdown
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents, journal
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import fence, unwatched
from ansible_collections.dom0.xen.plugins.module_utils._session.settling.side import of_side
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import LEAVE_PAUSED
from ansible_collections.dom0.xen.plugins.module_utils._toolstack import priority
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore import vm_path
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore


def conclude(here: Here, xl: Xl, owner: str, end_state: str, wait: float) -> bool:
    """Write down how the session ended, and remove what it has left in memory; return whether that was news.

    It was none where the session came to this end by itself, or another run settles and comes to it within ``wait``
    seconds. Where the domain stays and its guest may still shut down or suspend, that is watched for here, for minutes;
    raises MayGoDown or MayStandStill when it is not known in the end that it runs here.
    """
    if not os.path.isdir(here.journal):
        return False
    if here.history().concluded == owner:
        if os.path.isdir(here.runtime) and not here.alive():
            # Who has put that on record was cut off before the rest, and what is left would go on saying otherwise.
            fence.turn(here, wait, lambda dummy: _tidy(here), owner)
        return False
    ended = documents.read(os.path.join(here.journal, documents.RESULT))
    told = tuple((ended or {}).get(each) for each in ("phase", "owner", "end_state"))
    leaves = here.role == SENDER and owner == "source" and late_shutdown.may_go_down(here)
    doubtful = leaves or in_doubt(ended or {}, alive=False)
    if told == ("ended", owner, end_state) and not doubtful and not os.path.isdir(here.runtime):
        return False
    document = ended or documents.read(os.path.join(here.runtime, documents.STATUS))
    left = unwatched.seconds_left(here, document or {}) if owner == "source" else None
    domain = {"uuid": here.uuid, "name": here.name}
    paused = {LEAVE_PAUSED: True} if here.history().leave_paused else {}
    base = {"format": 1, "session": here.session, "role": here.role, "domain": domain, **paused}
    result = {**base, **(document or {}), "phase": "ended", "owner": owner, "end_state": end_state}
    result.pop("watches", None)

    def work(record: t.Callable[..., None]) -> None:
        if leaves:
            with XenStore() as store:
                nodes = vm_path.remembered(here.uuid)
                late_shutdown.keep(here, xl, store, record)
                vm_path.brought_back(here.uuid, nodes)
        elif left is not None:
            with XenStore() as store:
                unwatched.keep(here, xl, store, record, left)
        result.update(_settle_files(here, owner))
        documents.write(os.path.join(here.journal, documents.RESULT), result, durable=True)
        record("settled", owner=owner, end_state=end_state)
        _tidy(here)

    return fence.turn(here, wait, work, owner)


def monitor(here: Here, xl: Xl, owner: str) -> str | None:
    """Return whether ``xl``'s process still handles the domain's end, where the ``owner``'s copy is, and is not ended.

    None where it is not, or nothing tells: what was settled is, whatever comes of this look.
    """
    if here.role != {"source": SENDER, "destination": RECEIVER}.get(owner):
        return None
    with contextlib.suppress(Dom0XenError):
        copies = [row for row in of_side(here, xl) if row.state.alive]
        if copies:
            return monitor_of(copies[0].domid, here.name, monitors(_procfs.command_lines()))
    return None


def _tidy(here: Here) -> None:
    journal.give_up_reserve(here.journal)
    priority.take_back_left(here.session)
    shutil.rmtree(here.runtime, ignore_errors=True)


def _settle_files(here: Here, owner: str) -> dict[str, t.Any]:
    """Bring what configures the domain and starts it at boot to its owner; return what the result says of it."""
    if os.path.isdir(here.other.journal):
        return {}  # within one host it was left as it is
    who = (here.journal, here.session, here.uuid, here.name)
    if here.role == RECEIVER:
        came = Unpacking(*who)
        came.unpack() if owner == "destination" else came.drop()
        return {"belongings": came.told}
    autostart, leaving = Autostart(here.journal, here.session), Leaving(*who)
    for each in (leaving.drop, autostart.put_back) if owner == "source" else (leaving.finish, autostart.finish):
        each()
    return {"belongings": leaving.told}
