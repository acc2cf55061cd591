# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settling an interrupted session, one host's part: evidence out, one act in (private to the collection).

Each look at a side whose process is gone leaves a mark in the journal, so that two runs that settle do not mix
(:mod:`fence`).
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import AFTER_OWED, AFTER_TASKS_DONE, after_tasks
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.copies import Copies
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.downfall import Downfall
from ansible_collections.dom0.xen.plugins.module_utils._session.found import found, left_xl
from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import journal
from ansible_collections.dom0.xen.plugins.module_utils._session.process import control
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import fence
from ansible_collections.dom0.xen.plugins.module_utils._session.settling.side import (
    is_overtaken,
    is_phantom,
    of_side,
    seen,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import CopyChanged
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import (
    BAR,
    CANCEL,
    DESTROY,
    HAND_OVER,
    OUTCOME,
    RENAME_BACK,
    RESUME,
    ROLL_FORWARD,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import RUNNING, History, Side
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore import vm_path
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

_Answer = t.TypeVar("_Answer")

POLL_S = 0.2

_REQUESTS = (CANCEL, OUTCOME, HAND_OVER, BAR)
# A process that has taken one of these goes on.
_STAYS = (BAR, control.UNDO_START)
VERBS = (*_REQUESTS, DESTROY, RESUME, RENAME_BACK, ROLL_FORWARD)


class UndoneUnheard(Dom0XenError):
    """The tasks are undone, and the sender goes on waiting for that."""

    code = "undone_unheard"
    remedy = "Mend that (a full disk: make room), then run dom0.xen.settle for the domain again; it waits."


@dataclass(frozen=True)
class Act:
    """A step: its verb, what an outcome says, and the copy that it is about."""

    verb: str
    status: int | None = None
    domid: int | None = None


def look(here: Here, xl: Xl, wait: float, mark: bool = True) -> Side:
    """Return this side's evidence; wait up to ``wait`` seconds for an ``xl`` that its session has left behind.

    Where the session's process is gone, mark the journal first, unless a later session lives, which has the domain's
    lock and comes first: nothing can be done on the strength of that look. Raises DomainBusy when somebody else works
    on the domain, OSError when the mark cannot be written, and the errors of :class:`Xl`.
    """
    deadline = time.monotonic() + wait
    status = here.status()
    alive = bool(status.get("alive"))
    if alive and mark and status.get("phase") == "ended":
        # It only waits for its last word to be taken. That is on record, and is read here.
        with contextlib.suppress(control.SessionSilent):
            speak(here, {"command": control.CANCEL}, wait)
        alive = here.alive()
    if not alive and mark and not is_overtaken(here):
        with fence.locked(here, wait):
            alive = here.alive()
            if not alive and os.path.isdir(here.journal):
                fence.mark(here)
    left = here.left_xl()
    while not alive and left and time.monotonic() < deadline:
        time.sleep(POLL_S)
        left = here.left_xl()
    return replace(seen(here, xl, alive, bool(left)), left=left_xl.described(left))


def act(here: Here, xl: Xl, step: Act, wait: float) -> dict[str, t.Any]:
    """Take one step; return the module's result.

    Where another run settles and comes to the end, the session ends by itself while it is asked, the host was started
    again since it was looked at, or the copy is not any more as it was seen, nothing is done, and ``accepted`` is
    false: look again. Raises the errors of :func:`speak`, of :func:`fence.turn`, and the others of :class:`Copies`.
    """
    if step.verb in _REQUESTS:
        if step.verb == OUTCOME and not step.status and _runs(here, xl):
            return {"changed": False, "accepted": False, "msg": f"the domain {here.name} runs here"}
        accepted = _heard(here, wait, lambda: speak(here, _request(step), wait)) if here.alive() else None
        return {"changed": accepted is not None, "accepted": bool(accepted)}
    if step.domid is None:
        raise CopyChanged(f"no copy was named for the step {step.verb}")
    domid, done = step.domid, {}

    def work(record: t.Callable[..., None]) -> None:
        with XenStore() as store:
            nodes = vm_path.remembered(here.uuid)
            copies = Copies(xl, store, here.uuid, here.name)
            past = here.history()
            # Domids begin anew when a host was started again.
            number = past.domid if past.boot_id == _procfs.boot_id() else None
            down = Downfall(xl, here.uuid, here.name, number, here.journal)
            # That was part of the decision.
            down.vouch()
            row = next((row for row in xl.domains() if row.uuid == here.uuid and row.domid == domid), None)
            done.update(_act(here, copies, down, is_phantom(here.role, past, row), step.verb, domid, record))
            vm_path.brought_back(here.uuid, nodes)

    try:
        return done if fence.turn(here, wait, work) else {"changed": False, "accepted": False}
    except CopyChanged as exc:
        return {"changed": False, "accepted": False, "msg": exc.as_result()["msg"]}


def _runs(here: Here, xl: Xl) -> bool:
    # Told that it runs there, xl destroys its copy by its number, without a look at it.
    return any(row.state.word == RUNNING for row in of_side(here, xl))


def _act(
    here: Here,
    copies: Copies,
    down: Downfall,
    phantom: bool,
    verb: str,
    domid: int,
    record: t.Callable[..., None],
) -> dict[str, t.Any]:
    if phantom and verb in (DESTROY, RESUME):
        if verb == DESTROY:
            record("destroy", domid=domid)
            down.give_up()
        else:
            down.start(lambda: record("resume", domid=domid))
    elif verb == DESTROY:
        copies.destroy(domid, record=lambda: record("destroy", domid=domid))
    elif verb == RENAME_BACK:
        copies.rename_back(domid)
    elif verb == RESUME:
        # On record before it happens: from here on no other copy of this session is worth anything.
        how = copies.go_on if here.history().pauses else copies.resume
        done = how(domid, lambda: record("resume", domid=domid))
        return {"changed": True, "monitor": done.monitor}
    else:
        past = here.history()
        copies.roll_forward(domid, lambda: None if past.committed else record("commit", domid=domid), past.leave_paused)
        record("running", domid=domid, status=0)
    return {"changed": True}


def tasks_done(here: Here, wait: float) -> bool:
    """Put on record that the caller's tasks at the gate have been run; return whether that was news."""
    return _put_on_record(here, wait, "gate_tasks_done", lambda past: past.tasks_due)


def undo_started(here: Here, wait: float) -> bool:
    """Put on record that the caller's tasks at the gate begin to be undone; return whether they may be.

    From then on the destination does not run the domain before they have been run anew. Where the session's process has
    come to its end since it was looked at, they may not: look again.
    """
    if here.alive():
        return bool(_heard(here, wait, lambda: speak(here, {"command": control.UNDO_START}, wait)))
    return _put_on_record(here, wait, "gate_undo_started", lambda past: past.tasks_open)


def undone(here: Here, wait: float) -> bool:
    """Put on record that the caller's tasks at the gate are undone; return whether that was news.

    Where the session's process has come to its end since it was looked at, it was none: look again. Raises
    :class:`UndoneUnheard` when it lives and does not take it.
    """
    if here.alive():
        answer = _heard(here, wait, lambda: _ask(here, {"command": control.UNDONE}, wait))
        if answer is None:
            return False
        if not answer.get("accepted"):
            cause = (answer.get("error") or {}).get("msg") or f"it is in its phase {answer.get('phase')}"
            raise UndoneUnheard(f"the sender has not put on record that the tasks at the gate are undone: {cause}")
        return True
    return _put_on_record(here, wait, "gate_undone", lambda past: past.tasks_open)


def after_done(here: Here) -> bool:
    """Put on record that the caller's tasks after the move have been run; return whether that was news.

    Nobody decides about the domain by it, so that it needs no turn, also beside a process that is about to end.
    """
    if after_tasks(journal.read(here.journal)) != AFTER_OWED:
        return False
    fence.record(here, AFTER_TASKS_DONE)
    return True


def _put_on_record(here: Here, wait: float, step: str, due: t.Callable[[History], bool]) -> bool:
    """Write a record for a side whose process is gone, if it is due then; return whether it was written.

    It is not where this run has not looked since that process has gone.
    """
    written: list[str] = []
    if not fence.is_marked(here):
        return False

    def work(record: t.Callable[..., None]) -> None:
        if due(here.history()):
            record(step)
            written.append(step)

    return fence.turn(here, wait, work) and bool(written)


def _request(step: Act) -> dict[str, t.Any]:
    request: dict[str, t.Any] = {"command": step.verb}
    if step.verb == OUTCOME:
        failed = bool(step.status)
        request.update(status=step.status, give_back=failed, copy_gone=failed)
    return request


def speak(here: Here, request: t.Mapping[str, t.Any], wait: float) -> bool:
    """Ask the session's process for something; return whether it accepted.

    Wait up to ``wait`` seconds for its end, unless it is to stay. Raises :class:`control.SessionSilent`.
    """
    return bool(_ask(here, request, wait).get("accepted"))


def _heard(here: Here, wait: float, ask: t.Callable[[], _Answer]) -> _Answer | None:
    """Return what the session's process answers; None where it comes to its own end meanwhile, which is on record."""
    try:
        return ask()
    except control.SessionSilent:
        if not found.wait_for_end(here.runtime_root, here.journal_root, here.session, here.role, wait):
            raise
        return None


def _ask(here: Here, request: t.Mapping[str, t.Any], wait: float) -> control.Document:
    answer = control.ask(here.runtime, request, control.ANSWER_S)
    if not (answer.get("accepted") and request["command"] in _STAYS):
        found.wait_for_end(here.runtime_root, here.journal_root, here.session, here.role, wait)
    return answer
