# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the receiver of the model does next: its machine, and those that carry out its actions."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import (
    Action,
    CloseXl,
    DestroyCopy,
    Journal,
    KillXl,
    Observe,
    Send,
    WriteXl,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.both_xl import Steps
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.deaths import xl_destination_dead
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.halves import Halves, Violation
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.machines import (
    BINDING,
    DEADLINES,
    NAME,
    message,
    observed,
    report,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.model.world import (
    COPY_MADE,
    END,
    GO,
    HEADER,
    READY,
    STATUS_0,
    STATUS_BAD,
    World,
)


class Receiving:
    """The steps of the receiver."""

    def __init__(self, halves: Halves) -> None:
        self._halves = halves

    def steps(self, w: World) -> Steps:
        """Yield (what happens, the world after it) for what the receiver can do next."""
        if w.receiver_do:
            yield from self._acts(w)
            return
        state = self._halves.destination.states[w.receiver]
        if state.phase is words.Phase.ENDED:
            return
        if w.output:
            yield from self._reads(w)
        elif w.xl_d == "dead" and not w.exit_d_seen:
            yield "receiver sees that xl ended", self._sees_exit(w)
        if w.there and w.link_up:
            yield from self._gets(w, state)
        if ((w.saves and w.copy != "none") or (w.cold and w.xl_d == "prepared")) and not w.copy_told:
            yield "receiver tells that the copy is made", w._replace(copy_told=True, back=(*w.back, COPY_MADE))
        if w.cold and not w.input_open and w.xl_d == "receiving" and w.faults:
            late = w._replace(faults=w.faults - 1)
            yield "receiver leaves xl, which makes the domain", self.tell(late, "xl stays")
        if not w.link_up or self._halves.sender_over(w):
            event = "expired" if state.phase is not words.Phase.STARTING else "failed"
            yield "receiver's link expires", self.tell(w, event)

    def _reads(self, w: World) -> Steps:
        token, after = w.output[0], w._replace(output=w.output[1:])
        if token == READY:
            yield "receiver reads ready", self.tell(after, "ready")
        elif token == STATUS_0:
            yield "receiver reads status 0", self.tell(after, report(words.Report(0)))
        elif token == STATUS_BAD:
            yield "receiver reads a bad status", after._replace(status=STATUS_BAD)
        else:
            yield "receiver reads that the domain is given back", after._replace(give_back=True)

    def _sees_exit(self, w: World) -> World:
        seen = w._replace(exit_d_seen=True)
        if w.status:
            seen = self.tell(seen, report(words.Report(3, w.give_back)))
        return self.tell(seen, "exited")

    def _gets(self, w: World, state: t.Any) -> Steps:
        token, after = w.there[0], w._replace(there=w.there[1:])
        if token not in (HEADER, END):
            yield f"receiver gets {token}", self.tell(after, token)
            return
        takes = state.failure is None and w.input_open
        if takes:
            event = "header" if token == HEADER else "stream ended"
            passed = self.tell(after, event)
            yield f"receiver passes {token} on", passed._replace(input=(*w.input, token))
        else:
            yield f"receiver drops {token}", after
        if takes and token == HEADER and w.faults:
            refused = self.tell(after._replace(faults=w.faults - 1), "failed")
            yield "receiver refuses the domain", refused

    def tell(self, w: World, event: str) -> World:
        """Return the world after the receiver's machine has been given an event."""
        if w.receiver_do:
            return w._replace(receiver_events=(*w.receiver_events, event))
        before = self._halves.destination.states[w.receiver]
        number, actions = self._halves.destination.advance(w.receiver, event)
        if self._halves.strict and before.committed and actions and event in DEADLINES:
            raise Violation(f'after the commit "{event}" made the receiver act')
        told = w._replace(receiver=number, receiver_do=actions, receiver_before=w.receiver if actions else 0)
        return told if actions else self._goes_on(told)

    def _goes_on(self, w: World) -> World:
        if w.receiver_do:
            return w
        if not w.receiver_events:
            return w._replace(receiver_before=0) if w.receiver_before else w
        rest = w._replace(receiver_events=w.receiver_events[1:], receiver_before=0)
        return self.tell(rest, w.receiver_events[0])

    def _acts(self, w: World) -> Steps:
        action = self._halves.destination.rows[w.receiver_do][0]
        rest = w._replace(receiver_do=self._halves.destination.rest(w.receiver_do))
        for what, after in self._performs(rest, action):
            yield f"receiver: {what}", self._goes_on(after)
        if isinstance(action, Journal) and action.binding and w.faults:
            events = (*w.receiver_events, "failed")
            undone = w._replace(receiver=w.receiver_before, receiver_do=0, receiver_events=events, faults=w.faults - 1)
            yield "receiver's journal fails", self._goes_on(undone)

    def _performs(self, w: World, action: Action) -> Steps:
        if isinstance(action, Journal):
            yield f"writes {action.step}", _noted(w, action)
        elif isinstance(action, Send):
            token = message(action.message)
            yield f"sends {token}", w._replace(back=(*w.back, token))
        elif isinstance(action, WriteXl):
            yield "lets the permission through", w._replace(input=(*w.input, GO)) if w.input_open else w
        elif isinstance(action, CloseXl):
            state = self._halves.destination.states[w.receiver]
            if state.peer_failed and state.ready and w.guest == "suspended" and w.xl_s != "dead":
                raise Violation("the receiver gives up a complete copy before the source's has proven good")
            yield "closes xl's input", w._replace(input_open=False)
        elif isinstance(action, KillXl):
            yield "kills xl", xl_destination_dead(w)
        elif isinstance(action, Observe):
            copy = _destination_copy(w)
            yield "looks", w._replace(receiver_events=(*w.receiver_events, copy))
            if w.faults:
                events = (*w.receiver_events, "cannot look")
                yield "cannot look", w._replace(receiver_events=events, faults=w.faults - 1, hard=True)
        elif isinstance(action, DestroyCopy):
            if w.copy in ("left", "runs"):
                raise Violation("the receiver destroys a running copy")
            yield "destroys its copy", w._replace(copy="none")
            if w.faults:
                yield "fails to destroy its copy", w._replace(faults=w.faults - 1, hard=True)


def _noted(w: World, record: Journal) -> World:
    if record.step == "not_started":
        return w._replace(noted_status=bool(record.details.get("status")))
    return w._replace(noted=w.noted | {record.step}, commit_on_disk=w.commit_on_disk or record.step in BINDING)


def _destination_copy(w: World) -> str:
    if w.third == "beside":
        return observed(words.CopyState.RUNNING, NAME)
    if w.copy == "none":
        return observed(words.CopyState.ABSENT, NAME)
    return observed(words.CopyState.RUNNING if w.copy == "runs" else words.CopyState.PAUSED, NAME)
