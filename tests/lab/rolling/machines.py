# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines under the hosts: one that a host resets is begun anew, as after a loss of power.

QEMU ends with a host that resets it (-no-reboot). A new one boots from the disk as it is, which is what the campaign of
faults does after each loss of power. An emulated machine that goes on after its reset was never tried here, and hangs
elsewhere (kubevirt/kubevirt issue 6885).
"""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Callable
from pathlib import Path

from dom0lab import Lab, LabError, control, lun

LOOK_S = 1.0
# What Xen says just before it resets its machine (xen/common/shutdown.c, hwdom_shutdown).
RESETS = b"shutdown: rebooting machine"
# The machine is reset by then, or it hangs.
HANGS_S = 120.0


class Every:
    """Calls something every so many seconds, in a thread of its own, as long as the block lasts.

    What it raises as LabError or OSError is told, and it is called again.
    """

    def __init__(self, seconds: float, do: Callable[[], None]) -> None:
        self._seconds, self._do = seconds, do
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="every", daemon=True)

    def __enter__(self) -> Every:
        self._thread.start()
        return self

    def __exit__(self, *dummy: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        said = ""
        while not self._over.wait(self._seconds):
            try:
                self._do()
                said = ""
            except (LabError, OSError) as exc:
                if str(exc) != said:
                    said = str(exc)
                    print(f"{type(exc).__name__}: {said}", flush=True)


class Machines:
    """Begins each machine anew that has ended, with the shared disk; ``resets`` tells which, and when."""

    def __init__(self, lab: Lab, disk: Path, tell: Callable[[str], None] = print) -> None:
        self._lab, self._more, self._tell = lab, lun.words(disk), tell
        self._hangs: dict[str, float] = {}
        self.resets: list[dict[str, t.Any]] = []

    def look(self) -> None:
        """Look at all machines once, and begin those anew that are not there. Raises LabError."""
        machines = control.ask(self._lab.folder, "status")["hosts"]
        for name in self._lab.hosts:
            machine = machines[name]
            hangs = machine["pid"] is not None and self._hanging(name, time.monotonic())
            if hangs:
                control.ask(self._lab.folder, "stop", host=name)
            if hangs or machine["pid"] is None:
                control.ask(self._lab.folder, "start", host=name, more=self._more)
                self._hangs.pop(name, None)
                reset = {"host": name, "at": moment(), "ended": machine["ended"], "by_hand": hangs}
                self.resets.append(reset)
                self._tell(f"{reset['at']} {name}'s machine begins anew{', after it hung in its reset' * hangs}")

    def _hanging(self, name: str, now: float) -> bool:
        """Whether Xen has said long ago that it resets this machine, which is there all the same."""
        if not resetting(self._lab.folder / f"{name}.serial"):
            self._hangs.pop(name, None)
            return False
        return now - self._hangs.setdefault(name, now) >= HANGS_S


def resetting(serial: Path) -> bool:
    """Whether this machine's Xen has said that it resets it; a new machine begins this file anew."""
    try:
        return RESETS in serial.read_bytes()
    except OSError:
        return False


def moment() -> str:
    """Now, as it is told."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
