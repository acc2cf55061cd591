# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a guest that has stood still, and goes on where it was, gives a sign of life (private to the collection).

Xen says "running" of one whose kernel has stopped in the resume, and its devices stay connected all the while. So only
what grows counts: its processor time, what its network cards have sent, what its disks were asked for; and the address
that the caller gave, if it answers. One that is idle may give no sign for long, so that silence alone is no death.
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.observing import backends
from ansible_collections.dom0.xen.plugins.module_utils._session.observing.liveness import SYS_NET, Caller, Look, follow
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

SYS_BACKENDS = "/sys/bus/xen-backend/devices"
TIMEOUT_S = 15.0

_CPU = "cpu_time"
_NO_SIGN = "neither the time of its first processor nor a count of packets it has sent or of disk requests has grown"


class Comeback:
    """Looks at one domain on this host; what its first look sees is what the later ones are compared with."""

    def __init__(
        self,
        xl: Xl,
        store: XenStore,
        domid: int,
        address: str = "",
        sys_net: str = SYS_NET,
        sys_backends: str = SYS_BACKENDS,
    ) -> None:
        self._xl = xl
        self._store = store
        self._domid = domid
        self._caller = Caller(address)
        self._sys_net = sys_net
        self._sys_backends = sys_backends
        self._first: dict[str, float] = {}

    def look(self) -> Look:
        """Look once."""
        missing: list[str] = []
        wished: list[str] = []
        seen: dict[str, t.Any] = {"state": None, "cpu_time_s": None}
        now = self._counts()
        with contextlib.suppress(Dom0XenError):
            row = next((row for row in self._xl.domains() if row.domid == self._domid), None)
            seen.update(state=row.state.word if row else "absent", cpu_time_s=row.cpu_time_s if row else None)
        if seen["state"] is None:
            wished.append("xl does not tell whether it runs")
        elif seen["state"] != "running":
            missing.append("the domain is {}".format(seen["state"].replace("_", " ")))
        else:
            now.update(self._worked())
        signs = sorted(name for name, count in now.items() if count > self._first.setdefault(name, count))
        answered = self._caller.asked()
        if answered is False:
            missing.append(f"{self._caller.address} does not answer")
        seen.update(address=self._caller.address or None, answered=answered, signs=signs)
        proven = bool(signs or answered)
        if not proven:
            wished.append(_NO_SIGN)
        return Look(tuple(missing), tuple(wished), proven, seen)

    def _worked(self) -> dict[str, float]:
        """Return the processor time of its first processor: it is the one that resumes (Linux, drivers/xen/manage.c
        xen_suspend), and the others may spin for ever, waiting for one that has stopped.
        """
        with contextlib.suppress(Dom0XenError):
            first = next((vcpu for vcpu in self._xl.vcpus(self._domid) if vcpu.number == 0), None)
            return {} if first is None else {_CPU: first.time_s}
        return {}

    def _counts(self) -> dict[str, float]:
        found: dict[str, float] = {}
        with contextlib.suppress(Dom0XenError):
            for device, backend in backends.backends(self._store, self._domid).items():
                kind, dummy, number = device.partition("/")
                count = self._sent(number, backend) if kind == "vif" else self._requests(number)
                if count is not None:
                    found[device] = count
        return found

    def _sent(self, number: str, backend: str) -> int | None:
        """Return how many packets a card has sent: what its interface here has received, or QEMU's beside it."""
        name = backends.interface(self._store, self._domid, number, backend)
        paths = [os.path.join(self._sys_net, each, "statistics", "rx_packets") for each in (name, f"{name}-emu")]
        return _sum(paths)

    def _requests(self, number: str) -> int | None:
        """Return how often blkback was asked; Linux, drivers/block/xen-blkback/xenbus.c. None of a disk of QEMU's."""
        folder = os.path.join(self._sys_backends, f"vbd-{self._domid}-{number}", "statistics")
        return _sum([os.path.join(folder, each) for each in ("rd_req", "wr_req", "f_req")])


def watch(
    xl: Xl,
    store: XenStore,
    domid: int,
    timeout: float = TIMEOUT_S,
    address: str = "",
) -> dict[str, t.Any] | None:
    """Watch for a sign of life for at most ``timeout`` seconds; return what the result says of it.

    That is as after a move (:func:`liveness.follow`), with ``signs`` for what has grown.
    """
    look = Comeback(xl, store, domid, address).look
    return follow(look, timeout, time.sleep, lambda: False, patience=timeout)


def _sum(paths: t.Iterable[str]) -> int | None:
    counts = []
    for path in paths:
        with contextlib.suppress(OSError, ValueError), open(path, encoding="ascii") as file:
            counts.append(int(file.read()))
    return sum(counts) if counts else None
