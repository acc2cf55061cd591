# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that was asked to shut down for a move, and does so only after the move has failed (private).

It has agreed, and takes longer than it was given: it runs on for a while, goes down, and nobody starts it again. One
that somebody destroys, saves or moves meanwhile, because it did not shut down, is theirs.

The session's process watches for that. Where it has not done so to the end, whoever settles does (:func:`keep`): that
the guest was asked is on record, until that was taken back before it had seen it.
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.downfall import Being, Downfall, taken_in_hand
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.resuming import Clock, shutdown_node
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents, journal
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.witness import Note, tells_end
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import MayGoDown, TakenAway, may_succeed
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import LATE_BLIND, LATE_DISMISSED, LATE_DOWN
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

WATCH_S = 120.0
LOOK_INTERVAL = 2.0

# What libxl asks a guest by xl shutdown (tools/libs/light/libxl_domain.c libxl_domain_shutdown).
POWEROFF = "poweroff"
# In the journal folder, while the guest may do it.
ASKED = "asked.json"
_TAKEN = "taken"

Wait = t.Callable[[int, float], None]


def follow(
    down: Downfall,
    domid: int,
    name: str,
    wait: Wait,
    dismissed: t.Callable[[], bool],
    seconds: float | None = None,
    clock: Clock = time.monotonic,
) -> dict[str, t.Any]:
    """Watch for ``seconds``, or WATCH_S, whether the domain ``domid`` goes down after all, and start it again then.

    A look or a start that fails is tried again; once it is down, for as long anew. Returns what came of it: ``end`` is
    ``started``, ``quiet`` (it runs on), ``here`` (it has another domid: it was started again before), ``taken``
    (somebody else has it in hand), ``dismissed``, ``down`` (it has shut down, and could not be started again) or
    ``blind`` (what it does is not known in the end). ``wait`` waits for a descriptor, at most so many seconds. Raises
    nothing: the session is over.
    """
    seconds = WATCH_S if seconds is None else seconds
    deadline, fallen = clock() + seconds, False
    error: Dom0XenError | None = None
    while not dismissed():
        try:
            being, row = down.look()
            error = None
            if being is Being.HERE and row is not None and row.domid != domid:
                return {"end": "here", "domid": row.domid}
            if being is Being.TAKEN or taken_in_hand(row, domid, name):
                return {"end": _TAKEN}
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
        return {"end": _TAKEN, "error": error.as_result()}
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


def is_asked(domid: int, folder: str, log: Note | None = None) -> None:
    """Put on record, in the journal ``folder``, that the guest is asked now, and the ``log`` that will tell of its end.

    Raises OSError; then it must not be asked.
    """
    documents.write(os.path.join(folder, ASKED), {"domid": domid, "log": log})


def went_down(here: Here) -> bool:
    """Whether the guest has shut down by itself since it was asked, in this boot, as the log of its monitor says."""
    asked, past = documents.read(os.path.join(here.journal, ASKED)) or {}, here.history()
    log, domid = asked.get("log"), asked.get("domid")
    if not isinstance(log, dict) or domid is None or (domid, _procfs.boot_id()) != (past.domid, past.boot_id):
        return False
    return tells_end(log, domid)


def take_back(store: XenStore, domid: int, uuid: str, folder: str) -> bool:
    """Take back what the guest was asked, if it has not seen it; return whether that was so."""
    node = shutdown_node(domid)
    pending = store.uuid(domid) == uuid and store.read(node) == POWEROFF
    if pending:
        store.write(node, "")
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(folder, ASKED))
    return pending


def may_go_down(here: Here) -> bool:
    """Whether the guest was asked to shut down in this boot of the host, and nobody has watched it to the end."""
    if not os.path.exists(os.path.join(here.journal, ASKED)):
        return False
    steps = {record.get("step"): record.get("details") or {} for record in journal.read(here.journal)}
    watched = steps.get("late_shutdown", {}).get("end", LATE_DISMISSED) != LATE_DISMISSED
    return not watched and steps.get("opened", {}).get("boot_id") == _procfs.boot_id()


def keep(here: Here, xl: Xl, store: XenStore, record: t.Callable[..., None], seconds: float | None = None) -> None:
    """See to it that the domain stays here, where it :func:`may_go_down`; takes so long when its guest has agreed.

    ``record`` writes to the journal, ``seconds`` are those of :func:`follow`. Raises MayGoDown when it is not known in
    the end that the domain runs here, and the errors of :class:`Xl` and :class:`XenStore`.
    """
    domid = here.history().domid
    if domid is None or take_back(store, domid, here.uuid, here.journal):
        return
    down = Downfall(xl, here.uuid, here.name, domid, here.journal)
    down.attend()
    if went_down(here):
        down.vouch()
    outcome = follow(down, domid, here.name, lambda dummy, wait: time.sleep(wait), lambda: False, seconds)
    if outcome["end"] == _TAKEN and not any(row.uuid == here.uuid for row in xl.domains()):
        # It may as well have gone down before anybody looked.
        outcome = {**outcome, "end": LATE_BLIND}
    record("late_shutdown", **outcome)
    why = failure(outcome, here.name)
    if why is not None:
        raise MayGoDown(why.msg)
