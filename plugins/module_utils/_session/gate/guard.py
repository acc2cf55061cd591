# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the source sees to while it sends, beside the stream: others at work, the next boot, the disks, and what goes
with the domain (private to the collection).

All of it is done while memory flows or while the destination attaches devices, so that the gate has only to ask.
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts import hands
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, session_folder
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings import belongings
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.autostart import Autostart
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.leaving import Leaving
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.gate import disks
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.portrait import Portrait
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import failures
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure, Owner, Phase
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

# How old, in seconds, a look may be when the commit is asked for, and when an idle moment is used for a new one.
LOOK_AGE = 1.0
_LOOK_AGAIN = 0.4
# Between two questions whether the disks are at rest, in seconds, while the permission waits for that.
READY_POLL_S = 0.002


def _nobody(message: t.Mapping[str, t.Any]) -> None:
    """Tell nobody."""


class Guard:
    """One session's. A move within one host leaves the files as they are: the domain stays on that host.

    ``send`` sends a message to the destination.
    """

    def __init__(
        self,
        settings: SenderSettings,
        store: XenStore,
        clock: t.Callable[[], float] = time.monotonic,
        send: t.Callable[[t.Mapping[str, t.Any]], None] = _nobody,
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._send = send
        other = session_folder(os.path.dirname(settings.runtime_folder), settings.session, RECEIVER)
        away = not os.path.isdir(other)
        self._autostart = Autostart(settings.journal_folder, settings.session) if away else None
        who = (settings.journal_folder, settings.session, settings.uuid, settings.name)
        self._leaving = Leaving(*who) if away and settings.follow_config else None
        self._portrait = Portrait(Xl(subprocess_runner(), settings.xl), store) if settings.liveness else None
        self._prepared = False
        self._looked_at: float | None = None
        self._against: Failure | None = None
        self._rest: disks.Rest | None = None
        self._unseen: Failure | None = None

    def tend(self, state: SourceState, domid: int, idle: bool) -> None:
        """Do what there is to do in this state; ``idle`` when there is nothing else.

        From the moment on when the guest may stand still no process is started. Where the move has failed only what is
        on its way is told.
        """
        self.stand_still(state)
        if state.failure is None and state.phase in (Phase.CONFIGURATION, Phase.STREAMING):
            self.prepare(domid)
        if state.failure is None and state.phase is Phase.TRANSFERRED:
            # Both are to be over when the destination is ready, however soon that is.
            self.ready(domid)
            if idle:
                self.look(domid, _LOOK_AGAIN)
        portrait = self._portrait.take() if self._portrait is not None else None
        if portrait is not None:
            self._send(portrait)

    def stand_still(self, state: SourceState) -> None:
        """Start no process any more if the guest stands still, or is about to.

        Before it is asked to, where it is we who ask: one that is paused for the move does so while its stream flows.
        """
        # One that is shut down is looked at by other processes all the time.
        if self._portrait is not None and state.stands_still and not state.shuts_down:
            self._portrait.stop()

    def prepare(self, domid: int) -> None:
        """While memory flows: find the disks, and what would start the domain at the next boot."""
        if self._prepared:
            return
        self._prepared = True
        self._find_disks(domid)
        if self._portrait is not None:
            self._send(self._portrait.begin(domid))
        if self._leaving is not None:
            # Before anything is set aside.
            with contextlib.suppress(OSError):
                given = self._settings.described_by or self._leaving.apart(self._settings.config_path)
                self._send(self._leaving.gather(given).to_message())
        if self._autostart is not None:
            # What speaks against it is told at the gate.
            with contextlib.suppress(Dom0XenError):
                self._autostart.prepare(self._settings.uuid, self._settings.name)

    def take(self, message: t.Mapping[str, t.Any]) -> bool:
        """Take a message of the destination if it is about this; return whether it is. Raises FrameError."""
        if message.get("type") != belongings.SEEN:
            return False
        state = belongings.read_seen(message)
        if self._leaving is not None:
            self._leaving.answered(state)
        return True

    @property
    def told(self) -> dict[str, t.Any] | None:
        """What the result says of the files that go with the domain; None where none do."""
        return self._leaving.told if self._leaving is not None else None

    def ready(self, domid: int) -> bool:
        """Once the guest stands still: whether its disks were seen at rest, or waited for long enough; never waits."""
        self._find_disks(domid)
        if self._rest is None:
            return True
        self._rest.begin()
        return self._rest.over

    def _find_disks(self, domid: int) -> None:
        if self._rest is None:
            try:
                self._rest = disks.Rest(disks.written(self._store, domid))
            except Dom0XenError as exc:
                self._unseen = failures.of(exc)

    def look(self, domid: int, age: float = LOOK_AGE) -> None:
        """Once the guest stands still: set that aside, and look for others at work on the domain.

        Not again while the last look is no older than ``age`` seconds.
        """
        if self._looked_at is not None and self._clock() - self._looked_at <= age:
            return
        self._looked_at, self._against = self._clock(), None
        try:
            if self._autostart is not None:
                self._autostart.set_aside(self._settings.uuid, self._settings.name)
        except Dom0XenError as exc:
            self._against = failures.of(exc)
            return
        try:
            hand = hands.hand_on(domid, self._settings.name, (os.getpid(),))
        except OSError as exc:
            self._against = Failure(
                "foreign_hand",
                f"whether somebody else works on the domain cannot be seen: {exc}",
                remedy="See that the source dom0 has descriptors and memory left, then run the migration again.",
            )
            return
        if hand is not None:
            self._against = Failure(
                "foreign_hand",
                f"process {hand.pid}, {hand.command}, works on the domain",
                remedy="Wait until it has ended, then run the migration again.",
                details={"pid": hand.pid, "command": hand.command},
            )

    def evidence(self, domid: int) -> Failure | None:
        """Return what speaks against asking for the commit.

        Minutes may have passed since the stream's end, whoever holds the gate, so that an old look is made again.
        """
        self.look(domid)
        self.ready(domid)
        return self._against or (self._rest.against() if self._rest is not None else self._unseen)

    def end(self, owner: Owner) -> tuple[str, ...]:
        """Put the autostart back if the domain stayed, and never again if it moved; settling does what is unsettled.

        Returns what could not be put back, since something new lies in its place or for another reason.
        """
        if self._autostart is None or owner is Owner.UNSETTLED:
            return ()
        if self._leaving is not None:
            self._leaving.drop() if owner is Owner.SOURCE else self._leaving.finish()
        try:
            if owner is Owner.SOURCE:
                return tuple(left.path for left in self._autostart.put_back())
            self._autostart.finish()
        except Dom0XenError as exc:
            return (exc.message,)
        return ()
