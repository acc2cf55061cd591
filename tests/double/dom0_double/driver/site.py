# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several hosts of the double on one machine."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import sys
import tempfile
import time
import typing as t

from ..machine import runlog
from ..settings import Settings
from .host import Host

# What is on its way to its end when a test is over may have to wait for a processor.
_ENDS_S = 10.0
_MEMORY = pathlib.Path("/dev/shm")  # noqa: S108


class Site:
    """A state folder with hosts, and the inventory that leads Ansible to them."""

    def __init__(self, state: pathlib.Path, bound: bool = True) -> None:
        """``bound`` hosts end with the process that switched them on, even when it is killed."""
        self.state = state.resolve()
        self._bound = bound
        self._lifeline: tuple[int, int] | None = None
        self.hosts = {path.parent.name: Host(path.parent) for path in sorted(self.state.glob("*/settings.json"))}

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    @property
    def inventory(self) -> pathlib.Path:
        """The Ansible inventory."""
        return self.state / "inventory.yml"

    @property
    def run_log(self) -> pathlib.Path:
        """When which copy of which guest ran."""
        return self.state / "runs.log"

    def up(self, names: t.Sequence[str], python: str | None = None, **settings: t.Any) -> None:
        """Make hosts and switch them on; hosts that are on lose what was on them.

        ``python`` is what modules run with; it needs pyxs to see XenStore. ``settings`` are those of every host.
        """
        self.state.mkdir(parents=True, exist_ok=True)
        link = self.state / "memory"
        if not link.is_symlink() or not link.exists():
            link.unlink(missing_ok=True)
            self.run_log.unlink(missing_ok=True)
            link.symlink_to(tempfile.mkdtemp(prefix="dom0-", dir=_MEMORY))
        if self._bound and self._lifeline is None:
            self._lifeline = os.pipe()
        for name in names:
            host = self.hosts.setdefault(name, Host(self.state / name))
            if host.paths.run.exists() and host.is_on:
                host.power_off()
            host.make(link.resolve(), python or sys.executable, Settings.of(settings))
            host.lifeline = self._lifeline[0] if self._lifeline else None
            host.power_on()
        self._write_inventory()

    def _write_inventory(self) -> None:
        text = "---\ndom0:\n  hosts:\n"
        for host in self.hosts.values():
            text += f"    {host.name}:\n      ansible_connection: local\n"
            text += f"      ansible_python_interpreter: {host.paths.bin / 'python3'}\n"
            text += f"      dom0_xen_runtime_path: {host.paths.run.resolve() / 'dom0-xen'}\n"
            text += f"      dom0_xen_journal_path: {host.paths.lib / 'dom0-xen'}\n"
            text += "      dom0_xen_address: 127.0.0.1\n"
        self.inventory.write_text(text)

    def down(self, ends_s: float = _ENDS_S) -> list[str]:
        """End all hosts. Returns the processes, other than machines and monitors, that do not end by themselves.

        RuntimeError when a machine had crashed.
        """
        deadline = time.monotonic() + ends_s
        while (left := self._left_over()) and time.monotonic() < deadline:
            time.sleep(0.05)
        with contextlib.ExitStack() as ends:
            ends.callback(self._forget_memory)
            for host in self.hosts.values():
                ends.callback(host.remove)
        return left

    def _left_over(self) -> list[str]:
        return [f"{host.name}: {line}" for host in self.hosts.values() for line in host.left_over()]

    def _forget_memory(self) -> None:
        link = self.state / "memory"
        if link.is_symlink():
            shutil.rmtree(os.path.realpath(link), ignore_errors=True)
            link.unlink()
        for descriptor in self._lifeline or ():
            os.close(descriptor)
        self._lifeline = None

    # -- judging ---------------------------------------------------------------------------------------------------

    def overlaps(self, uuid: str) -> list[tuple[runlog.Interval, runlog.Interval]]:
        """Return pairs of copies of a guest that ran at the same time: must be empty."""
        return runlog.overlaps(self.run_log, uuid)

    def running(self, uuid: str) -> list[runlog.Interval]:
        """Return the copies of a guest that run now: must be one."""
        return runlog.running(self.run_log, uuid)

    def intervals(self, uuid: str) -> list[runlog.Interval]:
        """Return when copies of a guest ran."""
        return runlog.intervals(self.run_log, uuid)

    def gaps(self, uuid: str) -> list[float]:
        """Return the seconds between one run of a guest and the next."""
        return runlog.gaps(self.run_log, uuid)
