# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sender: runs ``xl migrate`` on the source and carries its stream to the receiver (private to the collection)."""

from __future__ import annotations

import os
import selectors
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkError, LinkLost, Unreachable
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Kind
from ansible_collections.dom0.xen.plugins.module_utils._session.budget.keeper import StopKeeper
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source import advance
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_outcome import reopened
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.gate import gate
from ansible_collections.dom0.xen.plugins.module_utils._session.gate.guard import READY_POLL_S, Guard
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.stop_time import SourceWatch
from ansible_collections.dom0.xen.plugins.module_utils._session.process import asker
from ansible_collections.dom0.xen.plugins.module_utils._session.process.driver import Driver, Launched
from ansible_collections.dom0.xen.plugins.module_utils._session.process.loop import Source
from ansible_collections.dom0.xen.plugins.module_utils._session.sending import sender_status
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.gathering import Gathering
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.leave import Leave
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.sender_deadlines import SenderDeadlines
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.source_copy import SourceCopy
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.source_xl import SourceXl
from ansible_collections.dom0.xen.plugins.module_utils._session.stream.stream import Authorised, Outgoing
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import actions, failures, messages, words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import SUSPENDED, Failure, Phase
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.carried import Carried
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.departure import dialer, equip
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import LATE_DISMISSED
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._transports import SSH
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import BANNER
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore


class Sender(Driver[SourceState]):
    """Drives the source's half of a session. ``xl``'s transport child hands its descriptors to this process."""

    role = "sender"
    settings: SenderSettings

    def __init__(self, settings: SenderSettings, certificate: str, key: str, launched: Launched) -> None:
        first = SourceState(
            settings.name, gate_held=settings.gate_held, pauses=settings.pauses, shuts_down=settings.shuts_down
        )
        super().__init__(settings, first, advance, launched)
        asker.offer(settings.runtime_folder)
        self._telling.invite(settings.progress_interval)
        self._xl = Xl(subprocess_runner(), settings.xl)
        self._process = SourceXl(self._xl, settings, self.stderr_path)
        self._dialer = dialer(settings, certificate, key, self.link, self.clock)
        self._carried = Carried(self.link, settings.planned_interface, sends=True)
        self._store = XenStore()
        self._copy = SourceCopy(self._xl, self._store, settings)
        self._guard = Guard(settings, self._store, send=self.link.send_message)
        self._deadlines = SenderDeadlines(settings, self.link, self.clock)
        self._watch: SourceWatch | None = None
        self._keeper = StopKeeper(settings, self.link, self.clock)
        authorised = Authorised(settings.uuid, settings.name)
        self._stream = Outgoing(authorised, settings.destination_features, settings.most_shown)
        self._leave = Leave(self._process, self._stream, self._keeper, self.link)
        self._gathering = Gathering(self.clock)
        self._xl_started = self._exit_seen = self._watches = self._watched = False
        self._peer: dict[str, t.Any] = {}

    def status(self) -> dict[str, t.Any]:
        """Return the status document."""
        document = super().status()
        started = self.timeline.get("stream", self.started)
        document.update(self._stream.figures(self.clock(), self.settings.memory_kib, started))
        document.update(transport=self.settings.transport, **self._carried.told)
        seen = (self._peer, self.link.offset, self._deadlines.late(self.state), time.time() - self.clock())
        document.update(sender_status.document(self.state, self.timeline, *seen))
        # Where it is killed meanwhile, or told to end, nobody knows any more that the domain runs here.
        over = self.state.phase is Phase.ENDED and not self._watched
        document.update(watches=over and self._copy.watches(self.state, self.timeline, document["stderr"]))
        document.update(peer={**self.link.peer_figures, **self._peer}, belongings=self._guard.told)
        rehearsed = document["total_ms"] if self.settings.rehearse else None
        return {**document, "stop_prediction": self._keeper.told(document["stop_ms"], rehearsed)}

    def _sources(self) -> list[Source]:
        watch = self._watch.fileno() if self._watch is not None else -1
        sources = [(each, selectors.EVENT_READ) for each in (*self._process.filenos, watch)]
        if self.link.connection is not None:
            sources.append((self.link.connection.fileno(), self.link.connection.interest()))
        elif self._dialer.fileno() >= 0:
            sources.append((self._dialer.fileno(), self._dialer.interest()))
        if self._may_read():
            sources.append((self._process.stream, selectors.EVENT_READ))
        return sources

    def _wait(self) -> float:
        if self._wants_gate():
            return READY_POLL_S
        waits = (0.5, self._dialer.wait(), self.link.pause or None, self._gathering.wait)
        return min(wait for wait in waits if wait is not None)

    def _may_read(self) -> bool:
        taken = self.state.failure is not None or not self.link.full
        return self._gathering.may_read(taken and self._process.stream >= 0 and not self._leave.unguarded)

    def _turn(self, happened: dict[int, int]) -> None:
        self._serve_link(happened)
        self._keeper.look(self._stream, self.state.phase.order > Phase.STREAMING.order)
        if self._process.listener in happened:
            self._process.accept()
            self._process.write(BANNER) if self.state.failure is None else self._process.close_answers()
        if self._watch is not None and self._watch.fileno() in happened:
            self._watch.read(self.timeline)
            if SUSPENDED in self.timeline:
                self.link.open_window()
            if "suspend_requested" in self.timeline and self.state.phase.order <= Phase.STREAMING.order:
                self.feed(words.Reached(Phase.SUSPENDING))
        if self._process.stream in happened and self._may_read():
            self._read_stream()
        if (answered := self._leave.look(self.state)) is not None:
            self.feed(answered)
        self._guard.tend(self.state, self._copy.domid, idle=not happened)
        self._look_at_gate()
        self._look_at_xl()
        for event in self._deadlines.passed(self.state, self.timeline, self._stream.position):
            self.feed(event)

    def _wants_gate(self) -> bool:
        # While the link is down the request could not leave, and without it the way back stays open.
        return self._stream.permission_read and self.link.up and not self.state.permission_held

    def _look_at_gate(self) -> None:
        if self._wants_gate():
            # What is waited for from here on is what the gate adds.
            self.mark("permission_held")
            if self._guard.ready(self._copy.domid):
                self.feed(words.Permission(self._evidence()))

    def _evidence(self) -> Failure | None:
        return self._copy.against(self._process.exit_code()) or self._guard.evidence(self._copy.domid)

    def _asked(self, request: dict[str, t.Any]) -> bool:
        # While it watches for a late suspend nothing is left to be given up.
        event = None if self._watches else gate.event(request, self.state, self.link.up, self._evidence)
        if event is None:
            self._untaken = None if self._watches else gate.unheard(request, self.state, self.link)
            return not self._watches and super()._asked(request)
        self.feed(event)
        return gate.obeyed(request.get("command"), self.state)

    def _waits(self) -> bool:
        late = self._deadlines.late(self.state)
        return super()._waits() or self.state.at_the_gate or sender_status.waits_for_settling(self.state, late)

    def _serve_link(self, happened: dict[int, int]) -> None:
        try:
            if not self.link.up:
                if self._dialer.progress():
                    self._came_up()
                return
            for frame in self.link.progress(readable=self._link_readable(happened)):
                if frame.kind is Kind.DATA:
                    raise LinkError("the receiver sent stream data")
                document = frame.document()
                self._peer.update(sender_status.of_peer(document))
                self.link.peer_figures = self._peer.pop("figures", self.link.peer_figures)
                if not self._guard.take(document):
                    self.feed(messages.event(document))
                self.link.use(frame)
            self.link.acknowledge()
            self.link.tick()
        except LinkLost:
            return
        except Unreachable as exc:
            if self.state.phase is Phase.STARTING and self.clock() - self.started > self.settings.connect_timeout:
                self.fail(exc)
        except LinkError as exc:
            self.link.detach()
            self.fail(exc)

    def _came_up(self) -> None:
        if self.settings.transport == SSH:
            self._carried.tell()
        if self.state.phase is Phase.STARTING:
            equip(self.link, self.settings)
            self.feed(words.Connected())

    def _read_stream(self) -> None:
        data = self._process.read()
        if not data:
            if data is not None and self.state.phase.order < Phase.TRANSFERRED.order:
                self._process.close_answers()
            return
        self._gathering.begin(len(data), live=self.state.phase is Phase.STREAMING)
        self.mark("stream")
        try:
            part = self._stream.take(data, self.clock())
        except Dom0XenError as exc:
            self.fail(exc)
            return
        if part is not None and self.state.failure is None:
            if self.state.phase.order < Phase.CONFIGURATION.order:
                self.feed(words.HeaderAccepted())
            self.link.send_data(t.cast("bytes", part))
        self._follow_phase()

    def _follow_phase(self) -> None:
        reached = self._stream.next_phase(self.state.phase, SUSPENDED in self.timeline)
        if reached is not None and not (self._leave.awaited and reached is Phase.SUSPENDING):
            self.feed(words.Reached(reached))
        if self._stream.complete and self.state.phase.order < Phase.TRANSFERRED.order:
            self.mark("stream_ended")
            self._copy.complete()
            self.feed(words.StreamEnded())

    # xl. ---

    def _look_at_xl(self) -> None:
        if not self._xl_started or self._exit_seen:
            return
        if "suspend_requested" not in self.timeline:
            # Once the guest was asked to suspend, the helper is left alone.
            self._process.stop_saving_if_wanted(self.clock())
        code = self._process.exit_code()
        if code is None:
            return
        self._process.ended("suspend_requested" in self.timeline)
        self._exit_seen = True
        self.mark("xl_exited")
        self.feed(words.XlExited(code, self._copy.ended(self.stderr(), code)))

    # Actions. ---

    def _perform(self, action: actions.Action) -> None:
        if isinstance(action, actions.StartXl):
            self._start_xl()
        elif isinstance(action, actions.Send):
            self.link.send_message(action.message)
        elif isinstance(action, actions.WriteXl):
            self._guard.stand_still(self.state)
            self._process.write(action.text)
            if self.state.answered:
                # It was the last word; the shim may go, for which xl waits in some of its ways out.
                self._process.close_answers()
        elif isinstance(action, actions.CloseXl):
            self._process.close_answers()
        elif isinstance(action, actions.KillXl) and not self._process.kill(action.making):
            self.feed(words.XlStays())
        elif isinstance(action, actions.StopSaving):
            self._process.want_stop()
        elif isinstance(action, actions.Observe):
            self.feed(words.Observed(self._copy.observe(self.state.owner)))
        elif isinstance(action, actions.DestroyCopy):
            self._xl.destroy(self._copy.domid)
        elif isinstance(action, actions.RenameBack):
            self._xl.rename(self._copy.domid, self.settings.name)
        elif isinstance(action, actions.GoOn):
            self._copy.go_on()

    def _start_xl(self) -> None:
        try:
            domid = self._copy.find()
            self._keeper.begin()
            if not self.settings.shuts_down:
                self._watch = SourceWatch(domid)
            self.mark("xl_started")
            self._process.start(domid)
            self.note("xl_started", self._process.pid, domid=domid, leads=self._process.leads)
        except Dom0XenError as exc:
            self.feed(words.XlExited(-1, failures.of(exc)))
            return
        self._xl_started = True
        self.launched({"admitted": True, "pid": os.getpid(), "domid": domid})

    def _afterwards(self) -> None:
        self._carried.finish()
        look = (self.state, self.timeline, self.stderr(), self._attend, lambda: self._dismissed)
        for step, outcome, failure in self._copy.follow(*look):
            self._watches, self._watched = True, outcome.get("end", LATE_DISMISSED) != LATE_DISMISSED
            if outcome:
                self.note(step, durable=True, **outcome)
            if failure is not None:
                self.state = reopened(self.state, failure)
        self._carried.finish(lambda seconds: self._attend(-1, seconds))

    def _close(self) -> None:
        if left := self._guard.end(self.state.owner):
            self.note("autostart_left", files=left)
        if self._watch is not None:
            self._watch.close()
        self._process.close()
        self.link.detach()
        self._dialer.end()
        self._store.close()
