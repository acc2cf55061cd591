# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a domain that has come is alive: seen from the destination's dom0, with a limit (private to the collection).

What speaks for it: it is neither paused nor ended, the devices that were connected on the source are connected again,
which takes a guest that runs, and the address that the caller gave answers. Beside that its processor time is looked
at, in tenths of a second, which an idle guest may need long for, and whether its network cards were heard at the
bridge, which one without an address may never be: neither says that it is dead, and neither is waited for long.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.observing import backends
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

SYS_NET = "/sys/class/net"
PAUSE_S = 0.5
# For what is only good to know, in seconds.
PATIENCE_S = 5.0
# One try to reach the address, in seconds.
TRY_S = 1

# ADDRESS:PORT or [ADDRESS]:PORT is a TCP connection, anything else is for ping.
_PORT = re.compile(r"\A(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:]+)):(?P<port>[0-9]{1,5})\Z")
_HOST = re.compile(r"\A[0-9A-Za-z:][0-9A-Za-z:.%_-]{0,252}\Z")
# Linux, include/uapi/linux/if_bridge.h struct __fdb_entry.
_FDB = struct.Struct("=6sBBIBBH")


class AddressInvalid(Dom0XenError):
    """What is to answer after the move is no address."""

    code = "liveness_address_invalid"
    remedy = "Give an address or name, or one with a port, such as 192.0.2.7, 192.0.2.7:22 or [2001:db8::7]:22."


@dataclass(frozen=True)
class Look:
    """One look: what is missing of what must be, what is missing of what is good to know, and what was seen.

    ``proven`` is false where nothing was seen that only a guest that runs can have done.
    """

    missing: tuple[str, ...]
    wished: tuple[str, ...]
    proven: bool
    seen: dict[str, t.Any] = field(default_factory=dict)


def follow(
    look: t.Callable[[], Look],
    timeout: float,
    wait: t.Callable[[float], None],
    dismissed: t.Callable[[], bool],
    clock: t.Callable[[], float] = time.monotonic,
    patience: float = PATIENCE_S,
) -> dict[str, t.Any] | None:
    """Look until nothing is missing any more, for at most ``timeout`` seconds; return what the result says of it.

    What is only good to know is waited for for ``patience`` seconds. None when there was no time for it, since the
    session was told to end.
    """
    begun = clock()
    while not dismissed():
        seen = look()
        passed = clock() - begun
        patient = passed < min(patience, timeout)
        if passed >= timeout or not (seen.missing or (seen.wished and patient)):
            alive = False if seen.missing else True if seen.proven else None
            words = {"missing": list(seen.missing), "unseen": list(seen.wished)}
            return {"alive": alive, "waited_ms": int(passed * 1000), **words, **seen.seen}
        wait(min(PAUSE_S, max(0.0, timeout - passed)))
    return None


class Caller:
    """Asks an address until it has answered once; of an empty one there is nothing to be said."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._answered = False

    def asked(self) -> bool | None:
        """Return whether it has answered by now; None where there is none."""
        if not self.address:
            return None
        self._answered = self._answered or answers(self.address)
        return self._answered


class Pulse:
    """Looks at one domain on this host; ``connected`` are the devices that were connected on the source."""

    def __init__(
        self, xl: Xl, store: XenStore, domid: int, connected: t.Sequence[str], address: str, sys_net: str = SYS_NET
    ) -> None:
        self._xl = xl
        self._store = store
        self._domid = domid
        self._connected = connected
        self._caller = Caller(address)
        self._sys_net = sys_net

    def look(self) -> Look:
        """Look once."""
        missing: list[str] = []
        wished: list[str] = []
        seen: dict[str, t.Any] = {"state": None, "cpu_time_s": None, "devices": {}, "macs": []}
        with contextlib.suppress(Dom0XenError):
            row = next((row for row in self._xl.domains() if row.domid == self._domid), None)
            seen.update(state=row.state.word if row else "absent", cpu_time_s=row.cpu_time_s if row else None)
        if seen["state"] != "running":
            missing.append("the domain is {}".format((seen["state"] or "not to be seen").replace("_", " ")))
        with contextlib.suppress(Dom0XenError):
            seen["devices"] = backends.devices(self._store, self._domid)
            seen["macs"] = self._macs()
        for name in self._connected:
            state = seen["devices"].get(name)
            if state != backends.CONNECTED:
                missing.append(
                    f"the device {name} is {'gone' if state is None else f'in state {state}'}, not connected"
                )
        wished += [f"{mac['mac']} was not heard at {mac['bridge']}" for mac in seen["macs"] if not mac["heard"]]
        answered = self._caller.asked()
        if answered is False:
            missing.append(f"{self._caller.address} does not answer")
        seen.update(address=self._caller.address or None, answered=answered)
        # A new domid begins at nothing, and nobody but the guest adds to it.
        proven = bool(self._connected or answered or seen["cpu_time_s"])
        if not proven:
            wished.append("its processor time has not come to a tenth of a second")
        return Look(tuple(missing), tuple(wished), proven, seen)

    def _macs(self) -> list[dict[str, t.Any]]:
        """Return each card's address, its bridge, and whether the bridge has heard it at this card's own port.

        Cards that are on no bridge of Linux are left out.
        """
        found = []
        for device, backend in backends.backends(self._store, self._domid).items():
            kind, dummy, number = device.partition("/")
            if kind != "vif":
                continue
            mac = (self._store.read(f"{backend}/mac") or "").lower()
            name = backends.interface(self._store, self._domid, number, backend)
            ports = [port for port in (self._port(name), self._port(f"{name}-emu")) if port is not None]
            if mac and ports:
                bridge = ports[0][0]
                heard = any((mac, port) in self._heard(bridge) for dummy, port in ports)
                found.append({"mac": mac, "bridge": bridge, "heard": heard})
        return found

    def _port(self, interface: str) -> tuple[str, int] | None:
        """Return the bridge that an interface is a port of, and which (Linux, net/bridge/br_sysfs_if.c)."""
        folder = os.path.join(self._sys_net, interface, "brport")
        try:
            bridge = os.path.basename(os.path.realpath(os.path.join(folder, "bridge")))
            with open(os.path.join(folder, "port_no"), encoding="ascii") as file:
                return bridge, int(file.read(), 16)
        except (OSError, ValueError):
            return None

    def _heard(self, bridge: str) -> set[tuple[str, int]]:
        try:
            with open(os.path.join(self._sys_net, bridge, "brforward"), "rb") as file:
                table = file.read()
        except OSError:
            return set()
        entries = _FDB.iter_unpack(table[: len(table) // _FDB.size * _FDB.size])
        return {
            (mac.hex(":"), low | high << 8) for mac, low, local, dummy, high, dummy2, dummy3 in entries if not local
        }


def checked(address: str) -> str:
    """Return what may be asked for an answer: an address or name, or one with a port. Raises AddressInvalid."""
    match = _PORT.match(address)
    host = (match.group("six") or match.group("host")) if match else address
    if address and not (_HOST.match(host) and (match is None or 0 < int(match.group("port")) < 65536)):
        raise AddressInvalid(f"{address!r} is nothing that could answer.")
    return address


def answers(address: str) -> bool:
    """Ask once, from this dom0: a TCP connection where a port is given, else one ping."""
    match = _PORT.match(address)
    try:
        if match is not None:
            host = match.group("six") or match.group("host")
            with socket.create_connection((host, int(match.group("port"))), timeout=TRY_S):
                return True
        return subprocess_runner(TRY_S + 5)(["ping", "-c", "1", "-W", str(TRY_S), address]).rc == 0
    except (OSError, Dom0XenError):
        return False
