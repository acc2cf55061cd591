# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate on the source: what speaks against asking for the commit, and what others have to say (private).

``gate: engine`` asks at once; with ``gate: controller`` the permission waits for a word over :mod:`process.control`.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState, migrated_away
from ansible_collections.dom0.xen.plugins.module_utils._session.process import control
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.save_paused import standing_still
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures, messages, words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

Evidence = t.Callable[[], t.Optional[Failure]]

_NAME_REMEDY = (
    "Somebody has renamed it while it moved. See with xl list -v on the source that it runs, give it its own name with"
    " xl rename, then run the migration again."
)
_XL_REMEDY = (
    "See the last lines of xl (stderr in the result) and, where it was killed, journalctl -k on the source. Where the"
    " domain does not run there, run dom0.xen.settle for it."
)
_STARTED_REMEDY = (
    "It runs on the source, and nothing was given to the destination. See who has started it there (xl list -v), then"
    " run the migration again."
)


def evidence_against(
    xl: Xl, store: XenStore, domid: int, settings: SenderSettings, xl_exit_code: int | None
) -> Failure | None:
    """Return why the permission that ``xl`` wrote must not be used, or ``None``.

    ``xl`` writes it after it has renamed its copy, and waits for the report (tools/xl/xl_migrate.c migrate_domain).
    A copy that only a pause keeps still is looked at once more: anybody could have ended that.
    """
    try:
        seen = store.name(domid)
        if settings.pauses:
            standing_still(xl, domid, settings.uuid, settings.name)
    except Dom0XenError as exc:
        return failures.of(exc)
    if seen != migrated_away(settings.name):
        return Failure("gate_name", f"the source's copy is called {seen} at the gate", remedy=_NAME_REMEDY)
    if xl_exit_code is not None:
        return Failure("gate_xl", "xl ended on the source before its permission was used", remedy=_XL_REMEDY)
    return None


def presence_against(store: XenStore, uuid: str, name: str, xl_exit_code: int | None) -> Failure | None:
    """The same for a domain that was shut down: nobody has started it again, not even without its UUID."""
    try:
        here = [domid for domid in store.domids() if store.uuid(domid) == uuid or store.name(domid) == name]
    except Dom0XenError as exc:
        return failures.of(exc)
    if here:
        text = f"{name} was started on the source in the meantime; its domid is {here[0]}"
        return Failure("gate_started", text, remedy=_STARTED_REMEDY)
    if xl_exit_code is not None:
        text = "what has shut the domain down ended on the source before its permission was used"
        return Failure("gate_xl", text, remedy=_XL_REMEDY)
    return None


def expired(limit: float) -> Failure:
    """Return the failure of a gate that nobody opened within ``limit`` seconds."""
    return Failure(
        "gate_timeout",
        f"nobody gave the permission within {limit:g} s, while the guest stood still",
        remedy="Give the tasks at the gate more time with migrate_gate_timeout, or make them faster.",
    )


def event(request: t.Mapping[str, t.Any], state: SourceState, link_up: bool, evidence: Evidence) -> words.Event | None:
    """Return the event that a request to the sender means, ``None`` for one that means nothing now.

    ``evidence`` is asked for only where the permission waits: it sees the disks at rest once and for all, and sets
    aside what starts the domain, which is true only of a guest that stands still.
    """
    command = request.get("command")
    if command == control.GATE_START:
        return words.GateTasksStarted()
    if command == control.PERMIT:
        # While the link is down the request for the commit could not leave, and the way back would be closed. One that
        # has left is what was wanted.
        heard = link_up or state.commit_left
        return words.Permit(evidence() if state.at_the_gate else None) if heard else None
    if command == control.REFUSE:
        text = str(request.get("reason") or "the permission was refused at the gate")[: control.REASON_LENGTH]
        return words.Failed(Failure("gate_refused", text, remedy="See why the tasks at the gate failed."))
    if command == control.UNDO_START:
        return words.GateUndoStarted()
    if command == control.UNDONE:
        return words.GateUndone()
    if command == control.OUTCOME:
        try:
            return messages.event({**request, "type": "report"})
        except FrameError:
            return None
    return None


def unheard(request: t.Mapping[str, t.Any], state: SourceState, link: Link) -> Failure | None:
    """Return why the permission is not taken, where that is the link alone and nothing else tells of it."""
    if request.get("command") != control.PERMIT or link.up or not (state.at_the_gate or state.failure is None):
        return None
    why = f": {link.trouble.message}" if link.trouble is not None else ""
    return Failure(
        "link_down",
        f"the link to the destination is down{why}, and the request for the commit could not leave",
        remedy="See that the dom0s reach each other, then start the migration again, or run dom0.xen.settle for it.",
    )


def obeyed(command: t.Any, state: SourceState) -> bool:
    """Return whether the sender is where the request wanted it, whoever brought it there."""
    if command == control.GATE_START:
        return state.must_undo and not state.undo_started and state.failure is None
    if command == control.PERMIT:
        return state.commit_left
    if command == control.REFUSE:
        return state.failure is not None and not state.commit_left
    if command == control.UNDO_START:
        return state.must_undo and state.undo_started
    if command == control.UNDONE:
        return state.tasks_undone
    return command == control.OUTCOME and state.report is not None and state.owner is not words.Owner.UNSETTLED
