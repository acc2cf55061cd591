# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets of the double for the bench, and evacuations of their hosts.

What the controller costs is what the kernel has counted for ``ansible-playbook`` and every process that it, or one of
its children, has waited for: its forks, and the shells that a connection starts. Over local connections this has in it
what really runs on dom0: the interpreters of the modules, with the commands that these run. Each is started by a shell
that notes what it and its children took, and the sum of that is taken off. The shells of the connections stay in, in
the place of the ``ssh`` that would be there. Sender and receiver are nobody's children, and never in it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import tempfile
import time
import typing as t
import uuid

from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import ROOT, User

# More than any domain of the bench: the first round sends what a guest has written to, and it writes to little more.
MEMORY_MIB = 16
_WRITES = {"working_set": 16}
_TIME = re.compile(r"(\d+)m([0-9.]+)s")
_FOLDER = ROOT / "build"


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of a playbook: how it ended, its log, and times in seconds, without the modules' interpreters."""

    status: int
    log: str
    wall_s: float
    controller_cpu_s: float
    modules_cpu_s: float


def cpu_of(times: str) -> float:
    """Return the seconds in what a shell's ``times`` has written: its own, and its children's."""
    return sum(int(minutes) * 60 + float(seconds) for minutes, seconds in _TIME.findall(times))


def descendants(pid: int) -> list[int]:
    """Return the processes that this one has started, and those that they have."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in pathlib.Path("/proc", str(pid), "task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *descendants(int(child))]
    return found


def kill(pids: t.Iterable[int]) -> None:
    """Kill processes, as far as they are still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Fleet:
    """Hosts of the double, some with guests; whoever works with them as an operator does."""

    def __init__(self, site: Site, folder: pathlib.Path) -> None:
        self.site = site
        self.user = User(site, folder)
        self.folder = folder
        self.results = folder / "results"
        self._times = folder / "times"
        self._times.mkdir()
        self.guests: dict[str, str] = {}
        self._started: list[subprocess.Popen[str]] = []
        self._count_interpreters()

    def _count_interpreters(self) -> None:
        hosts = {}
        for host in self.site.hosts.values():
            path = host.paths.bin / "python3-counted"
            real, times = shlex.quote(str(host.paths.bin / "python3")), shlex.quote(str(self._times))
            path.write_text(f'#!/bin/bash\n{real} "$@"\nstatus=$?\ntimes > {times}/$$.$RANDOM$RANDOM\nexit $status\n')
            path.chmod(0o755)
            hosts[host.name] = {"ansible_python_interpreter": str(path)}
        self.inventory = self.folder / "counted.json"
        self.inventory.write_text(json.dumps({"dom0": {"hosts": hosts}}))

    def fill(self, hosts: t.Sequence[str], count: int) -> None:
        """Start so many guests, in turns on these hosts."""
        for number in range(count):
            name, identity = f"d{number:03}", str(uuid.uuid4())
            guest = GuestConfig(
                name, identity, memory_mib=MEMORY_MIB, bridge=None, compact=True, untouched=0.5, behaviour=_WRITES
            )
            self.site[hosts[number % len(hosts)]].start_guest(guest)
            self.guests[name] = identity

    def start(self, hosts: t.Sequence[str], *arguments: str) -> subprocess.Popen[str]:
        """Start to empty hosts."""
        given = ("-i", str(self.inventory), "-e", f"dom0s={','.join(hosts)}")
        results = ("-e", f"evacuate_results_path={self.results}")
        process = self.user.start("dom0.xen.evacuate", *given, *results, *arguments, ANSIBLE_PIPELINING="1")
        self._started.append(process)
        return process

    def stop(self) -> None:
        """End whatever was started and has not come to its end: the bench itself was ended."""
        for process in self._started:
            if process.returncode is None:
                kill([*descendants(process.pid), process.pid])
                process.wait()

    def empty(self, hosts: t.Sequence[str], *arguments: str) -> Run:
        """Empty hosts, and return what it took."""
        for path in self._times.iterdir():
            path.unlink()
        began = time.monotonic()
        process = self.start(hosts, *arguments)
        log = process.stdout.read() if process.stdout else ""
        dummy, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.monotonic() - began
        modules = sum(cpu_of(path.read_text()) for path in self._times.iterdir())
        # The forks that it has not waited for are none of the sum; it waits for all of them at its end.
        return Run(process.returncode, log, wall_s, used.ru_utime + used.ru_stime - modules, modules)

    def moves(self) -> list[dict[str, t.Any]]:
        """Return the results of the moves so far."""
        return [json.loads(path.read_text()) for path in sorted(self.results.glob("*.json"))]

    # -- judging ---------------------------------------------------------------------------------------------------

    def left_on(self, hosts: t.Sequence[str]) -> int:
        """Return how many guests these hosts have."""
        return sum(len(self.site[host].domains()) for host in hosts)

    def not_once(self) -> int:
        """Return how many guests do not run exactly once, or ran twice at a time."""
        names = [info["name"] for host in self.site.hosts.values() for info in host.domains()]
        return sum(
            names.count(name) != 1 or len(self.site.running(identity)) != 1 or bool(self.site.overlaps(identity))
            for name, identity in self.guests.items()
        )

    def begun(self) -> int:
        """Return how many copies of guests have been run in all; a guest that was moved once has had two."""
        return sum(len(self.site.intervals(identity)) for identity in self.guests.values())

    def moved_twice(self) -> int:
        """Return how many guests were moved more than once."""
        return sum(len(self.site.intervals(identity)) > 2 for identity in self.guests.values())


@contextlib.contextmanager
def fleet(hosts: t.Sequence[str]) -> t.Iterator[Fleet]:
    """Give a fleet of empty hosts, which are gone afterwards."""
    _FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="s", dir=_FOLDER) as name:
        folder = pathlib.Path(name)
        (folder / "user").mkdir()
        site = Site(folder / "site")
        try:
            site.up(list(hosts), None, memory_mib=8191)
            found = Fleet(site, folder / "user")
            try:
                yield found
            finally:
                found.stop()
        finally:
            site.down()
