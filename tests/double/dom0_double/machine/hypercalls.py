# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What xl, its helper and the tests may ask the machine: one JSON object a line, one line of answer each."""

from __future__ import annotations

import array
import dataclasses
import json
import os
import typing as t
import uuid

from ..paths import HostPaths
from ..stream.layout import STATE_PFN, Layout
from .domain import Domain, HypercallError, Json
from .guest import Behaviour, Guest, Memory
from .hypervisor import Hypervisor
from .loop import Connection


@dataclasses.dataclass
class GuestOptions:
    """How the next guest of a name is to be made."""

    behaviour: Behaviour = dataclasses.field(default_factory=Behaviour)
    #: Share of the memory the guest has never written: zero pages.
    untouched: float = 0.5
    #: Leave out the holes below 4 GiB that a real stream spells out.
    compact: bool = False
    boot_id: str | None = None


class Hypercalls:
    """Dispatches requests to the hypervisor."""

    def __init__(self, hypervisor: Hypervisor, paths: HostPaths, power_loss: t.Callable[[], None]) -> None:
        self._xen = hypervisor
        self._paths = paths
        self._power_loss = power_loss
        self._expected: dict[str, GuestOptions] = {}

    def accept(self, dummy: Connection) -> t.Callable[[Connection, bytes], None]:
        """Take a new connection; returns what receives its bytes."""
        buffer = bytearray()

        def received(connection: Connection, data: bytes) -> None:
            buffer.extend(data)
            while (end := buffer.find(b"\n")) >= 0:
                line = bytes(buffer[:end])
                del buffer[: end + 1]
                connection.send(json.dumps(self._answer(json.loads(line))).encode() + b"\n")

        return received

    def _answer(self, request: Json) -> Json:
        operation = getattr(self, "do_" + str(request.pop("op", "")), None)
        if operation is None:
            return {"error": "ENOSYS", "text": ""}
        try:
            return {"result": operation(**request)}
        except HypercallError as exc:
            return {"error": exc.name, "text": exc.text}

    # -- the machine -----------------------------------------------------------------------------------------------

    def do_ping(self) -> int:
        """Answer with the machine's process id."""
        return os.getpid()

    def do_info(self) -> Json:
        """Tell the memory figures that change."""
        return {"free_kib": self._xen.free_kib, "dom0_kib": self._xen.dom0_kib}

    def do_balloon(self, kib: int) -> None:
        """Take memory from dom0; ENOMEM below its minimum."""
        if self._xen.dom0_kib - kib < self._xen.settings.dom0_minimum_mib * 1024:
            raise HypercallError("ENOMEM")
        self._xen.dom0_kib -= kib

    def do_configure(self, values: Json) -> None:
        """Change settings while the machine runs."""
        self._xen.settings = dataclasses.replace(self._xen.settings, **values)
        self._xen.settings.save(self._paths.settings)

    def do_power_loss(self) -> None:
        """Lose power: does not answer."""
        self._power_loss()

    # -- domains ---------------------------------------------------------------------------------------------------

    def do_list(self) -> list[Json]:
        """List domains with their names."""
        return [{**info, "name": self._xen.name_of(info["domid"])} for info in self._xen.list()]

    def do_config(self, domid: int) -> Json:
        """Return the stored configuration of a domain."""
        return self._xen.get(domid).config

    def do_create(self, config: Json, domid: int = 0) -> int:
        """Make an empty paused domain."""
        return self._xen.create(config, domid)

    def do_populate(self, domid: int, pages: int) -> None:
        """Give memory to a domain."""
        self._xen.populate(domid, pages)

    def do_boot(self, domid: int) -> None:
        """Put a fresh guest into a domain."""
        domain = self._xen.get(domid)
        options = self._expected.pop(self._xen.name_of(domid) or "", GuestOptions())
        layout = Layout.of(domain.kind, domain.memory_kib // 4, options.compact)
        self._xen.populate(domid, layout.count)
        memory = Memory.fresh(layout, options.untouched)
        guest = Guest(memory, options.boot_id or str(uuid.uuid4()), options.behaviour)
        self._xen.build(domid, guest)

    def do_restore(
        self, domid: int, ranges: list[list[int]], p2m_size: int, versions: str, state: str | None, intact: bool
    ) -> None:
        """Put the guest of a stream into a domain."""
        layout = Layout(tuple((first, end) for first, end in ranges), p2m_size)
        numbers = array.array("I")
        numbers.frombytes(bytes.fromhex(versions))
        self._xen.build(domid, Guest.restored(layout, numbers, state, intact))

    def do_introduce(self, domid: int) -> None:
        """Tell XenStore of a domain."""
        self._xen.introduce(domid)

    def do_attach(self, domid: int) -> None:
        """Attach the domain's devices."""
        self._xen.nodes.attach(domid, self._xen.get(domid).config)

    def do_rename(self, domid: int, old: str | None, new: str) -> None:
        """Rename a domain."""
        self._xen.rename(domid, old, new)

    def do_pause(self, domid: int) -> None:
        """Pause a domain."""
        self._xen.pause(domid)

    def do_unpause(self, domid: int) -> None:
        """Unpause a domain."""
        self._xen.unpause(domid)

    def do_resume(self, domid: int, anew: bool = False) -> None:
        """Resume a suspended domain, ``anew`` as if it had been restored."""
        self._xen.resume(domid, anew)

    def do_destroy(self, domid: int) -> None:
        """Destroy a domain."""
        self._xen.destroy(domid)

    def do_pin(self, domid: int, processors: list[int] | None) -> None:
        """Set the hard affinity of all vCPUs."""
        self._xen.get(domid).pinned = processors

    def do_shut_down(self, domid: int, reason: int) -> None:
        """Let a guest shut down without being asked through XenStore."""
        self._xen.shut_down(domid, reason)

    # -- memory ----------------------------------------------------------------------------------------------------

    def do_memory(self, domid: int) -> Json:
        """Return a domain's layout and its guest's tag."""
        guest = self._xen.guest_of(domid)
        layout = guest.memory.layout
        return {"ranges": layout.ranges, "p2m_size": layout.p2m_size, "tag": guest.tag}

    def do_log_dirty(self, domid: int, enable: bool) -> None:
        """Switch log-dirty mode."""
        memory = self._xen.guest_of(domid).memory
        memory.log_dirty = enable
        memory.dirty.clear()

    def do_clean(self, domid: int) -> list[int]:
        """Return and forget the pages written since the last time."""
        return self._xen.guest_of(domid).memory.clean()

    def do_pages(self, domid: int, pfns: list[int]) -> Json:
        """Return versions of populated pages, and the guest's state where its page is among them."""
        guest = self._xen.guest_of(domid)
        memory = guest.memory
        values = array.array("I", [memory.versions[memory.index(pfn)] for pfn in pfns])
        state = guest.state() if STATE_PFN in pfns else None
        return {"versions": values.tobytes().hex(), "state": state}

    # -- tests -----------------------------------------------------------------------------------------------------

    def do_expect(self, name: str, behaviour: Json, **options: t.Any) -> None:
        """Say how the next guest of a name is to be made."""
        self._expected[name] = GuestOptions(Behaviour(**behaviour), **options)

    def do_behave(self, domid: int, behaviour: Json) -> None:
        """Change how a guest behaves."""
        guest = self._xen.guest_of(domid)
        guest.behaviour = dataclasses.replace(guest.behaviour, **behaviour)

    def do_guest(self, domid: int) -> Json:
        """Tell what a guest would answer over the network, and what only the machine knows."""
        guest = self._xen.guest_of(domid)
        domain: Domain = self._xen.get(domid)
        return {
            "boot_id": guest.boot_id,
            "counter": guest.counter,
            "verified": guest.verified,
            "running": guest.running,
            "ran_here_ns": guest.ran_here_ns,
            "log_dirty": guest.memory.log_dirty,
            "pauses": domain.pauses,
        }
