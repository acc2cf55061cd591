# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which interface has carried a session's bytes: what its sockets say, and what the interface has counted (private).

That an interface has the address of a connection does not prove that the bytes went over it: a host answers on each of
its interfaces for all of its addresses, and its routes may send by another one. So what the interfaces have counted is
read as well, before anything was sent and when the session has come to its end: not while the guest stands still.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.network import Look, look
from ansible_collections.dom0.xen.plugins.module_utils._link.ends import Ends
from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._link.link import WAYS_LIMIT, Link
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import ReceiverSettings
from ansible_collections.dom0.xen.plugins.module_utils._transports import SSH

KIND = "path"
# Some network cards hand their counters over once in a second or two.
LAG_S = 2.0
# How many interfaces are told of.
_MOST = 8
# No address is longer.
_LONGEST = 64

Counted = t.Dict[str, t.Dict[str, int]]


class Carried:
    """One side's. ``planned`` is the interface that is to carry the bytes, empty where it is not known; ``sends`` says
    which way most of them go.

    Over ssh the receiver's own socket leads to its sshd: where the connection beneath runs it is ``told`` by the
    sender.
    """

    def __init__(
        self,
        link: Link,
        planned: str,
        *,
        sends: bool,
        told: bool = False,
        looking: t.Callable[[], Look] = look,
    ) -> None:
        self._link = link
        self._planned = planned
        self._sends = sends
        self._told: dict[Ends, int] | None = {} if told else None
        self._looking = looking
        self._before = looking()
        self._after: Look | None = None

    @property
    def _ways(self) -> t.Mapping[Ends, int]:
        return self._link.ways if self._told is None else self._told

    @property
    def _bytes(self) -> int:
        return self._link.used_bytes if self._sends else self._link.received_bytes

    def tell(self) -> None:
        """Tell the receiver where the connection runs that has just come up."""
        ends = self._link.connection.ends if self._link.connection is not None else None
        if ends is not None:
            # For the receiver it is the other way round.
            self._link.send_message({"type": KIND, "local": ends.peer, "peer": ends.local})

    def take(self, message: t.Mapping[str, t.Any]) -> bool:
        """Take a message of the sender if it is about this; return whether it is. Raises FrameError."""
        if message.get("type") != KIND:
            return False
        if self._told is None:
            raise FrameError("a path that nobody asked for")
        ends = Ends(_address(message.get("local")), _address(message.get("peer")))
        if ends in self._told or len(self._told) < WAYS_LIMIT:
            self._told[ends] = self._told.get(ends, 0) + 1
        return True

    def finish(self, wait: t.Callable[[float], None] | None = None) -> None:
        """Look at what the interfaces have counted by now; once more after ``wait``, where it was not enough."""
        if self._after is not None:
            if self._shown() is not False:
                return
            if wait is not None:
                wait(LAG_S)
        self._after = self._looking()

    @property
    def told(self) -> dict[str, t.Any]:
        """The status's part of it."""
        packer = self._link.packer
        return {"path": self.document, "packing": packer.told() if packer is not None else None}

    @property
    def document(self) -> dict[str, t.Any] | None:
        """What the status says of it, ``None`` while there has been no connection."""
        if not self._ways:
            return None
        connections = [
            {"local": ends.local, "peer": ends.peer, "interface": self._interface(ends), "count": count}
            for ends, count in self._ways.items()
        ]
        return {
            "planned_interface": self._planned or None,
            "connections": connections,
            "bytes": self._bytes,
            "counters": self._counters(),
            "shown": self._shown(),
        }

    def _interface(self, ends: Ends) -> str | None:
        seen = self._before.carries(ends.local, ends.peer)
        return seen or (self._after.carries(ends.local, ends.peer) if self._after is not None else None)

    def _named(self) -> list[str]:
        """Return the interfaces of the connections, each once."""
        return list(dict.fromkeys(filter(None, map(self._interface, self._ways))))

    def _counters(self) -> Counted | None:
        """Return what the connections' interfaces have counted, and others that have carried as many bytes."""
        if self._after is None:
            return None
        moved, key = _moved(self._before, self._after), self._key
        named = self._named()
        others = [name for name, figures in moved.items() if name not in named and figures[key] >= self._bytes > 0]
        most_first = sorted(others, key=lambda name: -moved[name][key])
        return {name: moved[name] for name in [*named, *most_first][:_MOST] if name in moved}

    def _shown(self) -> bool | None:
        """Whether these interfaces have counted at least the link's bytes, ``None`` where that cannot be told."""
        if self._after is None:
            return None
        moved, named = _moved(self._before, self._after), self._named()
        if not named or not all(name in moved for name in named):
            return None
        return sum(moved[name][self._key] for name in named) >= self._bytes

    @property
    def _key(self) -> str:
        return "tx_bytes" if self._sends else "rx_bytes"


def of_receiver(link: Link, settings: ReceiverSettings) -> Carried:
    """Return what a receiver tells with these settings."""
    return Carried(link, settings.planned_interface, sends=False, told=settings.transport == SSH)


def _moved(before: Look, after: Look) -> Counted:
    """Return what each interface has counted between two looks (pure); one that was made anew is left out."""
    found: Counted = {}
    for name, (received, sent) in after.counters.items():
        if name in before.counters:
            rx, tx = received - before.counters[name][0], sent - before.counters[name][1]
            if rx >= 0 and tx >= 0:
                found[name] = {"rx_bytes": rx, "tx_bytes": tx}
    return found


def _address(value: t.Any) -> str:
    try:
        if isinstance(value, str) and len(value) <= _LONGEST:
            return str(ipaddress.ip_address(value))
    except ValueError:
        pass
    raise FrameError("a path without its addresses")
