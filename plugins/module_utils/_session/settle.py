# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settling an interrupted session, one host's part: evidence out, one act in (private to the collection).

Whoever settles is a run of a module, and may die between two of them. So that two of them do not mix, each look at a
side whose process is gone leaves its mark in the journal, and an act is refused when the last mark is another's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER, session_folder
from ansible_collections.dom0.xen.plugins.module_utils._session import control, documents, found, journal
from ansible_collections.dom0.xen.plugins.module_utils._session.autostart import Autostart, bring_back
from ansible_collections.dom0.xen.plugins.module_utils._session.copies import Copies
from ansible_collections.dom0.xen.plugins.module_utils._session.errors import CopyChanged
from ansible_collections.dom0.xen.plugins.module_utils._session.lock import DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import (
    CANCEL,
    DESTROY,
    HAND_OVER,
    OUTCOME,
    RENAME_BACK,
    RESUME,
    ROLL_FORWARD,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    History,
    Side,
    own_copy,
    read_history,
)
from ansible_collections.dom0.xen.plugins.module_utils._toolstack import priority
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

POLL_S = 0.2

FENCED = "fenced"

_REQUESTS = (CANCEL, OUTCOME, HAND_OVER)
VERBS = (*_REQUESTS, DESTROY, RESUME, RENAME_BACK, ROLL_FORWARD)


class FenceTaken(Dom0XenError):
    """Somebody else has begun to settle the session."""

    code = "settled_by_another"
    remedy = "Wait until the other run has ended, then run dom0.xen.settle again."


@dataclass(frozen=True)
class Here:
    """One side of one session on this host; ``settler`` is the identity of the run that settles."""

    runtime_root: str
    journal_root: str
    session: str
    role: str
    uuid: str
    name: str
    settler: str

    @property
    def runtime(self) -> str:
        """The folder of its process."""
        return session_folder(self.runtime_root, self.session, self.role)

    @property
    def journal(self) -> str:
        """The folder of its journal."""
        return session_folder(self.journal_root, self.session, self.role)

    @property
    def other(self) -> Here:
        """The other side, which is on the same host only if its folder is there."""
        return replace(self, role=RECEIVER if self.role == SENDER else SENDER)

    def history(self) -> History:
        """Return what its journal says."""
        said = documents.last_lines(os.path.join(self.journal, documents.XL_STDERR))
        return read_history(journal.read(self.journal), said)

    def status(self) -> found.Document:
        """Return what it says of itself and whether its process runs, as :func:`found.status_of`; empty if nothing."""
        return found.status_of(self.runtime_root, self.journal_root, self.session, self.role) or {}

    def alive(self) -> bool:
        """Whether its process runs."""
        return bool(self.status().get("alive"))


@dataclass(frozen=True)
class Act:
    """A step: its verb, what an outcome says, and the copy that it is about."""

    verb: str
    status: int | None = None
    domid: int | None = None


def look(here: Here, xl: Xl, wait: float, mark: bool = True) -> Side:
    """Return this side's evidence; wait up to ``wait`` seconds for an ``xl`` that its session has left behind.

    Where the session's process is gone, mark the journal first. Raises DomainBusy when another session works on the
    domain, OSError when the mark cannot be written, and the errors of :class:`Xl`.
    """
    deadline = time.monotonic() + wait
    status = here.status()
    alive = bool(status.get("alive"))
    if alive and mark and status.get("phase") == "ended":
        # It only waits for its last word to be taken. That is on record, and is read here.
        with contextlib.suppress(control.SessionSilent):
            speak(here, {"command": control.CANCEL}, wait)
        alive = here.alive()
    if not alive and mark:
        with _locked(here):
            alive = here.alive()
            if not alive and os.path.isdir(here.journal):
                _record(here, FENCED)
    left = _left_xl(here)
    while not alive and _lives(left) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return _side(here, xl, alive, _lives(left))


def act(here: Here, xl: Xl, step: Act, wait: float) -> dict[str, t.Any]:
    """Take one step; return the module's result.

    Raises the errors of :func:`speak`, of :func:`fenced`, and of :class:`Copies`.
    """
    if step.verb in _REQUESTS:
        if not here.alive():
            return {"changed": False, "accepted": False}
        return {"changed": True, "accepted": speak(here, _request(step), wait)}
    if step.domid is None:
        raise CopyChanged(f"no copy was named for the step {step.verb}")
    with fenced(here) as record, XenStore() as store:
        copies = Copies(xl, store, here.uuid, here.name)
        if step.verb == DESTROY:
            copies.destroy(step.domid, record=lambda: record("destroy", domid=step.domid))
        elif step.verb == RENAME_BACK:
            copies.rename_back(step.domid)
        elif step.verb == RESUME:
            # On record before it happens: from here on no other copy of this session is worth anything.
            done = copies.resume(step.domid, lambda: record("resume", domid=step.domid))
            return {"changed": True, "monitor": done.monitor}
        else:
            committed = here.history().committed
            copies.roll_forward(step.domid, lambda: None if committed else record("commit", domid=step.domid))
            record("running", domid=step.domid, status=0)
    return {"changed": True}


def undone(here: Here, wait: float) -> bool:
    """Put on record that the caller's tasks at the gate are undone; return whether that was news."""
    if here.alive():
        return speak(here, {"command": control.UNDONE}, wait)
    with fenced(here) as record:
        if not here.history().tasks_open:
            return False
        record("gate_undone")
    return True


def _request(step: Act) -> dict[str, t.Any]:
    request: dict[str, t.Any] = {"command": step.verb}
    if step.verb == OUTCOME:
        failed = bool(step.status)
        request.update(status=step.status, give_back=failed, copy_gone=failed)
    return request


def speak(here: Here, request: t.Mapping[str, t.Any], wait: float) -> bool:
    """Ask the session's process for something, wait up to ``wait`` seconds for its end; return whether it accepted.

    Raises :class:`control.SessionSilent`.
    """
    answer = control.ask(here.runtime, request, control.ANSWER_S)
    found.wait_for_end(here.runtime_root, here.journal_root, here.session, here.role, wait)
    return bool(answer.get("accepted"))


@contextlib.contextmanager
def fenced(here: Here) -> t.Iterator[t.Callable[..., None]]:
    """Hold the domain's lock while acting for a side whose process is gone; gives what writes to its journal.

    Raises :class:`FenceTaken` when the last mark is not of this run, and DomainBusy when the process is not gone.
    """
    with _locked(here):
        marks = [record for record in journal.read(here.journal) if record.get("step") == FENCED]
        if not marks or (marks[-1].get("details") or {}).get("by") != here.settler:
            raise FenceTaken(f"another run settles session {here.session}")
        yield lambda step, **details: _record(here, step, **details)


def conclude(here: Here, owner: str, end_state: str) -> bool:
    """Write down how the session ended, and remove what it has left in memory; return whether that was news."""
    if not os.path.isdir(here.journal) or here.history().concluded == owner:
        return False
    document = documents.read(os.path.join(here.journal, documents.RESULT)) or documents.read(
        os.path.join(here.runtime, documents.STATUS)
    )
    domain = {"uuid": here.uuid, "name": here.name}
    base = {"format": 1, "session": here.session, "role": here.role, "domain": domain}
    result = {**base, **(document or {}), "phase": "ended", "owner": owner, "end_state": end_state}
    with fenced(here) as record:
        _settle_autostart(here, owner)
        documents.write(os.path.join(here.journal, documents.RESULT), result, durable=True)
        record("settled", owner=owner, end_state=end_state)
        priority.take_back_left(here.session)
        shutil.rmtree(here.runtime, ignore_errors=True)
    return True


def _settle_autostart(here: Here, owner: str) -> None:
    if os.path.isdir(here.other.journal):
        return  # within one host it was left as it is
    if here.role == RECEIVER:
        if owner == "destination":
            bring_back(here.uuid, here.name)
        return
    autostart = Autostart(here.journal, here.session)
    if owner == "source":
        autostart.put_back()
    else:
        autostart.finish()


@contextlib.contextmanager
def _locked(here: Here) -> t.Iterator[None]:
    lock = DomainLock(here.runtime_root, here.uuid, here.role)
    try:
        yield
    finally:
        lock.release()


def _record(here: Here, step: str, **details: t.Any) -> None:
    file = journal.Journal(here.journal)
    try:
        file.write(step, {"by": here.settler, **details})
    finally:
        file.close()


def _side(here: Here, xl: Xl, alive: bool, xl_alive: bool) -> Side:
    history = here.history()
    side = Side(
        host="",
        known=history.boot_id is not None,
        alive=alive,
        waits=alive and bool(here.status().get("waits_for_settling")),
        xl_alive=xl_alive,
        boot_id=_procfs.boot_id(),
        history=history,
    )
    rows = [row for row in xl.domains() if row.uuid == here.uuid]
    if os.path.isdir(here.other.journal):
        # Within one host the two sides' copies are told apart by the source's domid.
        sent = here.other.history().domid if here.role == RECEIVER else history.domid
        rows = [row for row in rows if (row.domid == sent) == (here.role == SENDER)]
    row, others = own_copy(rows, history, side.rebooted)
    if row is None:
        return side
    copy, ran = row.state.word, row.cpu_time_s > 0
    return replace(side, copy=copy, domid=row.domid, name=row.name, ran=ran, others=others)


def _left_xl(here: Here) -> tuple[int, int] | None:
    """Return pid and start time of the ``xl`` that the session has started in this boot, None when there was none."""
    records = journal.read(here.journal)
    if read_history(records).boot_id != _procfs.boot_id():
        return None
    noted = [record.get("details") or {} for record in records if record.get("step") == "xl_started"]
    known = [(int(xl["pid"]), int(xl["started"])) for xl in noted if xl.get("pid") and xl.get("started")]
    return known[0] if known else None


def _lives(process: tuple[int, int] | None) -> bool:
    return process is not None and _procfs.is_alive(process[0]) and _procfs.start_time(process[0]) == process[1]
