# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the permission, where the receiver and its xl are gone (pure; private to the collection)."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import Decision, Step
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    ABSENT,
    PAUSED,
    RUNNING,
    SHUT_DOWN,
    Side,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.questions import human

RUNS, RETURNED = "runs", "returned"


def outcome(source: Side, destination: Side) -> Decision | str:
    """Say what became of the permission, the receiver and its xl being gone, or what must be done to know it."""
    past, copy = destination.history, destination.copy
    # A copy that was not to be started, and is gone, may have had the last good state in it, or may have been started.
    unseen = past.leave_paused and copy == ABSENT
    if source.history.asked and not destination.known:
        # Its journal, which would say whether it committed, is lost.
        return RUNS if copy == RUNNING else _vouched(source, destination)
    if not past.committed:
        if destination.has_run:
            # Once the other is gone there is nothing left to choose between.
            return RUNS if source.copy == ABSENT else human(source, destination, to.RAN_UNASKED)
        return RETURNED
    if copy == RUNNING or (past.running and not unseen):
        return RUNS
    if past.status:
        if copy == ABSENT:
            return RETURNED
        if copy == PAUSED and not destination.ran:
            reason = "The destination could not start its copy."
            return to.step(source, destination, Step(to.DESTINATION, to.DESTROY), reason)
        return _vouched(source, destination)
    if destination.half_destroyed:
        reason = "The destination did not start its copy, and has begun to destroy it."
        return to.step(source, destination, Step(to.DESTINATION, to.DESTROY), reason)
    if copy == PAUSED:
        reason = "The destination has the permission, and its copy has not been started."
        return to.step(source, destination, Step(to.DESTINATION, to.ROLL_FORWARD), reason)
    if copy == ABSENT and past.said_started != past.said_destroying and not (unseen and past.said_started):
        return RUNS if past.said_started else RETURNED
    return _vouched(source, destination)


def for_sender(source: Side, destination: Side) -> Decision | str:
    """Say the same for a sender that waits to be told, by which its copy is destroyed or goes on.

    Once the commit was asked for that copy stands still, unless somebody has let it go on, or has started one. Then
    neither is another started nor this one given up, whatever is on record.
    """
    known = outcome(source, destination)
    if not source.history.asked or source.copy not in (RUNNING, PAUSED, SHUT_DOWN):
        return known
    drops = isinstance(known, Decision) and known.step is not None and known.step.verb == to.DESTROY
    if known == RETURNED or drops:
        return known
    if destination.copy == ABSENT:
        if destination.vouched_ran is False:
            return RETURNED
        if source.copy == SHUT_DOWN:
            return known
    return human(source, destination, to.BOTH_HAVE_IT)


def _vouched(source: Side, destination: Side) -> Decision | str:
    if destination.vouched_ran is None:
        return human(source, destination, to.RAN_PERHAPS)
    return RUNS if destination.vouched_ran else RETURNED


def why(known: str) -> str:
    """Say what became of it."""
    if known == RUNS:
        return "The destination runs it, or has."
    return "The destination cannot have run it, and never will."
