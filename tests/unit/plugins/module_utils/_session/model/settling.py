# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settling in the model: the real decision, from nothing but what is on the disks and what is seen, and its steps."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, MIGRATED_AWAY
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.destination_state import DestinationState
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.sender_status import waits_for_settling
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling import evidence as seen
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import Decision
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import History, Side
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import NOBODY, Copy, Others
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.machines import NAME
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.world import GONE, STILL, World

GUEST = {
    "runs": seen.RUNNING,
    "suspended": seen.SUSPENDED,
    "paused": seen.PAUSED,
    "gone": seen.ABSENT,
    "lost": seen.ABSENT,
    "down": seen.ABSENT,
    "taken": seen.ABSENT,
}
COPY = {
    "none": seen.ABSENT,
    "part": seen.PAUSED,
    "full": seen.PAUSED,
    "left": seen.PAUSED,
    "ran": seen.PAUSED,
    "runs": seen.RUNNING,
}

THIRD = "third"
_BEFORE, _SINCE = "boot-1", "boot-2"
_THERE = Others(copies=(Copy("xen3", 3, NAME, seen.RUNNING),))

# The record of whoever settles for a sender that is gone.
_SETTLED = "gate_undone by settling"
# And of a sender that has ended, and has watched for the guest since.
FELL = "the guest went down late"
QUIET = "nothing came of it"

Tell = t.Callable[[World, str], World]
Decide = t.Callable[[Side, Side, Others], Decision]
Short = t.Callable[[words.Report], str]


class Unsafe(Exception):
    """A step that is wrong if what it rests on has changed since the look."""


@functools.cache
def sent(steps: tuple[str, ...]) -> History:
    """Return what the source's journal says."""
    opened = {"step": "opened", "details": {"boot_id": _BEFORE}}
    return seen.read_history([opened, *(_record(step) for step in steps)])


def _record(step: str) -> dict[str, t.Any]:
    if step.startswith("ended by "):
        return {"step": "ended", "details": {"owner": step.rpartition(" ")[2]}}
    if step == FELL:
        return {"step": "late_shutdown", "details": {"end": seen.LATE_DOWN}}
    if step == QUIET:
        return {"step": "late_shutdown", "details": {"end": "quiet"}}
    if step == _SETTLED:
        return {"step": "gate_undone", "details": {"by": "a settler"}}
    return {"step": step, "details": {"gate": seen.CONTROLLER}}


def decision(
    w: World, sender: SourceState | None, receiver: DestinationState | None, decide: Decide = decide
) -> Decision:
    """Return what the collection decides when it looks at both hosts now; ``None``: that process is over."""
    linked = w.link_up and sender is not None and receiver is not None
    records: list[dict[str, t.Any]] = [{"step": "opened", "details": {seen.LEAVE_PAUSED: w.leaves}}]
    records += [{"step": step} for step in w.noted]
    if w.noted_status:
        records.append({"step": "not_started", "details": {"status": 3}})
    history, past = seen.read_history(records), sent(w.sent)
    phantom = w.guest in GONE and past.restartable
    # As _session/settling/side.py has it.
    still = phantom or (w.guest == "paused" and past.pauses)
    source = Side(
        "xen1",
        known=True,
        boot_id=_SINCE if w.dark else _BEFORE,
        phantom=phantom,
        alive=sender is not None,
        linked=linked,
        waits=sender is not None and waits_for_settling(sender, late=w.late or not w.link_up),
        xl_alive=w.xl_s not in ("none", "dead"),
        copy=seen.SUSPENDED if still else GUEST[w.guest],
        domid=1,
        name=NAME + MIGRATED_AWAY if w.away else NAME,
        history=past,
    )
    destination = Side(
        "xen2",
        known=True,
        alive=receiver is not None,
        linked=linked,
        barred=receiver is not None and receiver.barred,
        xl_alive=w.xl_d != "dead",
        copy=seen.RUNNING if w.third == "beside" else COPY[w.copy],
        domid=2,
        name=NAME if w.copy in ("left", "runs") or w.third == "beside" else NAME + INCOMING,
        ran=w.has_run and w.copy in ("ran", "runs"),
        history=history,
    )
    if w.silent == to.SOURCE:
        source = Side("xen1", reachable=False)
    elif w.silent == to.DESTINATION:
        destination = Side("xen2", reachable=False)
    beside = Others(unseen=("xen3",)) if w.silent == THIRD else NOBODY
    return decide(source, destination, _THERE if w.third == "runs" and w.silent != THIRD else beside)


def act(w: World, made: Decision, tell_sender: Tell, tell_receiver: Tell, report: Short, sender_over: bool) -> World:
    """Return the world after the decision's step, which one host takes by itself.

    Raises :class:`Unsafe` for giving up a complete copy while the source's is suspended and nothing was committed: the
    source may have lost its power since it was looked at. For giving up one that has run, which nobody but a person may
    do. And for giving up the source's when it runs, or when the
    destination's was not to be started, and is gone: it may have been the last that is good.
    """
    step = made.step
    drops = step is not None and step.side == to.DESTINATION and step.verb in (to.CANCEL, to.DESTROY)
    if drops and w.copy == "full" and w.guest in STILL and not w.commit_on_disk:
        raise Unsafe("complete copy before the source's has proven good")
    if drops and w.copy == "ran":
        raise Unsafe("copy that somebody has run")
    ends = step is not None and step.side == to.SOURCE and (step.verb == to.DESTROY or step.status == 0)
    if ends and w.guest == "runs":
        raise Unsafe("copy that runs")
    if ends and w.leaves and w.copy == "none":
        raise Unsafe("copy that may be the last one that is good")
    if made.next == to.UNDO:
        if sender_over:
            return w.wrote(_SETTLED if w.undoing else "gate_undo_started")
        return tell_sender(w, "undone" if w.undoing else "undo started")
    if made.next == to.TASKS:
        return w.wrote("gate_tasks_done")
    if step is None:
        return w
    if step.verb == to.CANCEL:
        return (tell_sender if step.side == to.SOURCE else tell_receiver)(w, "cancelled")
    if step.verb == to.OUTCOME:
        failed = bool(step.status)
        return tell_sender(w, report(words.Report(step.status, give_back=failed, copy_gone=failed)))
    if step.verb == to.BAR:
        return tell_receiver(w, "bar")
    if step.verb == to.HAND_OVER:
        return tell_receiver(w, "hand over")
    if step.verb == to.DESTROY:
        return w.wrote("destroy")._replace(guest="gone") if step.side == to.SOURCE else w._replace(copy="none")
    if step.verb == to.RESUME:
        return w.wrote("resume")._replace(guest="runs", away=False)
    if step.verb == to.RENAME_BACK:
        return w._replace(away=False)
    copy = "left" if w.leaves else "runs"
    return w._replace(copy=copy, has_run=True, noted=w.noted | {"commit", "running"}, commit_on_disk=True)
