# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking whether a domain is down for good, and starting it again from its configuration (private to the collection).

``xl create`` leaves a process that handles the domain's end: it destroys the domain, and with on_reboot="restart"
makes it anew (tools/xl/xl_vmcontrol.c create_domain, handle_domain_death). For a moment then no domain is there, though
it comes back. So a domain is down when it is not there, nobody watches it any more, and it is known to have ended by
itself (:mod:`observing.witness`). What somebody has destroyed, saved or moved is theirs, and is not started again.
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t
from enum import Enum

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart, monitors
from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, DomainRow, Monitor
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.copies import worker_on
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.done import Done
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.resuming import Clock, Sleep
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.observe import copy_state
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.witness import ENDS, Witness
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import (
    CopyBusy,
    CopyChanged,
    CopyStays,
    TakenAway,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Copy
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import patient_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl

CONFIG = "domain.cfg"
"""In the journal folder on both hosts: what the domain is made from."""

_LOOK_INTERVAL = 0.3
# Where something that watches a domain does not tell which, this one must be gone for so long: xl waits 2 s before it
# makes anew what reboots (tools/xl/xl_vmcontrol.c create_domain).
_GONE_S = 5.0
# xl may wait for its lock, for memory, for the scripts of the devices.
_LIMIT = 120.0

# How long a domain that only a backend still holds on to is waited for before it is started again beside what is left.
_ZOMBIE_S = 20.0

Record = t.Callable[[], None]


class Being(str, Enum):
    """What is there of a domain. Of a ``zombie`` nothing but some memory, which a backend holds on to."""

    HERE = "here"
    LEAVING = "leaving"
    ZOMBIE = "zombie"
    DOWN = "down"
    TAKEN = "taken"
    CRASHED = "crashed"


def _nothing() -> None:
    """Put nothing on record."""


class Downfall:
    """The end and the new start of the domain ``uuid`` called ``name`` on this host; ``domid`` was its number.

    ``where`` are the folders of ``xendomains``. All methods raise the errors of :class:`Xl`.
    """

    def __init__(
        self,
        xl: Xl,
        uuid: str,
        name: str,
        domid: int | None,
        folder: str,
        sleep: Sleep = time.sleep,
        clock: Clock = time.monotonic,
        *,
        where: autostart.Roots | None = None,
    ) -> None:
        self._xl = xl
        self._uuid = uuid.lower()
        self._name = name
        self._witness = Witness(domid)
        self._where = where
        self._gone_since: float | None = None
        self._busy: int | None = None
        self.path = os.path.join(folder, CONFIG)
        self._sleep = sleep
        self._clock = clock

    def attend(self) -> dict[str, t.Any] | None:
        """While it runs: find the process that will handle its end; return where that will tell of it."""
        self._watched()
        return self._witness.note()

    def vouch(self) -> None:
        """Say that it has ended by itself, as somebody else knows."""
        self._witness.tell()

    @property
    def has_shut_down(self) -> bool:
        """Whether it is known to have ended by itself."""
        return self._witness.ended or self._witness.crashed

    @property
    def crashed_before(self) -> bool:
        """Whether it was started again because it had crashed."""
        return self._witness.crashed_before

    def look(self) -> tuple[Being, DomainRow | None]:
        """Return what is there of the domain, and the row of it; what has ended and nobody clears away is destroyed."""
        # In this order: a process that was making the domain anew when the table was read would not be seen after it.
        busy, unsure = self._watched()
        rows = [row for row in self._xl.domains() if row.uuid == self._uuid]
        self._witness.see(rows)
        # What an earlier life has left tells nothing of this one, and never runs again.
        rows = [row for row in rows if not row.state.dying or row.domid >= (self._witness.domid or 0)]
        row = min(rows, key=lambda each: (not each.state.alive, each.state.dying), default=None)
        if row is None:
            return (Being.LEAVING if busy or (unsure and not self._stays_away()) else self._gone()), None
        self._gone_since = None
        if row.state.dying:
            return (Being.LEAVING if busy else Being.ZOMBIE), row
        if row.state.alive or row.state.suspended:
            return Being.HERE, row
        if busy:
            return Being.LEAVING, row
        if not has_ended(row):
            return Being.CRASHED, row
        self._xl.destroy(row.domid)
        return Being.LEAVING, row

    def _stays_away(self) -> bool:
        if self._gone_since is None:
            self._gone_since = self._clock()
        return self._clock() - self._gone_since >= _GONE_S

    def _gone(self) -> Being:
        if self._witness.ended:
            return Being.DOWN
        return Being.CRASHED if self._witness.crashed else Being.TAKEN

    def start(self, record: Record = _nothing) -> Done:
        """Start it again unless it is here; return what is seen then. ``record`` is called before it is done.

        A zombie, of which nothing ever runs again, is waited for only for a while. Raises CopyBusy when something that
        has to do with its end or its start goes on, CopyChanged when what is here has not ended as a domain does,
        TakenAway when it is somebody else's, and CopyStays when it does not come up.
        """
        deadline, patience = self._clock() + _LIMIT, self._clock() + _ZOMBIE_S
        while True:
            being, row = self.look()
            if being is Being.ZOMBIE and self._clock() >= patience:
                being, row = self._gone(), None
            # One that has crashed and is not kept was to be started there; now it is here.
            if being in (Being.HERE, Being.DOWN) or (being is Being.CRASHED and row is None):
                break
            if being is Being.CRASHED:
                raise CopyChanged(f"the domain {self._name} has crashed, and is kept")
            if being is Being.TAKEN:
                raise TakenAway(f"{self._name} is not here, and was not seen to shut down")
            if being is not Being.ZOMBIE:
                patience = self._clock() + _ZOMBIE_S
            if self._clock() >= deadline:
                who = f"process {self._busy}, xl create or what it left," if self._busy else "a process of xl"
                raise CopyBusy(f"{who} is still at work on {self._name}", pid=self._busy)
            self._sleep(_LOOK_INTERVAL)
        if row is not None:
            if row.state.suspended:
                raise TakenAway(f"{self._name} has suspended itself for somebody else, who saves or moves it")
            return Done(Copy(copy_state(row.state), row.name, row.domid), ())
        self._require_no_image()
        record()
        self._xl.create(self.path, run=patient_runner())
        row = self._up()
        return Done(Copy(copy_state(row.state), row.name, row.domid), ("create",))

    def _require_no_image(self) -> None:
        """A newer image than what it is started from holds its memory, which would not fit its disks any more."""
        for entry in autostart.entries(autostart.roots() if self._where is None else self._where):
            if entry.kind == autostart.IMAGE and entry.makes(self._uuid, self._name):
                with contextlib.suppress(FileNotFoundError):
                    if os.stat(entry.path).st_mtime >= os.stat(self.path).st_mtime:
                        raise TakenAway(f"{self._name} was saved to {entry.path}")

    def _up(self) -> DomainRow:
        being, row = self.look()
        if being is not Being.HERE or row is None:
            raise CopyStays(f"{self._name} is {being.value} after xl create", steps=["create"])
        return row

    def give_up(self) -> None:
        """Destroy what has ended here and nobody has cleared away, as the domain runs elsewhere."""
        for row in self._xl.domains():
            if row.uuid == self._uuid and has_ended(row):
                self._xl.destroy(row.domid)

    def _watched(self) -> tuple[bool, bool]:
        """Return whether a process watches it, or makes it anew, and whether there is one that may be doing so."""
        lines = _procfs.command_lines()
        self._busy, unsure = None, False
        for monitor in monitors.monitors(lines):
            if not monitor.watching:
                # Made from our file; what others make of theirs is seen when it is there.
                if self.path in lines[monitor.pid]:
                    self._busy = monitor.pid
                    return True, False
            elif self._is_watched_by(monitor):
                self._witness.attend(monitor)
                self._busy = monitor.pid
                return True, False
            else:
                unsure = unsure or (monitor.domid is None and monitor.name is None)
        return False, unsure

    def _is_watched_by(self, monitor: Monitor) -> bool:
        if monitor.domid is not None:
            return monitor.domid == self._witness.domid
        # One that was received is called so in its log.
        return monitor.name in (self._name, self._name + INCOMING)


def taken_in_hand(row: DomainRow | None, domid: int, name: str) -> bool:
    """Whether somebody saves, moves or destroys what is there; an end by itself looks otherwise."""
    if row is None or row.state.dying:
        return False
    return row.state.suspended or (row.state.alive and worker_on(domid, name) is not None)


def has_ended(row: DomainRow) -> bool:
    """Whether the guest is off, and only what is left of its domain is here."""
    return row.state.shutdown and not row.state.dying and row.state.reason in ENDS
