# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole lab: two real Xen hosts in QEMU, a test guest, and a place outside to watch it from."""

from __future__ import annotations

import json
import os
import shutil
import time
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import control, qemu
from .errors import LabError
from .guest import Guest
from .guest_disk import USUAL, GuestSpec
from .host import Host
from .observer import Observer
from .places import LAB_ROOT, locked, state_root
from .start import Settings, bring_up, require_kind, wait_warm
from .timeline import TimelineWatch

Tell = Callable[[str], None]


def silent(text: str) -> None:
    """For callers who want no progress lines."""


@dataclass
class Lab:
    """A lab that is up. Made by ``Lab.up``; as a context manager it is taken down at the end of the block."""

    folder: Path
    hosts: dict[str, Host]
    guest: Guest
    times: dict[str, float] = field(default_factory=dict)
    _keeper: int | None = None

    @classmethod
    def up(cls, settings: Settings | None = None, *, tell: Tell = print) -> Lab:
        """Build what is not in the cache, start the hosts with the guest running on xen1, wait until all answer.

        A lab that is already up in the state folder is reset and used, and left up afterwards. Raises LabError, also
        where that one has other settings: what is then found out would be told of hosts that it was not found on.
        """
        chosen = settings or Settings()
        folder = state_root()
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / "lock"):
            if control.is_up(folder):
                require_kind(_about(folder), chosen, folder)
                lab = cls.attach()
                tell("a lab is already up: resetting it")
                lab.reset()
                return lab
            started = bring_up(chosen, folder, tell)
        hosts = {host.name: host for host in started.hosts}
        return cls(folder, hosts, Guest(folder, started.hosts), started.times, started.keeper)

    @classmethod
    def attach(cls) -> Lab:
        """The lab that is up in the state folder, as it is. Raises LabError when there is none."""
        folder = state_root()
        control.ask(folder, "status")
        about = _about(folder)
        hosts = [Host(h["name"], h["address"], h["ssh_port"], folder) for h in about["hosts"]]
        return cls(folder, {host.name: host for host in hosts}, Guest(folder, hosts), about["times"])

    @classmethod
    def found_or_up(cls, *, tell: Tell = print) -> Lab:
        """The lab that is up, whatever its settings are, after a reset; the usual one where none is up."""
        if not control.is_up(state_root()):
            return cls.up(tell=tell)
        lab = cls.attach()
        lab.reset()
        return lab

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *dummy: object) -> None:
        if self._keeper is not None:
            self.down()

    @property
    def inventory(self) -> Path:
        """Ansible inventory for root; inventory-operator.yml and inventory-operator-nopass.yml lie beside it."""
        return self.folder / "inventory.yml"

    @property
    def share(self) -> Path | None:
        """The folder of this machine that the hosts can mount; None where the lab has none."""
        folder = self.folder / qemu.SHARE
        return folder if folder.is_dir() else None

    def another(self, spec: GuestSpec) -> Guest:
        """A guest with a name, a UUID and addresses of its own, beside the usual one."""
        return Guest(self.folder, self.hosts.values(), spec)

    def observe(
        self,
        guest: GuestSpec = USUAL,
        *,
        number: int | None = None,
        interval: float = 0.05,
        everywhere: bool = False,
    ) -> Observer:
        """A watch over a guest's answers: ``with lab.observe() as watch: ...``, then ``watch.observation``."""
        return Observer(self.folder, guest, number=number, interval=interval, everywhere=everywhere)

    def watch_timeline(self, source: str = "xen1", destination: str = "xen2") -> TimelineWatch:
        """A watch over XenStore on both hosts, used with ``with``; then ``watch.timeline("centos")``."""
        return TimelineWatch(self.hosts[source], self.hosts[destination])

    def cut(self, one: str = "xen1", other: str = "xen2") -> None:
        """Cut the network between two hosts; the controller and the outside still reach both."""
        control.ask(self.folder, "cut", one=one, other=other)

    def wall(self, *ports: int, one: str = "xen1", other: str = "xen2") -> None:
        """Let nothing pass between two hosts but connections to these TCP ports. A new wall knows of no knocks."""
        control.ask(self.folder, "wall", one=one, other=other, ports=ports)

    def knocks(self) -> set[tuple[str, int]]:
        """Who has tried to open a connection through a wall since it was put up: the host, and the TCP port."""
        walls = control.ask(self.folder, "status")["walls"]
        return {(name, port) for wall in walls for name, port in wall["knocks"]}

    def mend(self) -> None:
        """Take all cuts and walls away."""
        control.ask(self.folder, "mend")

    def reset(self) -> float:
        """Back to the snapshot on both hosts, the guest running on xen1 again. Returns the seconds it took.

        Each host gets a new QEMU. Loading a snapshot into a running one spoils Xen's time: QEMU never lets the
        processor's time stamp counter go back (cpu_get_ticks keeps the highest value it gave), but the timer that
        Xen compares it with does, and dom0's clock then crawls and leaps for minutes.
        """
        started = time.monotonic()
        control.ask(self.folder, "mend")
        control.ask(self.folder, "forget")
        for name in self.hosts:
            control.ask(self.folder, "stop", host=name)
        for name in self.hosts:
            control.ask(self.folder, "start", host=name, loadvm=qemu.SNAPSHOT)
        wait_warm(list(self.hosts.values()), self.guest)
        return time.monotonic() - started

    def detach(self) -> None:
        """From now on the lab stays up until somebody takes it down, whatever becomes of this process."""
        control.ask(self.folder, "detach")
        if self._keeper is not None:
            os.close(self._keeper)
            self._keeper = None

    def down(self) -> None:
        """End every process of the lab and remove its disks; images and snapshots stay in the cache."""
        take_down(self.folder)
        if self._keeper is not None:
            os.close(self._keeper)
            self._keeper = None


def _about(folder: Path) -> dict[str, t.Any]:
    """What a lab that is up has written down of itself. Raises LabError where it has not, or not yet."""
    try:
        about: dict[str, t.Any] = json.loads((folder / "lab.json").read_text())
    except (OSError, ValueError) as exc:
        raise LabError(
            f"a lab is up in {folder}, and nothing is known of it ({exc})", f"Take it down: {LAB_ROOT / 'lab'} down"
        ) from exc
    return about


def take_down(folder: Path) -> None:
    """Lab.down for a lab of another process, or for what is left of one."""
    control.down(folder)
    for pattern in ("*.qcow2", "inventory*.yml", "known_hosts", "ssh_config", "commands.json", "lab.json"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    shutil.rmtree(folder / qemu.SHARE, ignore_errors=True)
