# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can happen next in a world: the two real machines, those that carry out their actions, both xl, and faults."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session import words
from ansible_collections.dom0.xen.plugins.module_utils._session.actions import (
    Action,
    CloseXl,
    DestroyCopy,
    Journal,
    KillXl,
    Observe,
    RenameBack,
    Send,
    StartXl,
    StopSaving,
    WriteXl,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.source_state import migrated_away
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import DESTINATION, SOURCE, Decision
from ansible_collections.dom0.xen.plugins.module_utils._wire import handshake
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import settling
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.machines import (
    BACKING_OUT,
    BINDING,
    DEADLINES,
    GATE,
    NAME,
    Machine,
    destination_machine,
    message,
    observed,
    report,
    source_machine,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.world import (
    BACK,
    DEAD,
    END,
    FINAL,
    GIVE_BACK,
    GO,
    HEADER,
    MEMORY,
    READY,
    RUNS,
    STATUS_0,
    STATUS_BAD,
    Step,
    World,
)

Steps = t.Iterator[Step]


class Violation(Exception):
    """A step that no rule allows."""


class Model:
    """The steps of a world, given the machines' transition functions."""

    def __init__(
        self,
        source_half: Machine | None = None,
        destination_half: Machine | None = None,
        *,
        strict: bool = True,
        kinds: t.Container[str] | None = None,
        decide: settling.Decide = decide,
    ) -> None:
        """``strict``: an answer that nothing bears out, or a deadline that acts after the commit, is a violation by
        itself, not only where it leads to two copies or none. ``kinds``: the faults that happen, all when ``None``.
        """
        self.strict = strict
        self._kinds = kinds
        self._decide = decide
        self.source = source_half or source_machine()
        self.destination = destination_half or destination_machine()

    def steps(self, w: World) -> Steps:
        """Yield (what happens, the world after it) for everything that can happen next, faults too."""
        yield from self._xl_source(w)
        yield from self._xl_destination(w)
        if w.sender != DEAD:
            yield from self._sender(w)
        if w.receiver != DEAD:
            yield from self._receiver(w)
        if not w.link_up and w.sender != DEAD and w.receiver != DEAD:
            yield "link comes back", w._replace(link_up=True)
        yield from self._settling(w)
        if w.faults:
            for what, after in self._faults(w):
                if self._kinds is None or what in self._kinds:
                    yield what, after._replace(faults=w.faults - 1)

    def _sender_over(self, w: World) -> bool:
        return w.sender == DEAD or self.source.states[w.sender].phase is words.Phase.ENDED

    def _receiver_over(self, w: World) -> bool:
        return w.receiver == DEAD or self.destination.states[w.receiver].phase is words.Phase.ENDED

    # xl migrate on the source. -------------------------------------------------------------------------------------

    def _xl_source(self, w: World) -> Steps:
        if w.xl_s in ("none", "dead"):
            return
        reader, room = w.sender != DEAD, len(w.stream) < 2
        if w.xl_s == "start" and room:
            yield from self._source_writes(w, HEADER, "precopy", reader)
        elif w.xl_s == "precopy" and room:
            yield from self._source_writes(w, MEMORY, "copied", reader)
        elif w.xl_s == "copied":
            yield "xl suspends the guest", w._replace(xl_s="suspended", guest="suspended")
        elif w.xl_s == "suspended" and room:
            yield from self._source_writes(w, FINAL, "final", reader)
        elif w.xl_s == "final" and room:
            yield from self._source_writes(w, END, "sent", reader)
        elif w.xl_s == "sent" and w.answers[:1] == (READY,):
            if reader:
                away = w._replace(xl_s="gone", away=True, answers=w.answers[1:], stream=(*w.stream, GO))
                yield "xl renames its copy away and gives permission", away
            else:
                yield "xl renames its copy away and cannot give permission", _s_dead(w._replace(away=True))
        elif w.xl_s == "sent" and (w.answers or not w.answers_open):
            yield "xl gets no ready and resumes the guest", _s_dead(w, guest="runs")
        elif w.xl_s == "gone" and w.answers[:1] == (RUNS,):
            yield "xl destroys its copy and exits 0", _s_dead(w, guest="gone")
        elif w.xl_s == "gone" and w.answers[:1] == (BACK,):
            yield "xl takes its copy back and resumes it", _s_dead(w, guest="runs")._replace(away=False)
        elif w.xl_s == "gone" and not w.answers_open:
            yield "xl gets no report and leaves its copy suspended", _s_dead(w)

    def _source_writes(self, w: World, token: str, then: str, reader: bool) -> Steps:
        if reader:
            yield f"xl writes {token}", w._replace(xl_s=then, stream=(*w.stream, token))
        else:
            yield f"xl cannot write {token}; the guest runs here", _s_dead(w, guest="runs")
        if not w.answers_open and w.xl_s == "start":
            yield "xl gets no banner", _s_dead(w)

    # xl migrate-receive on the destination. ---------------------------------------------------------------------------

    def _xl_destination(self, w: World) -> Steps:
        state, reader = w.xl_d, w.receiver != DEAD
        end = not w.input and not w.input_open
        if state == "boot" and w.input[:1] == (HEADER,):
            yield "destination makes a copy", w._replace(xl_d="receiving", copy="part", input=w.input[1:])
        elif state == "receiving" and w.input[:1] == (END,):
            full = w._replace(copy="full", input=w.input[1:])
            if reader:
                yield "destination says ready", full._replace(xl_d="ready", output=(*w.output, READY))
            else:
                yield "destination cannot say ready and leaves its copy", _d_dead(full)
        elif state in ("boot", "receiving") and end:
            yield "destination finds the end of its input and drops what it has", _d_dead(w, copy="none")
        elif state == "ready" and w.input[:1] == (GO,):
            yield "destination reads permission", w._replace(xl_d="cleared", input=w.input[1:])
        elif (state == "ready" and end) or (state == "cleared" and w.faults):
            cost = w.faults - (state == "cleared")
            if reader:
                bad = w._replace(xl_d="dropping", output=(*w.output, STATUS_BAD), faults=cost)
                yield "destination says that it does not start its copy", bad
            else:
                yield "destination cannot say that it failed and leaves its copy", _d_dead(w)._replace(faults=cost)
        elif state == "dropping":
            output = (*w.output, GIVE_BACK) if reader else ()
            yield "destination destroys its copy", _d_dead(w, copy="none")._replace(output=output)
        elif state == "running":
            output = (*w.output, STATUS_0) if reader else ()
            yield "destination says that it runs", _d_dead(w)._replace(output=output)
        if state == "cleared":
            yield "destination starts its copy", w._replace(xl_d="running", copy="runs", has_run=True)

    # The sender. ------------------------------------------------------------------------------------------------------

    def _sender(self, w: World) -> Steps:
        if w.sender_do:
            yield from self._sender_acts(w)
            return
        state = self.source.states[w.sender]
        if state.phase is words.Phase.ENDED:
            return
        if state.phase is words.Phase.STARTING and state.failure is None:
            both = (
                w._replace(receiver=self.destination.advance(w.receiver, "connected")[0])
                if (w.receiver != DEAD)
                else None
            )
            if both is not None and w.link_up and not w.receiver_do:
                yield "sender and receiver connect", self._tell_sender(both, "connected")
        if state.at_the_gate:
            yield "the controller begins with its tasks", self._tell_sender(w, "tasks started")
            yield "the controller permits", self._tell_sender(w, "permit")
            yield "the controller refuses", self._tell_sender(w, "failed")
            yield "the controller undoes its tasks", self._tell_sender(w, "undone")
        if w.stream:
            yield from self._sender_reads(w, state)
        if w.xl_s == "dead" and not w.exit_s_seen:
            yield "sender sees that xl ended", self._tell_sender(w._replace(exit_s_seen=True, stream=()), "exited")
        if w.back and w.link_up:
            yield f"sender gets {w.back[0]}", self._tell_sender(w._replace(back=w.back[1:]), w.back[0])
        if not w.link_up or self._receiver_over(w):
            event = "expired" if state.phase is not words.Phase.STARTING else "failed"
            yield "sender's link expires", self._tell_sender(w, event)

    def _sender_reads(self, w: World, state: t.Any) -> Steps:
        token, after = w.stream[0], w._replace(stream=w.stream[1:])
        forwards = state.failure is None
        if token == HEADER:
            seen = self._tell_sender(after, "header")
            yield "sender reads the header", seen._replace(there=(*w.there, HEADER)) if forwards else seen
        elif token == MEMORY:
            yield "sender reads memory", self._tell_sender(after, "streaming")
        elif token == FINAL:
            yield "sender reads the final round", self._tell_sender(after, "final round")
        elif token == END:
            seen = self._tell_sender(after, "stream ended")
            yield "sender reads the end", seen._replace(there=(*w.there, END)) if forwards else seen
        else:
            yield "sender holds permission", self._tell_sender(after, "permission")
            if w.faults:
                refused = self._tell_sender(
                    after._replace(faults=w.faults - 1), "permission, with something against it"
                )
                yield "sender holds permission, and something speaks against it", refused

    def _tell_sender(self, w: World, event: str) -> World:
        if w.sender_do:
            return w._replace(sender_events=(*w.sender_events, event))
        before = self.source.states[w.sender]
        number, actions = self.source.advance(w.sender, event)
        if self.strict and before.commit_left and actions and event in DEADLINES:
            raise Violation(f'after the commit request "{event}" made the sender act')
        told = w._replace(sender=number, sender_do=actions, sender_before=w.sender if actions else 0)
        return told if actions else self._sender_goes_on(told)

    def _sender_goes_on(self, w: World) -> World:
        if w.sender_do:
            return w
        if not w.sender_events:
            return w._replace(sender_before=0) if w.sender_before else w
        return self._tell_sender(w._replace(sender_events=w.sender_events[1:], sender_before=0), w.sender_events[0])

    def _sender_acts(self, w: World) -> Steps:
        action = self.source.rows[w.sender_do][0]
        rest = w._replace(sender_do=self.source.rest(w.sender_do))
        for what, after in self._sender_performs(rest, action):
            yield f"sender: {what}", self._sender_goes_on(after)
        if isinstance(action, Journal) and action.step in BINDING and w.faults:
            undone = w._replace(
                sender=w.sender_before, sender_do=0, sender_events=(*w.sender_events, "failed"), faults=w.faults - 1
            )
            yield "sender's journal fails", self._sender_goes_on(undone)

    def _sender_performs(self, w: World, action: Action) -> Steps:
        if isinstance(action, Journal):
            yield f"writes {action.step}", _noted_at_source(w, action)
        elif isinstance(action, Send):
            yield f"sends {message(action.message)}", w._replace(there=(*w.there, message(action.message)))
        elif isinstance(action, StartXl):
            yield "starts xl", w._replace(xl_s="start")
        elif isinstance(action, WriteXl):
            yield from self._sender_answers(w, action.text)
        elif isinstance(action, CloseXl):
            yield "closes the answers", w._replace(answers_open=False)
        elif isinstance(action, StopSaving):
            yield from _stop_saving(w)
        elif isinstance(action, Observe):
            yield "looks", w._replace(sender_events=(*w.sender_events, _source_copy(w)))
            if w.faults:
                events = (*w.sender_events, "cannot look")
                yield "cannot look", w._replace(sender_events=events, faults=w.faults - 1, hard=True)
        elif isinstance(action, DestroyCopy):
            if w.guest == "runs":
                raise Violation("the sender destroys a running copy")
            yield "destroys its copy", w._replace(guest="gone" if w.guest == "suspended" else w.guest)
            if w.faults:
                yield "fails to destroy its copy", w._replace(faults=w.faults - 1, hard=True)
        elif isinstance(action, RenameBack):
            yield "gives its copy its name back", w._replace(away=False)

    def _sender_answers(self, w: World, text: bytes) -> Steps:
        if text == handshake.READY:
            yield "passes ready on", w._replace(answers=(*w.answers, READY))
        elif text == handshake.success_answer():
            if self.strict and not w.has_run:
                raise Violation("xl on the source was told that the destination runs, which it does not")
            yield "tells xl that the destination runs", w._replace(answers=(*w.answers, RUNS), told="runs")
        else:
            can_run = w.has_run or w.xl_d == "cleared" or (GO in w.input and w.xl_d != "dead")
            if self.strict and can_run:
                raise Violation("xl on the source was told that the destination failed, which can still run")
            yield "tells xl that the destination failed", w._replace(answers=(*w.answers, BACK), told="back")

    # The receiver. ----------------------------------------------------------------------------------------------------

    def _receiver(self, w: World) -> Steps:
        if w.receiver_do:
            yield from self._receiver_acts(w)
            return
        state = self.destination.states[w.receiver]
        if state.phase is words.Phase.ENDED:
            return
        if w.output:
            yield from self._receiver_reads(w)
        elif w.xl_d == "dead" and not w.exit_d_seen:
            yield "receiver sees that xl ended", self._receiver_sees_exit(w)
        if w.there and w.link_up:
            yield from self._receiver_gets(w, state)
        if not w.link_up or self._sender_over(w):
            event = "expired" if state.phase is not words.Phase.STARTING else "failed"
            yield "receiver's link expires", self._tell_receiver(w, event)

    def _receiver_reads(self, w: World) -> Steps:
        token, after = w.output[0], w._replace(output=w.output[1:])
        if token == READY:
            yield "receiver reads ready", self._tell_receiver(after, "ready")
        elif token == STATUS_0:
            yield "receiver reads status 0", self._tell_receiver(after, report(words.Report(0)))
        elif token == STATUS_BAD:
            yield "receiver reads a bad status", after._replace(status=STATUS_BAD)
        else:
            yield "receiver reads that the domain is given back", after._replace(give_back=True)

    def _receiver_sees_exit(self, w: World) -> World:
        seen = w._replace(exit_d_seen=True)
        if w.status:
            seen = self._tell_receiver(seen, report(words.Report(3, w.give_back)))
        return self._tell_receiver(seen, "exited")

    def _receiver_gets(self, w: World, state: t.Any) -> Steps:
        token, after = w.there[0], w._replace(there=w.there[1:])
        if token not in (HEADER, END):
            yield f"receiver gets {token}", self._tell_receiver(after, token)
            return
        takes = state.failure is None and w.input_open
        if takes:
            event = "header" if token == HEADER else "stream ended"
            passed = self._tell_receiver(after, event)
            yield f"receiver passes {token} on", passed._replace(input=(*w.input, token))
        else:
            yield f"receiver drops {token}", after
        if takes and token == HEADER and w.faults:
            refused = self._tell_receiver(after._replace(faults=w.faults - 1), "failed")
            yield "receiver refuses the domain", refused

    def _tell_receiver(self, w: World, event: str) -> World:
        if w.receiver_do:
            return w._replace(receiver_events=(*w.receiver_events, event))
        before = self.destination.states[w.receiver]
        number, actions = self.destination.advance(w.receiver, event)
        if self.strict and before.committed and actions and event in DEADLINES:
            raise Violation(f'after the commit "{event}" made the receiver act')
        told = w._replace(receiver=number, receiver_do=actions, receiver_before=w.receiver if actions else 0)
        return told if actions else self._receiver_goes_on(told)

    def _receiver_goes_on(self, w: World) -> World:
        if w.receiver_do:
            return w
        if not w.receiver_events:
            return w._replace(receiver_before=0) if w.receiver_before else w
        rest = w._replace(receiver_events=w.receiver_events[1:], receiver_before=0)
        return self._tell_receiver(rest, w.receiver_events[0])

    def _receiver_acts(self, w: World) -> Steps:
        action = self.destination.rows[w.receiver_do][0]
        rest = w._replace(receiver_do=self.destination.rest(w.receiver_do))
        for what, after in self._receiver_performs(rest, action):
            yield f"receiver: {what}", self._receiver_goes_on(after)
        if isinstance(action, Journal) and action.step in BINDING and w.faults:
            events = (*w.receiver_events, "failed")
            undone = w._replace(receiver=w.receiver_before, receiver_do=0, receiver_events=events, faults=w.faults - 1)
            yield "receiver's journal fails", self._receiver_goes_on(undone)

    def _receiver_performs(self, w: World, action: Action) -> Steps:
        if isinstance(action, Journal):
            yield f"writes {action.step}", _noted(w, action)
        elif isinstance(action, Send):
            token = message(action.message)
            yield f"sends {token}", w._replace(back=(*w.back, token))
        elif isinstance(action, WriteXl):
            yield "lets the permission through", w._replace(input=(*w.input, GO)) if w.input_open else w
        elif isinstance(action, CloseXl):
            yield "closes xl's input", w._replace(input_open=False)
        elif isinstance(action, KillXl):
            yield "kills xl", _d_dead(w)
        elif isinstance(action, Observe):
            copy = _destination_copy(w)
            yield "looks", w._replace(receiver_events=(*w.receiver_events, copy))
            if w.faults:
                events = (*w.receiver_events, "cannot look")
                yield "cannot look", w._replace(receiver_events=events, faults=w.faults - 1, hard=True)
        elif isinstance(action, DestroyCopy):
            if w.copy == "runs":
                raise Violation("the receiver destroys a running copy")
            yield "destroys its copy", w._replace(copy="none")
            if w.faults:
                yield "fails to destroy its copy", w._replace(faults=w.faults - 1, hard=True)

    # Settling, by nothing but what is on the disks and what is seen. -------------------------------------------------

    def settled(self, w: World) -> Decision:
        """Return what the collection decides when it looks at both hosts now."""
        barred = w.receiver != DEAD and self.destination.states[w.receiver].barred
        return settling.decision(w, self._sender_over(w), self._receiver_over(w), barred, self._decide)

    def _settling(self, w: World) -> Steps:
        sender_over, receiver_over = self._sender_over(w), self._receiver_over(w)
        if not (sender_over or receiver_over) or w.sender_do or w.receiver_do:
            return
        made = self.settled(w)
        try:
            after = settling.act(w, made, self._tell_sender, self._tell_receiver, report, sender_over)
        except settling.Unsafe as exc:
            raise Violation("settling gives up a complete copy before the source's has proven good") from exc
        if after != w:
            yield "settling: " + (f"{made.step.verb} at the {made.step.side}" if made.step else made.next), after

    # Faults. --------------------------------------------------------------------------------------------------------

    def _faults(self, w: World) -> Steps:
        if w.xl_s not in ("none", "dead"):
            yield "xl on the source is killed", _s_dead(w)._replace(hard=True)
            if w.xl_s in ("start", "precopy", "copied"):
                yield "xl on the source gives up", _s_dead(w)
            elif w.xl_s in ("suspended", "final", "sent"):
                yield "xl on the source fails and resumes the guest", _s_dead(w, guest="runs")
        if w.xl_d != "dead":
            yield "xl on the destination is killed", _d_dead(w)._replace(hard=True)
            if w.xl_d == "dropping":
                yield "xl on the destination is killed after it destroyed its copy", _d_dead(w, copy="none")
            if w.xl_d in ("boot", "receiving"):
                yield "xl on the destination cannot make the copy", _d_dead(w, copy="none")
        if w.copy == "runs":
            yield "the guest ends on the destination", w._replace(copy="none", hard=True)
        if w.sender != DEAD:
            yield "the sender is killed", _sender_dead(w)
            if w.there:
                yield "the sender is killed before all has left", _sender_dead(w)._replace(link_up=False)
            if not w.sender_do and self.source.states[w.sender].phase is not words.Phase.ENDED:
                yield "the sender is cancelled", self._tell_sender(w, "cancelled")
        if w.receiver != DEAD:
            yield "the receiver is killed", _receiver_dead(w)
            if w.back:
                yield "the receiver is killed before all has left", _receiver_dead(w)._replace(link_up=False)
            if not w.receiver_do and self.destination.states[w.receiver].phase is not words.Phase.ENDED:
                yield "the receiver is cancelled", self._tell_receiver(w, "cancelled")
        if w.link_up and w.sender != DEAD and w.receiver != DEAD:
            yield "the link breaks", w._replace(link_up=False)
        if not w.silent:
            yield "the source does not answer", w._replace(silent=SOURCE, hard=True)
            yield "the destination does not answer", w._replace(silent=DESTINATION, hard=True)
        if w.sender != DEAD or w.guest in ("runs", "suspended"):
            dark = _sender_dead(_s_dead(w, guest="lost"))
            # What was not waited for may not have come to the disk.
            held = "" if dark.held == "noted" else dark.held
            yield "the source loses power", dark._replace(link_up=False, held=held)
        if w.receiver != DEAD or w.copy != "none":
            dark = _receiver_dead(_d_dead(w))
            noted = dark.noted - {"transferred", "ready"}
            yield "the destination loses power", dark._replace(copy="none", back=(), noted=noted)


def _noted_at_source(w: World, record: Journal) -> World:
    step = record.step
    if step in GATE:
        tasks = {"gate_tasks_started": "started", "gate_undone": "undone"}.get(step, w.tasks)
        held = "disk" if record.durable else w.held or "noted"
        return w._replace(tasks=tasks, held=held, backed_out=w.backed_out or step == "gate_undone")
    if step in BINDING:
        return w._replace(asked_on_disk=True, tasks="")
    return w._replace(backed_out=w.backed_out or step in BACKING_OUT)


def _noted(w: World, record: Journal) -> World:
    if record.step == "not_started":
        return w._replace(noted_status=bool(record.details.get("status")))
    return w._replace(noted=w.noted | {record.step}, commit_on_disk=w.commit_on_disk or record.step in BINDING)


def _source_copy(w: World) -> str:
    states = {"runs": words.CopyState.RUNNING, "suspended": words.CopyState.SUSPENDED, "gone": words.CopyState.ABSENT}
    return observed(states[w.guest], migrated_away(NAME) if w.away else NAME)


def _destination_copy(w: World) -> str:
    if w.copy == "none":
        return observed(words.CopyState.ABSENT, NAME)
    return observed(words.CopyState.RUNNING if w.copy == "runs" else words.CopyState.PAUSED, NAME)


def _stop_saving(w: World) -> Steps:
    if w.xl_s in ("precopy", "copied"):
        yield "stops the save helper", _s_dead(w)
    elif w.xl_s in ("suspended", "final"):
        yield "stops the save helper late", _s_dead(w, guest="runs")
    yield "finds no save helper", w


def _s_dead(w: World, guest: str | None = None) -> World:
    return w._replace(xl_s="dead", guest=w.guest if guest is None else guest, answers=())


def _d_dead(w: World, copy: str | None = None) -> World:
    return w._replace(xl_d="dead", copy=w.copy if copy is None else copy, input=())


def _sender_dead(w: World) -> World:
    return w._replace(
        sender=DEAD, sender_do=0, sender_events=(), sender_before=0, answers_open=False, stream=(), back=(), hard=True
    )


def _receiver_dead(w: World) -> World:
    return w._replace(
        receiver=DEAD,
        receiver_do=0,
        receiver_events=(),
        receiver_before=0,
        input_open=False,
        output=(),
        there=(),
        hard=True,
    )
