# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A decision about an interrupted session: the next step, the end, or what a person has to choose between (pure)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import ABSENT, Side
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import Copy

SOURCE = "source"
DESTINATION = "destination"
UNSETTLED = "unsettled"
# An owner that has no part in the session, and how that ends then.
ELSEWHERE = "elsewhere"

# End states.
MOVED = "moved"
STAYED = "stayed"
DOWN = "down"
RUNNING_TWICE = "running_twice"

# What is next: a step, another look, a look at all other dom0s, watching the session, the caller's tasks at the gate or
# those that undo them, nothing, a person's choice.
ACT = "act"
WAIT = "wait"
ASK = "ask"
WATCH = "watch"
TASKS = "tasks"
UNDO = "undo"
DONE = "done"
HUMAN = "human"

# Verbs of a step.
BAR = "bar"
CANCEL = "cancel"
OUTCOME = "outcome"
HAND_OVER = "hand_over"
DESTROY = "destroy"
RESUME = "resume"
RENAME_BACK = "rename_back"
ROLL_FORWARD = "roll_forward"

# Why a person has to decide.
BOTH_HAVE_IT = "both_have_it"
RAN_UNASKED = "ran_unasked"
RAN_PERHAPS = "ran_perhaps"
RESUMED_PERHAPS = "resumed_perhaps"
STARTED_PERHAPS = "started_perhaps"
HALF_MADE = "half_made"
PUT_ELSEWHERE = "put_elsewhere"
SOURCE_SILENT = "source_silent"
DESTINATION_SILENT = "destination_silent"
BOTH_SILENT = "both_silent"
ORDER_UNKNOWN = "order_unknown"
NO_RECORD = "no_record"

COMMAND = _commands.playbook("settle", "-e domain=NAME")
"""What settles again; the inventory and the domain's name are put in where they are known."""


@dataclass(frozen=True)
class Step(Record):
    """One act on one side; ``status`` is what an outcome tells the sender (0: it runs there)."""

    side: str
    verb: str
    status: int | None = None


@dataclass(frozen=True)
class Decision(Record):
    """What is next (``next``), whose copy counts, and why. ``choices`` are the commands a person may choose from."""

    RECORDS = {"step": Step}

    next: str
    owner: str
    end_state: str
    reason: str
    step: Step | None = None
    known: tuple[str, ...] = ()
    unknown: str = ""
    choices: tuple[str, ...] = ()


def step(source: Side, destination: Side, act: Step, reason: str) -> Decision:
    """Return a decision to act."""
    return Decision(ACT, UNSETTLED, UNSETTLED, reason, act, known(source, destination))


def wait(source: Side, destination: Side, reason: str) -> Decision:
    """Return a decision to look again."""
    return Decision(WAIT, UNSETTLED, UNSETTLED, reason, None, known(source, destination))


def ask(source: Side, destination: Side) -> Decision:
    """Return a decision to look at all dom0s."""
    reason = "What comes next depends on whether the domain is on another dom0."
    return Decision(ASK, UNSETTLED, UNSETTLED, reason, None, known(source, destination))


_UNDER_WAY = "The session is under way; dom0.xen.migrate watches it to its end."


def watch(source: Side, destination: Side, reason: str = _UNDER_WAY) -> Decision:
    """Return that there is nothing to settle yet."""
    return Decision(WATCH, UNSETTLED, UNSETTLED, reason, None, known(source, destination))


def settled(source: Side, destination: Side, owner: str, end_state: str, reason: str) -> Decision:
    """Return the end."""
    return Decision(DONE, owner, end_state, reason, None, known(source, destination))


def undo(source: Side, destination: Side) -> Decision:
    """Return that the source may run the domain once the caller's tasks at the gate are undone."""
    reason = "The tasks at the gate were started; they must be undone before the source may run the domain."
    again = settle(source, destination)
    choices = (
        f"{again} -e migrate_gate_undo_tasks=/ABSOLUTE/PATH  # undoes them and resumes it on {source.host}",
        f"{again} -e settle_undone=true  # you have undone them on {source.host} by hand",
    )
    return Decision(UNDO, UNSETTLED, UNSETTLED, reason, None, known(source, destination), "", choices)


def tasks(source: Side, destination: Side) -> Decision:
    """Return that the destination may run the domain once the caller's tasks at the gate have been run to their end."""
    reason = (
        "The tasks at the gate are not known to have been run to their end, or they were undone; "
        "they must be run before the destination may run the domain."
    )
    again = settle(source, destination)
    choices = (
        f"{again} -e migrate_gate_tasks=/ABSOLUTE/PATH  # runs them and starts the domain on {destination.host}",
        f"{again} -e settle_done=true  # you have done by hand what they do, for {destination.host}, or there are none",
    )
    return Decision(TASKS, UNSETTLED, UNSETTLED, reason, None, known(source, destination), "", choices)


def alarm(source: Side, destination: Side, *others: Copy) -> Decision:
    """Return that the domain runs more than once; ``others`` run where the session has no part."""
    seen: tuple[Side | Copy, ...] = (source, destination, *others)
    pause = [f"{each.host}: xl pause {each.domid}{_and_more(each)}" for each in seen if each.runs]
    return Decision(
        HUMAN,
        UNSETTLED,
        RUNNING_TWICE,
        "The domain runs more than once. Pause its copies at once, then find out which one counts.",
        None,
        known(source, destination),
        "Which copy has the good disk state.",
        tuple(pause),
    )


def _and_more(each: Side | Copy) -> str:
    more = each.others if isinstance(each, Side) else 0
    return f", and {more} more of its UUID that run there (xl list -v)" if more else ""


def settle(source: Side, destination: Side) -> str:
    """Return the command that settles again, with what a person has vouched for so far."""
    gone = [side.host for side in (source, destination) if side.gone]
    ran = next((side.vouched_ran for side in (source, destination) if side.vouched_ran is not None), None)
    words = f" -e settle_gone={','.join(gone)}" if gone else ""
    return COMMAND + words + ("" if ran is None else f" -e settle_ran={'yes' if ran else 'no'}")


def known(source: Side, destination: Side) -> tuple[str, ...]:
    """Return what is known of both hosts, in sentences."""
    return (_side(SOURCE, source), _side(DESTINATION, destination))


def _side(role: str, side: Side) -> str:
    where = f"{role} {side.host}"
    if side.gone:
        return f"{where}: off for good, as you said."
    if not side.reachable:
        return f"{where}: could not be looked at: {side.trouble}." if side.trouble else f"{where}: does not answer."
    copy = "no copy" if side.copy == ABSENT else f"copy {side.name} (domid {side.domid}) is {side.copy}"
    if side.phantom:
        copy = f"{side.name} was asked to shut down for the move, is not there, and can be started again from its file"
    told = [word for word, true in _told(side) if true]
    process = "its process runs" if side.alive else "no process of the session"
    process += "".join(f", {each.command} as process {each.pid}" for each in side.left)
    restarted = ", restarted since" if side.rebooted else ""
    return f"{where}{restarted}: {copy}; {process}; on record: {', '.join(told) or 'nothing'}."


def _told(side: Side) -> t.Iterator[tuple[str, bool]]:
    past = side.history
    yield "commit requested", past.asked
    yield "refused", past.refused
    yield "gate tasks not undone", past.tasks_open
    yield "ready", past.ready
    yield "commit", past.committed
    yield "running", past.running
    yield f"not started (status {past.status})", bool(past.status)
    yield "to be left paused", past.leave_paused
