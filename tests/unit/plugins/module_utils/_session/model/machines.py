# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two real machines, made fast enough for a search: states by number, every answer remembered."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding import (
    destination,
    destination_state,
    source,
    source_state,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import messages, words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import Action, Actions, End, Journal

NAME = "guest"
FAILURE = words.Failure("something", "something went wrong")

# Events by a short name, which is also what is on its way over the link.
EVENTS: dict[str, words.Event] = {
    "connected": words.Connected(),
    "header": words.HeaderAccepted(),
    "streaming": words.Reached(words.Phase.STREAMING),
    "final round": words.Reached(words.Phase.FINAL_ROUND),
    "stream ended": words.StreamEnded(),
    "copy made": words.CopyMade(),
    "ready": words.Ready(),
    "permission": words.Permission(),
    "permission, with something against it": words.Permission(FAILURE),
    "commit": words.CommitAsked(),
    "failed": words.Failed(FAILURE),
    "peer failed": words.Failed(FAILURE, by_peer=True),
    "expired": words.LinkExpired(FAILURE),
    "stalled": words.Stalled(FAILURE),
    "cancelled": words.CancelAsked(),
    "hand over": words.HandOverAsked(),
    "bar": words.BarAsked(),
    "tasks started": words.GateTasksStarted(),
    "permit": words.Permit(),
    "undo started": words.GateUndoStarted(),
    "undone": words.GateUndone(),
    "exited": words.XlExited(1, FAILURE),
    "xl stays": words.XlStays(),
    "cannot look": words.Observed(words.Copy(words.CopyState.UNKNOWN)),
}
# What must not make a process act once the commit has left it, or has reached it.
DEADLINES = ("failed", "peer failed", "expired", "stalled", "cancelled", "xl stays")


def report(outcome: words.Report) -> str:
    """The short name of a report, as an event and as a message."""
    name = f"report: status {outcome.status}, given back {outcome.give_back}, gone {outcome.copy_gone}"
    EVENTS.setdefault(name, words.Reported(outcome))
    return name


def observed(state: words.CopyState, name: str) -> str:
    """The short name of a look at a copy."""
    short = f"sees {name} {state.value}"
    EVENTS.setdefault(short, words.Observed(words.Copy(state, name, 1)))
    return short


def message(document: t.Mapping[str, t.Any]) -> str:
    """The short name of the event that a message means to the peer."""
    event = messages.event(dict(document))
    if isinstance(event, words.Reported):
        return report(event.report)
    names: dict[type, str] = {words.CommitAsked: "commit", words.Ready: "ready", words.Failed: "peer failed"}
    return names[type(event)]


State = t.Any
Advance = t.Callable[[State, words.Event], tuple[State, Actions]]

# What a process does for itself has no part in who owns the domain. These records do, and settling goes by the others.
BINDING = ("commit", "commit_requested", "shutting_down", "suspending")
BACKING_OUT = ("refused", "reported_returned", "go_on", "ended")
GATE = ("gate_tasks_started", "waits_for_undo", "gate_undo_started", "gate_undone", "permission_held")
TOLD = ("transferred", "ready", "running", "not_started")


class Machine:
    """A machine whose states, events and rows of actions are numbered.

    State 0 is the first, row 0 is empty. The texts of failures are left out of the states.
    """

    def __init__(self, first: State, advance: Advance) -> None:
        self._advance = advance
        self._answers: dict[tuple[int, str], tuple[int, int]] = {}
        self._rests: dict[int, int] = {0: 0}
        self.states: list[State] = []
        self.rows: list[Actions] = [()]
        self._number(first)

    def advance(self, number: int, event: str) -> tuple[int, int]:
        """Return the numbers of the next state and of the actions that matter."""
        key = (number, event)
        found = self._answers.get(key)
        if found is None:
            state, actions = self._advance(self.states[number], EVENTS[event])
            found = self._answers[key] = (self._number(state), self._row(tuple(filter(_matters, actions))))
        return found

    def rest(self, row: int) -> int:
        """Return the number of a row without its first action."""
        found = self._rests.get(row)
        if found is None:
            found = self._rests[row] = self._row(self.rows[row][1:])
        return found

    def _row(self, actions: Actions) -> int:
        if actions in self.rows:
            return self.rows.index(actions)
        self.rows.append(actions)
        return len(self.rows) - 1

    def _number(self, state: State) -> int:
        if state.failure is not None:
            state = replace(state, failure=FAILURE)
        for number, known in enumerate(self.states):
            if known == state:
                return number
        self.states.append(state)
        return len(self.states) - 1


def _matters(action: Action) -> bool:
    return not isinstance(action, End) and not (
        isinstance(action, Journal) and action.step not in (*BINDING, *BACKING_OUT, *GATE, *TOLD)
    )


def source_machine(
    advance: Advance = source.advance, gate_held: bool = False, pauses: bool = False, shuts_down: bool = False
) -> Machine:
    """The source's half; ``gate_held`` by the controller, ``pauses`` with ``suspend``, ``shuts_down`` with ``cold``."""
    first = source_state.SourceState(NAME, gate_held=gate_held, pauses=pauses, shuts_down=shuts_down)
    return Machine(first, advance)


def destination_machine(advance: Advance = destination.advance, makes: bool = False) -> Machine:
    """The destination's half; ``makes`` its domain with ``cold``."""
    return Machine(destination_state.DestinationState(NAME, makes=makes), advance)
