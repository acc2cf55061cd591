# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Xen host of the lab, as the controller sees it: ssh, clock, monitor."""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import threading
import time
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import control
from .errors import LabError
from .qmp import Monitor

Command = Sequence[str] | str


@dataclass(frozen=True)
class Host:
    """A host; ``run`` is the way in. ``address`` is its address on the lab's own network."""

    name: str
    address: str
    ssh_port: int
    folder: Path

    def ssh(self, user: str = "root") -> list[str]:
        """The start of an ssh command line; the remote command follows, as one word."""
        return ["ssh", "-F", str(self.folder / "ssh_config"), "-l", user, self.name]

    def run(self, command: Command, *, user: str = "root", check: bool = True, timeout: float = 300,
            stdin: str | None = None) -> subprocess.CompletedProcess[str]:  # fmt: skip
        """Run a command: a list, or a line for the remote shell. With ``check`` a failure raises LabError."""
        line = command if isinstance(command, str) else shlex.join(command)
        try:
            done = subprocess.run(
                [*self.ssh(user), line], capture_output=True, text=True, timeout=timeout, check=False,
                **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}),
            )  # fmt: skip
        except subprocess.TimeoutExpired as exc:
            raise LabError(f"{self.name}: {line!r} did not end within {timeout:.0f} s") from exc
        if check and done.returncode:
            raise LabError(f"{self.name}: {line!r} ended with {done.returncode}: {done.stderr.strip()}")
        return done

    def start(self, command: Command, *, user: str = "root", **options: t.Any) -> subprocess.Popen[str]:
        """Start a command over ssh and return the ssh process; the caller ends it."""
        line = command if isinstance(command, str) else shlex.join(command)
        return subprocess.Popen([*self.ssh(user), line], text=True, **options)

    def domains(self) -> dict[str, int]:
        """Names and domids of the guests here (dom0 left out)."""
        found: list[dict[str, t.Any]] = json.loads(self.run(["xl", "list", "-l"]).stdout or "[]")
        return {d["config"]["c_info"]["name"]: d["domid"] for d in found if d["domid"] != 0}

    def monitor(self) -> Monitor:
        return Monitor(self.folder, self.name)

    def wait_banner(self, deadline: float) -> None:
        """Wait until sshd answers (QEMU itself takes the connection long before there is one)."""
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.ssh_port), timeout=5) as wire:
                    wire.settimeout(5)
                    if wire.recv(4) == b"SSH-":
                        return
            except OSError:
                time.sleep(0.1)
            if self.pid is None:
                raise LabError(f"{self.name}'s QEMU ended", f"See {self.name}.log and .serial in {self.folder}")
            time.sleep(0.1)
        raise LabError(f"{self.name} did not answer over ssh in time", f"See {self.folder / (self.name + '.serial')}")

    def wait_xen(self, deadline: float) -> None:
        """Wait until Xen's toolstack answers, which comes a little after sshd when the host has just booted."""
        while self.run("xl list", check=False, timeout=120).returncode:
            if time.monotonic() > deadline:
                raise LabError(f"{self.name}: `xl list` does not work", "Try `systemctl status xen` there")
            time.sleep(1)

    def set_clock(self, timeout: float = 120) -> None:
        """Give the host the controller's time: after a snapshot was loaded it lives in the past.

        The time is sent when the host is ready to take it, since a login may take seconds.
        """
        script = "echo ready; read -r now; date -u -s @$now >/dev/null"
        with self.start(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            timer = threading.Timer(timeout, process.kill)
            timer.start()
            try:
                ready = t.cast(t.IO[str], process.stdout).readline()
                if ready:
                    process.communicate(f"{time.time():.3f}\n")
            finally:
                timer.cancel()
        if process.returncode:
            raise LabError(f"{self.name}: its clock could not be set (ssh ended with {process.returncode})")

    @property
    def pid(self) -> int | None:
        """Process id of its QEMU, None when it is powered off."""
        hosts = control.ask(self.folder, "status")["hosts"]
        pid: int | None = hosts[self.name]["pid"]
        return pid

    def power_off(self) -> None:
        """Pull the plug: QEMU ends without a word to the guest; what the guest has written to its disk is kept."""
        control.ask(self.folder, "stop", host=self.name)

    def power_on(self, timeout: float = 600) -> None:
        """Boot from its disk as it is, and wait for ssh and Xen."""
        control.ask(self.folder, "start", host=self.name)
        deadline = time.monotonic() + timeout
        self.wait_banner(deadline)
        self.wait_xen(deadline)
