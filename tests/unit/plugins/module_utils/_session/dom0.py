# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dom0 of the double as a session's process sees it, and ways to bring its guest into a state."""

from __future__ import annotations

import pathlib
import time
import typing as t

from dom0_double.driver.host import GuestConfig, Host

from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.copies import Copies
from ansible_collections.dom0.xen.plugins.module_utils._session.copies.resuming import Clock
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

UUID, NAME = GuestConfig.uuid, GuestConfig.name
AWAY, INCOMING = f"{NAME}--migratedaway", f"{NAME}--incoming"
CRASH, SUSPEND = 3, 2
GUEST = GuestConfig(memory_mib=8, compact=True, extra='on_crash = "preserve"')


def hurried() -> float:
    """A clock of which hundred seconds pass in one: limits are reached, and nothing else changes."""
    return time.monotonic() * 100


class Dom0:
    """A host; domains by domid, as it lists them itself."""

    def __init__(self, host: Host, folder: pathlib.Path) -> None:
        self.host = host
        self.socket = str(host.paths.store_socket)
        self.xl = Xl(subprocess_runner(), str(host.paths.bin / "xl"))
        self.store = XenStore(self.socket)
        self._image = str(folder / "image")

    def copies(self, clock: Clock = time.monotonic) -> Copies:
        """What is under test."""
        return Copies(self.xl, self.store, UUID, NAME, clock=clock)

    def row(self, domid: int) -> DomainRow:
        """A domain as xl lists it."""
        return next(row for row in self.xl.domains() if row.domid == domid)

    def letters(self, domid: int) -> str:
        """What of a domain's state matters here: s for suspended, p for paused, r when it can run; and its name."""
        row = self.row(domid)
        state = row.state
        letters = ("s" if state.suspended else "") + ("p" if state.paused else "")
        return f"{letters or ('r' if state.alive else 'x')} {row.name}"

    def start(self, **behaviour: t.Any) -> int:
        """Start the guest."""
        return self.host.start_guest(GuestConfig(memory_mib=8, compact=True, extra=GUEST.extra, behaviour=behaviour))

    def suspended(self, name: str = NAME) -> int:
        """Have a suspended copy of the guest."""
        domid = self.start()
        self.shut_down(domid, SUSPEND)
        self.xl.rename(domid, name)
        return domid

    def shut_down(self, domid: int, reason: int) -> None:
        """Let the guest shut down by itself, and xl's monitor take note."""
        self.host.machine.call("shut_down", domid=domid, reason=reason)
        time.sleep(0.1)

    def restored(self, name: str = INCOMING) -> int:
        """Have a complete copy that was never started, next to whatever else there is."""
        if not pathlib.Path(self._image).exists():
            domid = self.start()
            self.host.run("xl", "save", str(domid), self._image)
        self.host.run("xl", "restore", "-p", self._image)
        domid = max(row.domid for row in self.xl.domains())
        self.xl.rename(domid, name)
        return domid

    def in_the_background(self, *words: str) -> None:
        """Start a command that is no child of this process."""
        self.host.run("sh", "-c", f"{' '.join(words)} >/dev/null 2>&1 </dev/null &")

    def until(self, reached: t.Callable[[], bool]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + 20
        while not reached():
            if time.monotonic() >= deadline:
                raise AssertionError("it did not come to that")
            time.sleep(0.02)

    def kill(self, *words: str) -> None:
        """End what was started in the background."""
        self.host.kill(*words)


Make = t.Callable[..., Dom0]
