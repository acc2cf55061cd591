# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver: parent of ``xl migrate-receive`` on the destination (private to the collection)."""

from __future__ import annotations

import os
import selectors
import subprocess
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import LinkError, LinkLost
from ansible_collections.dom0.xen.plugins.module_utils._link.frames import Frame, Kind
from ansible_collections.dom0.xen.plugins.module_utils._link.listener import Listener
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD
from ansible_collections.dom0.xen.plugins.module_utils._procfs import peak_memory_kib
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.brought import require_files
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.number import require_free
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.destination import advance
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.destination_state import (
    DestinationState,
    expected,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.observe import observe
from ansible_collections.dom0.xen.plugins.module_utils._session.process import control
from ansible_collections.dom0.xen.plugins.module_utils._session.process.driver import Driver, Launched
from ansible_collections.dom0.xen.plugins.module_utils._session.process.loop import Source
from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.afterwards import Afterwards
from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.arrival import Arrival
from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.destination_xl import DestinationXl
from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.let_in import incoming
from ansible_collections.dom0.xen.plugins.module_utils._session.receiving.receiver_deadlines import ReceiverDeadlines
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import actions, failures, messages, words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import BannerWrong
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Phase
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.carried import of_receiver
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.entrance import Entrance
from ansible_collections.dom0.xen.plugins.module_utils._toolstack import warming
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._wire import handshake
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

REPORT_LINGER = 3600.0
# The copy runs, and says so itself by its network; looking at once would take processor time from it.
OBSERVE_RUNNING_AFTER = 2.0


class Receiver(Driver[DestinationState]):
    """Drives the destination's half of a session. Nothing reaches ``xl`` before the domain has been authorised."""

    role = "receiver"
    settings: ReceiverSettings
    # Its figures are in the sender's status, and here the guest's devices are being attached.
    quiet_interval = 10.0

    def __init__(self, settings: ReceiverSettings, certificate: str, key: str, launched: Launched) -> None:
        super().__init__(settings, DestinationState(settings.name, makes=settings.method == COLD), advance, launched)
        self._xl = Xl(subprocess_runner(), settings.xl)
        self._store = XenStore()
        self._entrance = Entrance(settings, certificate, key)
        if settings.keep_domid:
            require_free(settings.keep_domid, self._store.domids())
        self._arrival = Arrival(self._store, settings.uuid)
        self._carried = of_receiver(self.link, settings)
        self._stream = incoming(settings)
        self._after = Afterwards(settings, self._xl, self._store, self.link.send_message, self._stream.clock)
        self._process = DestinationXl(self._xl, settings, self.stderr_path)
        self._deadlines = ReceiverDeadlines(settings, self.link, self.clock)
        self._listener: Listener | None = None
        self._status: int | None = None
        self._give_back = self._exit_seen = False
        self._observe_at: float | None = None
        self._warming: subprocess.Popen[bytes] | None = None

    def figures(self) -> dict[str, t.Any]:
        """Return what the sender should know."""
        state = {"phase": self.state.phase.value, "owner": self.state.owner.value}
        return {**state, "bytes": self._process.written, "peak_memory_kib": peak_memory_kib()}

    def status(self) -> dict[str, t.Any]:
        """Return the status document."""
        document = super().status()
        document.update(bytes=self._stream.position, written_bytes=self._process.written, domid=self._arrival.domid)
        document.update(xl_status=self._status, barred=self.state.barred, waits_for_settling=self.state.barred)
        return {**document, **self._after.told, **self._carried.told, "refused_connections": self._entrance.refused}

    def _sources(self) -> list[Source]:
        sources = [
            (self._process.input, selectors.EVENT_WRITE),
            (self._process.output, selectors.EVENT_READ),
            (self._arrival.fileno(), selectors.EVENT_READ),
        ]
        if self._listener is not None:
            sources.append((self._listener.fileno(), selectors.EVENT_READ))
            sources.extend((guest.fileno(), guest.interest()) for guest in self._listener.guests)
        if self.link.connection is not None:
            sources.append((self.link.connection.fileno(), self.link.connection.interest()))
        return sources

    def _open(self) -> None:
        super()._open()
        self.note("xl_started", self._process.pid, leads=self._process.leads)

    def _turn(self, happened: dict[int, int]) -> None:
        if self._process.output in happened:
            self._read_answers()
        if self._arrival.fileno() in happened:
            self._arrival.read(self.timeline)
        coming = Phase.CONFIGURATION.order <= self.state.phase.order <= Phase.TRANSFERRED.order
        found = coming and self._arrival.search(self.clock())
        if found:
            self.note("copy", domid=self._arrival.domid)
        if coming and self.state.failure is None and self._process.prepared(found):
            self.link.send_message(messages.COPY_MADE)
        self._serve_link(happened)
        for frame in self._process.write():
            self.link.use(frame)
        self.link.acknowledge()
        self._look_at_xl()
        self._look_at_deadlines()
        if self._observe_at is not None and self.clock() >= self._observe_at:
            self._observe_at = None
            self._observe()

    def _asked(self, request: dict[str, t.Any]) -> bool:
        if request.get("command") == control.HAND_OVER:
            self.feed(words.HandOverAsked())
            return self.state.handed_over
        if request.get("command") == control.BAR:
            self.feed(words.BarAsked())
            self._telling.hurry()
            return self.state.barred
        return super()._asked(request)

    def _linger_limit(self) -> float:
        # A commit may have crossed our refusal, and the sender waits for the report without a limit. And it must hear
        # that the domain runs here before it starts it again.
        runs = self.state.report is not None and self.state.report.runs
        waits = (self.state.ready or runs) and not self.state.peer_failed
        return REPORT_LINGER if waits else super()._linger_limit()

    def _read_answers(self) -> None:
        try:
            answers = self._process.answers()
        except Dom0XenError as exc:
            self.fail(BannerWrong(exc.message, **exc.details) if self._listener is None else exc)
            return
        for answer in answers:
            if isinstance(answer, handshake.Banner):
                self._listen()
            elif isinstance(answer, handshake.Ready):
                self.mark("ready")
                self.feed(words.Ready())
            elif isinstance(answer, handshake.Status):
                self._status = answer.code
                if answer.running:
                    self.mark("running")
                    self.feed(words.Reported(words.Report(answer.code)))
            elif isinstance(answer, handshake.GiveBack):
                self._give_back = True

    def _listen(self) -> None:
        try:
            self._listener = self._entrance.open(self.link, self.clock)
        except Dom0XenError as exc:
            self.fail(exc)
            return
        self.note("banner", port=self._listener.port)
        self.launched({**self._entrance.told(), "banner_verified": True, "pid": os.getpid()})

    def _serve_link(self, happened: dict[int, int]) -> None:
        if self._listener is not None:
            if self._listener.fileno() in happened:
                self._listener.accept()
            if self._listener.progress() and self.state.phase is Phase.STARTING:
                self.feed(words.Connected())
        try:
            for frame in self.link.progress(readable=self._link_readable(happened)):
                self._receive(frame)
            self.link.tick()
        except LinkLost:
            return
        except LinkError as exc:
            self.link.detach()
            self.fail(exc)

    def _receive(self, frame: Frame) -> None:
        if frame.kind is Kind.MESSAGE:
            # A commit must not be written down for an xl that is gone.
            self._read_answers()
            self._look_at_xl()
            document = frame.document()
            if not self._carried.take(document) and not self._after.take(document):
                self.feed(messages.event(document))
            self.link.use(frame)
        elif self.state.failure is not None:
            self.link.use(frame)
        else:
            self._receive_data(frame)

    def _receive_data(self, frame: Frame) -> None:
        try:
            passed = self._stream.take(frame)
            begins = bool(passed) and self.state.phase.order < Phase.CONFIGURATION.order
            # One that is shut down has those of its file, which what stands for xl looks for.
            if begins and self._stream.config is not None and self.settings.method != COLD:
                require_files(self._stream.config, self.settings.mapped)
        except Dom0XenError as exc:
            self.fail(exc)
            return
        if begins:
            self.feed(words.HeaderAccepted())
            self._warming = warming.warm_up()
        for piece, item in passed:
            self._process.put(piece, item)
        if self.state.phase is Phase.CONFIGURATION:
            self.feed(words.Reached(Phase.STREAMING))
        if self._stream.complete:
            self.mark("stream_ended")
            self._process.hurry()
            self.feed(words.StreamEnded())

    # xl, deadlines. ---

    def _look_at_xl(self) -> None:
        if self._exit_seen:
            return
        code = self._process.exit_code()
        if code is None:
            return
        # The end of its answers is not waited for: its helper has the same stdout, and outlives an xl that was killed.
        self._read_answers()
        self._exit_seen = True
        if self._status is not None and self._status != 0:
            self.feed(words.Reported(words.Report(self._status, self._give_back)))
        failure = self._process.ended(self.stderr(), code)
        if self._listener is None:
            failure = failures.of(BannerWrong("no banner: " + failure.msg, rc=code))
        self.feed(words.XlExited(code, failure))

    def _look_at_deadlines(self) -> None:
        self._entrance.tend(self.clock(), lost=not self.link.up)
        for event in self._deadlines.passed(self.state, self._listener is not None):
            self.feed(event)
        if self._deadlines.kills(self.state, self._stream.authorised) and not self._process.kill():
            self.feed(words.XlStays())

    # Actions. ---

    def _perform(self, action: actions.Action) -> None:
        if isinstance(action, actions.Send):
            self._send(dict(action.message))
        elif isinstance(action, actions.WriteXl):
            self._process.put(action.text)
        elif isinstance(action, actions.CloseXl):
            self._deadlines.closed()
            self._process.close_input()
            self._stream.drop()
        elif isinstance(action, actions.Observe):
            if self.state.report is not None and self.state.report.runs:
                self._observe_at = self.clock() + OBSERVE_RUNNING_AFTER
            else:
                self._observe()
        elif isinstance(action, actions.KillXl):
            self._process.kill()
        elif isinstance(action, actions.DestroyCopy) and self._arrival.domid is not None:
            self._xl.destroy(self._arrival.domid)

    def _send(self, message: dict[str, t.Any]) -> None:
        if message["type"] != "ready":
            message.update(timeline=dict(self.timeline), stderr=self.stderr(), figures=self.figures())
        self.link.send_message(message)

    def _observe(self) -> None:
        self._process.slow_down()
        copy = observe(self._xl, self._arrival.is_mine, expected(self.state).__contains__)
        self._arrival.domid = self._arrival.domid if copy.domid is None else copy.domid
        self.feed(words.Observed(copy))

    def _afterwards(self) -> None:
        self._carried.finish()
        if self._listener is not None:
            self._listener.close()
        self.link.detach()
        self._after.run(self.state.owner, self._arrival.domid, lambda s: self._attend(-1, s), lambda: self._dismissed)
        self._carried.finish(lambda seconds: self._attend(-1, seconds))

    def _close(self) -> None:
        self._arrival.close()
        self._process.close()
        if left := self._entrance.close():
            self.note("ssh_key_left", why=left)
        self.link.detach()
        self._store.close()
        warming.end(self._warming)
