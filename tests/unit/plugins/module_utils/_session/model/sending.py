# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sender of the model does next: its machine, and those that carry out its actions."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import migrated_away
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import (
    Action,
    CloseXl,
    DestroyCopy,
    GoOn,
    Journal,
    KillXl,
    Observe,
    RenameBack,
    Send,
    StartXl,
    StopSaving,
    WriteXl,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.messages import COPY_MADE_TEXT
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import ENGINE
from ansible_collections.dom0.xen.plugins.module_utils._wire import handshake
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.both_xl import Steps, stop_saving
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.deaths import xl_source_dead
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.halves import Halves, Violation
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.machines import (
    DEADLINES,
    NAME,
    message,
    observed,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.world import (
    BACK,
    COPY_MADE,
    DEAD,
    END,
    FINAL,
    GO,
    GONE,
    HEADER,
    MEMORY,
    READY,
    RUNS,
    STILL,
    World,
)


class Sending:
    """The steps of the sender."""

    def __init__(self, halves: Halves) -> None:
        self._halves = halves

    def steps(self, w: World) -> Steps:
        """Yield (what happens, the world after it) for what the sender can do next."""
        if w.sender_do:
            yield from self._acts(w)
            return
        state = self._halves.source.states[w.sender]
        if state.phase is words.Phase.ENDED:
            return
        if state.phase is words.Phase.STARTING and state.failure is None:
            both = (
                w._replace(receiver=self._halves.destination.advance(w.receiver, "connected")[0])
                if (w.receiver != DEAD)
                else None
            )
            if both is not None and w.link_up and not w.receiver_do:
                yield "sender and receiver connect", self.tell(both, "connected")
        if state.at_the_gate:
            yield "the controller begins with its tasks", self.tell(w, "tasks started")
            yield "the controller permits", self.tell(w, "permit")
            yield "the controller refuses", self.tell(w, "failed")
        if state.must_undo and w.sender != DEAD:
            yield "the controller begins to undo its tasks", self.tell(w, "undo started")
            if state.undo_started:
                yield "the controller has undone its tasks", self.tell(w, "undone")
        if w.stream:
            yield from self._reads(w, state)
        if w.xl_s == "dead" and not w.exit_s_seen:
            yield "sender sees that xl ended", self.tell(w._replace(exit_s_seen=True, stream=()), "exited")
        if w.back and w.link_up:
            yield f"sender gets {w.back[0]}", self.tell(w._replace(back=w.back[1:]), w.back[0])
        # A receiver that has seen one beside its own stays until that is heard (receiver.py REPORT_LINGER).
        stays = w.third == "beside" and w.link_up and (w.back or w.receiver_do)
        if not w.link_up or (self._halves.receiver_over(w) and not stays):
            event = "expired" if state.phase is not words.Phase.STARTING else "failed"
            yield "sender's link expires", self.tell(w, event)

    def _reads(self, w: World, state: t.Any) -> Steps:
        token, after = w.stream[0], w._replace(stream=w.stream[1:])
        forwards = state.failure is None
        if token == HEADER:
            seen = self.tell(after, "header")
            yield "sender reads the header", seen._replace(there=(*w.there, HEADER)) if forwards else seen
        elif token == MEMORY:
            yield "sender reads memory", self.tell(after, "streaming")
        elif token == FINAL:
            yield "sender reads the final round", self.tell(after, "final round")
        elif token == END:
            seen = self.tell(after, "stream ended")
            yield "sender reads the end", seen._replace(there=(*w.there, END)) if forwards else seen
        else:
            yield "sender holds permission", self.tell(after, "permission")
            if w.faults:
                refused = self.tell(after._replace(faults=w.faults - 1), "permission, with something against it")
                yield "sender holds permission, and something speaks against it", refused

    def tell(self, w: World, event: str) -> World:
        """Return the world after the sender's machine has been given an event."""
        if w.sender_do:
            return w._replace(sender_events=(*w.sender_events, event))
        before = self._halves.source.states[w.sender]
        number, actions = self._halves.source.advance(w.sender, event)
        if self._halves.strict and not before.never_runs_there and actions and event in DEADLINES:
            raise Violation(f'after the commit request "{event}" made the sender act')
        told = w._replace(sender=number, sender_do=actions, sender_before=w.sender if actions else 0)
        return told if actions else self._goes_on(told)

    def _goes_on(self, w: World) -> World:
        if w.sender_do:
            return w
        if not w.sender_events:
            return w._replace(sender_before=0) if w.sender_before else w
        return self.tell(w._replace(sender_events=w.sender_events[1:], sender_before=0), w.sender_events[0])

    def _acts(self, w: World) -> Steps:
        action = self._halves.source.rows[w.sender_do][0]
        rest = w._replace(sender_do=self._halves.source.rest(w.sender_do))
        for what, after in self._performs(rest, action):
            yield f"sender: {what}", self._goes_on(after)
        if isinstance(action, Journal) and action.binding and w.faults:
            undone = w._replace(
                sender=w.sender_before, sender_do=0, sender_events=(*w.sender_events, "failed"), faults=w.faults - 1
            )
            yield "sender's journal fails", self._goes_on(undone)

    def _performs(self, w: World, action: Action) -> Steps:
        if isinstance(action, Journal):
            yield f"writes {action.step}", _noted(w, action)
        elif isinstance(action, Send):
            yield f"sends {message(action.message)}", w._replace(there=(*w.there, message(action.message)))
        elif isinstance(action, StartXl):
            yield "starts xl", w._replace(xl_s="start")
        elif isinstance(action, WriteXl):
            yield from self._answers(w, action.text)
        elif isinstance(action, CloseXl):
            yield "closes the answers", w._replace(answers_open=False)
        elif isinstance(action, KillXl):
            if w.cold and w.guest == "down" and not action.making:
                yield "leaves xl, which makes the domain", w._replace(sender_events=(*w.sender_events, "xl stays"))
            yield "kills xl", xl_source_dead(w)
        elif isinstance(action, StopSaving):
            yield from stop_saving(w)
        elif isinstance(action, Observe):
            yield "looks", w._replace(sender_events=(*w.sender_events, _source_copy(w)))
            if w.faults:
                events = (*w.sender_events, "cannot look")
                yield "cannot look", w._replace(sender_events=events, faults=w.faults - 1, hard=True)
        elif isinstance(action, DestroyCopy):
            if w.guest == "runs":
                raise Violation("the sender destroys a running copy")
            yield "destroys its copy", w._replace(guest="gone" if w.guest in STILL else w.guest)
            if w.faults:
                yield "fails to destroy its copy", w._replace(faults=w.faults - 1, hard=True)
        elif isinstance(action, RenameBack):
            yield "gives its copy its name back", w._replace(away=False)
        elif isinstance(action, GoOn):
            yield "lets its copy go on", w._replace(guest="runs" if w.guest in ("paused", *GONE) else w.guest)
            if w.faults:
                yield "cannot let its copy go on", w._replace(faults=w.faults - 1, hard=True)

    def _answers(self, w: World, text: bytes) -> Steps:
        if text == COPY_MADE_TEXT:
            yield "says that the destination's copy is made", w._replace(answers=(*w.answers, COPY_MADE))
        elif text == handshake.READY:
            yield "passes ready on", w._replace(answers=(*w.answers, READY))
        elif text == handshake.success_answer():
            if self._halves.strict and not w.has_run:
                raise Violation("xl on the source was told that the destination runs, which it does not")
            yield "tells xl that the destination runs", w._replace(answers=(*w.answers, RUNS), told="runs")
        else:
            can_run = w.has_run or w.xl_d == "cleared" or (GO in w.input and w.xl_d != "dead")
            if self._halves.strict and can_run:
                raise Violation("xl on the source was told that the destination failed, which can still run")
            yield "tells xl that the destination failed", w._replace(answers=(*w.answers, BACK), told="back")


def _noted(w: World, record: Journal) -> World:
    if record.step == "ended":
        return w.wrote(f"ended by {record.details['owner']}")
    # Held by the engine it is on record only with what spoke against it.
    by_engine = record.step == "permission_held" and record.details["gate"] == ENGINE
    return w if by_engine else w.wrote(record.step)


def _source_copy(w: World) -> str:
    states = {
        "runs": words.CopyState.RUNNING,
        "suspended": words.CopyState.SUSPENDED,
        "paused": words.CopyState.PAUSED,
        "gone": words.CopyState.ABSENT,
        "down": words.CopyState.ABSENT,
        "taken": words.CopyState.TAKEN,
    }
    return observed(states[w.guest], migrated_away(NAME) if w.away else NAME)
