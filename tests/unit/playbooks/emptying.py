# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who empties hosts of the double, and what becomes of their guests."""

from __future__ import annotations

import json
import pathlib
import signal
import subprocess
import sys
import time
import typing as t
import uuid

from dom0_double.driver.host import GuestConfig, Host
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User

NAMES = ("a", "b", "c")
IDS = {name: str(uuid.uuid4()) for name in (*NAMES, "stays")}


def three_hosts(folder: pathlib.Path) -> Site:
    """Switch three hosts on, with three guests on xen1, and one on xen2 that has nothing to do with it."""
    site = Site(folder)
    site.up(["xen1", "xen2", "xen3"], python=sys.executable)
    for name in NAMES:
        site["xen1"].start_guest(GuestConfig(name, IDS[name], memory_mib=16, bridge=None, compact=True))
    site["xen2"].start_guest(GuestConfig("stays", IDS["stays"], memory_mib=16, bridge=None, compact=True))
    return site


class Operator(User):
    """Somebody who empties hosts."""

    def ask(self, *arguments: str, hosts: str = "xen1") -> subprocess.Popen[str]:
        """Start to empty hosts."""
        wanted = ("-e", f"dom0s={hosts}", "-e", f"evacuate_result_path={self.result_path}")
        return self.start("dom0.xen.evacuate", *wanted, *arguments)

    def empty(self, *arguments: str, status: int = 0, hosts: str = "xen1") -> str:
        """Empty hosts; return the log."""
        process = self.ask(*arguments, hosts=hosts)
        log = process.communicate(timeout=2 * LIMIT_S)[0]
        assert process.returncode == status, log[-6000:]
        return log

    def ruled(self, **rules: t.Any) -> tuple[str, str]:
        """Return the arguments that give all dom0s these variables."""
        path = self.folder / "rules.json"
        path.write_text(json.dumps(rules))
        return "-e", f"@{path}"


def places(site: Site) -> dict[str, str]:
    """Return where each guest runs; it must be one host, and never were two."""
    found = {}
    for name, guest in IDS.items():
        assert site.overlaps(guest) == []
        (found[name],) = (host.name for host in site.hosts.values() if host.guest(name))
    return found


def runs(site: Site) -> dict[str, int]:
    """Return how often each guest was begun to run somewhere."""
    return {name: len(site.intervals(guest)) for name, guest in IDS.items()}


def marks(site: Site, host: str) -> set[str]:
    """Return the marks of runs over many hosts that a host has."""
    folder = site[host].paths.lib / "dom0-xen" / "fleet"
    return {path.name for path in folder.iterdir()} - {"lock"} if folder.exists() else set()


def occupy(site: Site, slots: int = 1) -> pathlib.Path:
    """Let some other domains have slots to leave xen1; return the file that is to be removed to give them back."""
    path: pathlib.Path = site["xen1"].paths.run / "dom0-xen" / "fleet" / "slots.json"
    path.parent.parent.mkdir(mode=0o700, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    until = time.monotonic() + 2 * LIMIT_S
    other = {"name": "other", "role": "sender", "run": "", "until_s": until, "known": []}
    path.write_text(json.dumps({"slots": [{**other, "uuid": str(uuid.uuid4())} for dummy in range(slots)]}))
    return path


def hold(operator: Operator, *arguments: str) -> subprocess.Popen[str]:
    """Start to empty xen1, and stop every move in the middle of its stream."""
    operator.site["xen1"].configure(save_rate=100_000)
    process = operator.ask(*arguments)
    stop_streams(operator.site["xen1"], process)
    return process


def stop_streams(host: Host, process: subprocess.Popen[str]) -> None:
    """Wait until a domain is being sent, and stop that."""
    deadline = time.monotonic() + LIMIT_S
    while not host.kill("libxl-save-helper", number=signal.SIGSTOP):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)


def let_go(host: Host) -> None:
    """Let the moves from a host go on."""
    host.configure(save_rate=0)
    host.kill("libxl-save-helper", number=signal.SIGCONT)
