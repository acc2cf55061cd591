# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session's daemon does whatever its role: feed the machine, carry out actions, tell how far it is.

Private to the collection. The machine decides, this carries out: an action that must be on the disk before it has
consequences is waited for, and when it does not get there the decision is taken back.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import sys
import time
import typing as t
from collections import deque

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._link.link import Link
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.machine import Machine, StateT, told
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.journal import Journal as JournalFile
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.journal import give_up_reserve, with_reserve
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.telling import Telling
from ansible_collections.dom0.xen.plugins.module_utils._session.process.control import CANCEL, Control
from ansible_collections.dom0.xen.plugins.module_utils._session.process.inhibitor import Inhibitor
from ansible_collections.dom0.xen.plugins.module_utils._session.process.loop import Loop, Source
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import (
    Action,
    End,
    Journal,
    Observe,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import Settings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import (
    CancelAsked,
    Copy,
    CopyState,
    Event,
    Failed,
    Failure,
    Observed,
    Owner,
    Phase,
)
from ansible_collections.dom0.xen.plugins.module_utils._xenstore import vm_path

DELIVERY_LIMIT = 5.0

Launched = t.Callable[[t.Mapping[str, t.Any]], None]


class Driver(t.Generic[StateT]):
    """One side of a session. Subclasses perform the actions and feed events from :meth:`_turn`."""

    role = ""
    # How old, in seconds, the status may get while the guest stands still.
    quiet_interval = 5.0

    def __init__(self, settings: Settings, state: StateT, machine: Machine[StateT], launched: Launched) -> None:
        self.settings = settings
        self.state = state
        self._machine = machine
        self._launched = launched
        self._launch_told = False
        self._dismissed = False
        self.clock: t.Callable[[], float] = time.monotonic
        self.started = self.clock()
        self.loop = Loop()
        self.link = Link(self.clock, self.figures)
        self._journal = JournalFile(settings.journal_folder, settings.runtime_folder)
        self._journal.reserve()
        self._control = Control(settings.runtime_folder)
        self._inhibitor = Inhibitor(settings.name)
        self._events: deque[Event] = deque()
        self._untaken: Failure | None = None
        self._telling = Telling(settings.runtime_folder, self.quiet_interval, self.clock)
        self._vm_nodes = vm_path.remembered(settings.uuid)
        self.timeline: dict[str, float] = {}

    # To be provided by the roles. ---

    def figures(self) -> dict[str, t.Any]:
        """Return what the peer should know of this side."""
        return {}

    def _sources(self) -> list[Source]:
        raise NotImplementedError

    def _turn(self, happened: dict[int, int]) -> None:
        raise NotImplementedError

    def _perform(self, action: Action) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError

    def _asked(self, request: dict[str, t.Any]) -> bool:
        """Do what a request of :mod:`control` wants; return whether it was accepted."""
        if request.get("command") != CANCEL:
            return False
        before = self.state.failure
        self._cancel()
        return self.state.failure is not before or self.state.phase is Phase.ENDED

    def _cancel(self) -> None:
        # After its end the session only waits for its last word to be taken. Whoever cancels reads it from the disk.
        self._dismissed = True
        self.feed(CancelAsked())

    def _afterwards(self) -> None:
        """See to what may still come of the session after its end."""

    def _waits(self) -> bool:
        """Whether nothing goes on before the link is up again, or the controller has spoken."""
        return not self.link.up

    def _wait(self) -> float:
        """Return how long the loop may sleep, in seconds."""
        return 0.5

    def _linger_limit(self) -> float:
        """Return how long to wait for the peer to take the last message, in seconds."""
        return DELIVERY_LIMIT if self.link.up else 0.0

    # The course of things. ---

    def run(self) -> None:
        """Go through the session to its end. Never raises for what the machine has an answer to."""
        try:
            self._open()
            while self.state.phase is not Phase.ENDED:
                self._step()
            self.link.over = True
            deadline = self.clock() + self._linger_limit()
            while not self.link.delivered and self.clock() < deadline and (self.link.up or not self._dismissed):
                self._step()
            self._dismissed = False
            self._afterwards()
        finally:
            self._close()
            vm_path.brought_back(self.settings.uuid, self._vm_nodes)
            self._finish()

    def feed(self, event: Event) -> None:
        """Give the machine an event and carry out what it answers."""
        self._events.append(event)
        if len(self._events) > 1:
            return
        while self._events:
            self._handle(self._events[0])
            self._events.popleft()

    def fail(self, error: Dom0XenError) -> None:
        """Feed an error that happened on this side."""
        self.feed(Failed(failures.of(error)))

    def mark(self, moment: str) -> None:
        """Note when something happened first, in seconds of the monotonic clock."""
        self.timeline.setdefault(moment, self.clock())

    def note(self, step: str, pid: int | None = None, durable: bool = False, **details: t.Any) -> None:
        """Put on record what settling needs to find its way, such as a process; waited for only if ``durable``."""
        if pid is not None:
            details.update(pid=pid, started=_procfs.start_time(pid))
        with contextlib.suppress(OSError):
            self._journal.write(step, details, durable=durable)

    def launched(self, document: t.Mapping[str, t.Any]) -> None:
        """Tell the launcher, once, how the start went."""
        if not self._launch_told:
            self._launch_told = True
            self._launched(document)

    def stderr(self) -> list[str]:
        """Return the last lines of this side's ``xl``."""
        return documents.last_lines(self.stderr_path)

    @property
    def stderr_path(self) -> str:
        """Where this side's ``xl`` writes its messages."""
        return os.path.join(self.settings.journal_folder, documents.XL_STDERR)

    def status(self) -> dict[str, t.Any]:
        """Return the status document."""
        failure = self.state.failure
        return {
            "format": 1,
            "session": self.settings.session,
            "role": self.role,
            "pid": os.getpid(),
            "sequence": self._telling.sequence,
            "domain": {"uuid": self.settings.uuid, "name": self.settings.name},
            "phase": self.state.phase.value,
            "owner": self.state.owner.value,
            "end_state": self.state.end_state.value if self.state.end_state else None,
            "error": failure.to_result(self.role) if failure else None,
            "elapsed_ms": int((self.clock() - self.started) * 1000),
            "peak_memory_kib": _procfs.peak_memory_kib(),
            "link": {"up": self.link.up, "losses": self.link.losses},
            "stderr": self.stderr(),
            "shutdown_inhibitor": self._inhibitor.state,
            **self.settings.told(),
        }

    def _open(self) -> None:
        # A journal may be all that is left: it has to say by itself what it is about.
        boot_id, peer = _procfs.boot_id(), self.settings.peer_host
        who = {**self.settings.who(), "role": self.role}
        # An empty journal would say nothing after a power loss, not even that nothing was committed.
        self.note("opened", os.getpid(), durable=True, **who, boot_id=boot_id, peer_host=peer)

    def _link_readable(self, happened: t.Mapping[int, int]) -> bool:
        connection = self.link.connection
        return connection is not None and bool(happened.get(connection.fileno(), 0) & selectors.EVENT_READ)

    def _step(self) -> None:
        control = [(fd, selectors.EVENT_READ) for fd in self._control.filenos()]
        happened = self.loop.wait([*self._sources(), *control], self._wait())
        if self.loop.terminate:
            # While the last word is waited for it is meant for what comes after that, too.
            self.loop.terminate = self.state.phase is Phase.ENDED
            self._cancel()
        self._control.serve(happened, self._answer)
        self._turn(happened)
        # What is left is this host's own affair; a peer that is ready sooner takes nothing away by going.
        self.link.over = self.state.owner is Owner.DESTINATION and self.link.delivered
        self._tell(idle=not happened)

    def _attend(self, fd: int, seconds: float) -> None:
        """Wait for a descriptor, for at most so long, and answer those who speak with the session meanwhile."""
        sources = [(each, selectors.EVENT_READ) for each in (fd, *self._control.filenos())]
        happened = self.loop.wait(sources, seconds)
        self._dismissed = self._dismissed or self.loop.terminate
        self._control.serve(happened, self._answer)

    def _answer(self, request: dict[str, t.Any]) -> dict[str, t.Any]:
        self._untaken = None
        accepted = self._asked(request)
        return told(self.state, self.role, accepted, self._untaken)

    def _handle(self, event: Event) -> None:
        before = self.state
        self.state, actions = self._machine(self.state, event)
        for action in actions:
            try:
                self._carry_out(action)
            except (OSError, Dom0XenError) as exc:
                if isinstance(action, Journal) and action.binding:
                    self.state, self._untaken = before, failures.journal(exc)
                    self._events.append(Failed(self._untaken))
                    return
                # What could not be done shows when the hypervisor is looked at, which always comes last.
                self._note(action, exc)
                if isinstance(action, Observe):
                    self._events.append(Observed(Copy(CopyState.UNKNOWN)))
        if self.state.failure is not None:
            # Whoever started this need not wait until everything is tidied up.
            self.launched({"error": self.state.failure.to_result(self.role)})

    def _note(self, action: Action, exc: Exception) -> None:
        with contextlib.suppress(OSError):
            self._journal.write("action_failed", {"action": type(action).__name__, "msg": str(exc)}, durable=False)

    def _carry_out(self, action: Action) -> None:
        if isinstance(action, Journal):
            self._journal.write(action.step, action.details, action.durable)
            self.mark("journal_" + action.step)
        elif isinstance(action, End):
            self._tell(idle=True)
        else:
            self._perform(action)

    def _tell(self, idle: bool) -> None:
        self._telling.tell(self.state.phase, idle=idle, waits=self._waits(), document=self.status)

    def _finish(self) -> None:
        self._telling.sequence += 1
        status = self.status()
        folder, cause = self.settings.journal_folder, sys.exc_info()[1]
        self.launched({"error": status["error"] or failures.ended_at_once(cause, folder).to_result(self.role)})
        try:
            with_reserve(folder, lambda: documents.write(os.path.join(folder, documents.RESULT), status, durable=True))
        except OSError:
            # Without the result on disk the status in memory is all there is to read: leave it.
            self._telling.write(status)
        else:
            shutil.rmtree(self.settings.runtime_folder, ignore_errors=True)
        self._telling.close()
        self._control.close()
        self._inhibitor.release()
        self._journal.close()
        give_up_reserve(folder)
        self.loop.close()
