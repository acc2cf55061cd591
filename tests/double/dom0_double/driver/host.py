# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host of the double, as tests see it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import typing as t
import uuid

from .. import processes
from ..machine import runlog
from ..machine.client import Machine, NoMachine
from ..machine.domain import HypercallError, Json
from ..paths import HostPaths
from ..settings import Settings
from . import commands, xendomains

_MACHINE = pathlib.Path(__file__).resolve().parents[2] / "machine.py"


@dataclasses.dataclass(frozen=True)
class Result:
    """How a command on a host ended."""

    status: int
    stdout: str
    stderr: str


@dataclasses.dataclass(frozen=True)
class GuestConfig:
    """A guest to start. ``behaviour`` holds fields of :class:`..machine.guest.Behaviour`."""

    name: str = "centos"
    uuid: str = "dbef3e02-5c99-4441-b5fd-ac266d0e1ffe"
    kind: str = "pvh"
    memory_mib: int = 16
    vcpus: int = 1
    bridge: str | None = "xenbr0"
    extra: str = ""
    compact: bool = False
    untouched: float = 0.5
    behaviour: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)

    def text(self) -> str:
        """Return it as an xl.cfg."""
        lines = [f'name = "{self.name}"', f'uuid = "{self.uuid}"', f'type = "{self.kind}"']
        lines += [f"memory = {self.memory_mib}", f"vcpus = {self.vcpus}", 'kernel = "/srv/guest/vmlinuz"']
        lines += [f'vif = [ "mac=00:16:3e:00:00:64,bridge={self.bridge}" ]'] if self.bridge else []
        return "\n".join([*lines, self.extra, ""])


class Host:
    """A dom0 of the double."""

    def __init__(self, root: pathlib.Path) -> None:
        self.paths = HostPaths(root)
        #: What goes before every command on the host, as nsenter with a network of its own.
        self.prefix: tuple[str, ...] = ()
        #: A descriptor of a pipe; the host ends with the process that holds the other end.
        self.lifeline: int | None = None
        self.machine = Machine(self.paths.hypercall_socket) if self.paths.run.exists() else t.cast(Machine, None)

    @property
    def name(self) -> str:
        """The host's name."""
        return self.paths.name

    @property
    def environment(self) -> dict[str, str]:
        """The environment of processes on the host."""
        return {**os.environ, **commands.environment(self.paths)}

    # -- power -----------------------------------------------------------------------------------------------------

    def make(self, memory: pathlib.Path, python: str, settings: Settings) -> None:
        """Make the host's folders and commands; ``memory`` is on a memory file system."""
        for folder in (self.paths.root, self.paths.lib, self.paths.log):
            folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        xendomains.install(self.paths)
        if not self.paths.run.is_symlink():
            run = pathlib.Path(tempfile.mkdtemp(prefix="d-", dir=memory))
            self.paths.run.symlink_to(run)
        settings.save(self.paths.settings)
        commands.write(self.paths, python)
        if not settings.xen_cpuid:
            (self.paths.bin / "xen-cpuid").unlink()
        commands.install_volumes(self.paths, settings.volumes, read_only=settings.volumes_read_only)
        commands.install_processor(self.paths, settings.cpu_maker)
        commands.install_qemu(self.paths, settings.qemu)
        self.machine = Machine(self.paths.hypercall_socket)

    @property
    def is_on(self) -> bool:
        """Whether the host has power."""
        try:
            self.machine.call("ping")
        except NoMachine:
            return False
        return True

    def power_on(self) -> None:
        """Start the host's machine, with empty memory and XenStore."""
        if self.is_on:
            raise RuntimeError(f"{self.name} is on already")
        self.paths.boot_id.write_text(f"{uuid.uuid4()}\n")
        read, write = os.pipe()
        os.set_inheritable(write, True)
        with open(self.paths.log / "machine.log", "ab") as output:
            numbers = [write] if self.lifeline is None else [write, self.lifeline]
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_MACHINE), *[str(number) for number in numbers]],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=numbers,
                start_new_session=True,
            )
        os.close(write)
        ready = os.read(read, 1)
        os.close(read)
        if not ready:
            process.wait()
            raise RuntimeError(f"{self.name} does not start: " + (self.paths.log / "machine.log").read_text())
        self._process = process
        if Settings.load(self.paths.settings).xendomains:
            xendomains.start(self.paths, self.run)

    def power_off(self) -> None:
        """Take the power away: everything on the host is killed, and what was in memory is gone."""
        pids = processes.of_host(self.paths.root)
        machines = [pid for pid in pids if b"machine.py" in _command_line(pid)]
        processes.end(machines)
        self._note_stop()
        processes.end([pid for pid in pids if pid not in machines])
        processes.end(processes.of_host(self.paths.root))
        self.machine.close()
        if hasattr(self, "_process"):
            self._process.wait()
        for entry in self.paths.run.resolve().iterdir() if self.paths.run.exists() else ():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    def _note_stop(self) -> None:
        now = time.monotonic_ns()
        guests = {entry.uuid for entry in runlog.entries(self.paths.run_log) if entry.host == self.name}
        for guest in guests:
            for run in runlog.running(self.paths.run_log, guest):
                if run.host == self.name:
                    stop = runlog.Entry(now, self.name, run.domid, guest, "stop", "power loss")
                    runlog.append(self.paths.run_log, stop)

    def power_cycle(self) -> None:
        """Lose power, and boot again."""
        self.power_off()
        self.power_on()

    def remove(self) -> None:
        """End the host and its memory; the state folder stays. RuntimeError if its machine had crashed before."""
        run = self.paths.run.resolve()
        self.power_off()
        if self.paths.run.is_symlink():
            self.paths.run.unlink()
            shutil.rmtree(run, ignore_errors=True)
        log = self.paths.log / "machine.log"
        if log.exists() and "Traceback" in (text := log.read_text()):
            # Not a power loss that a test asked for: whatever it found is worth nothing.
            raise RuntimeError(f"the machine of {self.name} crashed: {text}")

    @property
    def pids(self) -> list[int]:
        """All processes of the host."""
        return processes.of_host(self.paths.root)

    def left_over(self) -> list[str]:
        """Return command lines of processes other than the machine and monitors: nothing should be left by a test."""
        lines = [_command_line(pid).replace(b"\0", b" ").decode() for pid in self.pids if not self.is_monitor(pid)]
        return [line for line in lines if "machine.py" not in line]

    def is_monitor(self, pid: int) -> bool:
        """Whether a process is one that xl leaves behind to handle a domain's end."""
        try:
            return pathlib.Path(os.readlink(f"/proc/{pid}/fd/2")).is_relative_to(self.paths.log)
        except OSError:
            return False

    # -- commands --------------------------------------------------------------------------------------------------

    def run(self, *command: str, timeout: float = 60.0, stdin: bytes = b"") -> Result:
        """Run a command on the host."""
        done = subprocess.run(
            [*self.prefix, *command],
            env=self.environment,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def spawn(self, *command: str, **arguments: t.Any) -> subprocess.Popen[bytes]:
        """Start a command on the host."""
        return subprocess.Popen([*self.prefix, *command], env=self.environment, **arguments)

    def start_guest(self, guest: GuestConfig | None = None) -> int:
        """Create and start a guest; returns its domid."""
        guest = guest or GuestConfig()
        behaviour = {"working_set": 1000, **guest.behaviour}
        self.machine.call(
            "expect", name=guest.name, behaviour=behaviour, compact=guest.compact, untouched=guest.untouched
        )
        done = self.run("xl", "create", str(self._write(guest)))
        if done.status:
            raise RuntimeError(done.stderr)
        return int(self.run("xl", "domid", guest.name).stdout)

    def reboot_guest(self, name: str = "centos", seconds: float = 30.0) -> None:
        """Have a guest reboot, and wait until another one runs in its place; RuntimeError when none comes."""
        before, deadline = self.guest(name), time.monotonic() + seconds
        done = self.run("xl", "reboot", name)
        while time.monotonic() < deadline and before is not None and not done.status:
            with contextlib.suppress(HypercallError):  # not built yet
                now = self.guest(name)
                if now is not None and now["boot_id"] != before["boot_id"] and now["running"]:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"{name} does not come back: {done.stderr}")

    def autostart(self, guest: GuestConfig | None = None) -> pathlib.Path:
        """Have the host start a guest when it boots; returns the link to its configuration."""
        guest = guest or GuestConfig()
        link = self.paths.auto / f"{guest.name}.cfg"
        link.symlink_to(self._write(guest))
        return link

    def keep_config(self, guest: GuestConfig | None = None, starts: bool = False) -> pathlib.Path:
        """Put a guest's configuration where a host's lie; with ``starts`` the host starts it when it boots."""
        guest = guest or GuestConfig()
        path = self._write(guest, self.paths.auto.parent)
        if starts:
            (self.paths.auto / path.name).symlink_to(path)
        return path

    def _write(self, guest: GuestConfig, folder: pathlib.Path | None = None) -> pathlib.Path:
        path = (folder or self.paths.root) / f"{guest.name}.cfg"
        path.write_text(guest.text())
        return path

    # -- looking ---------------------------------------------------------------------------------------------------

    def domains(self) -> list[Json]:
        """Return all domains but dom0, as the hypervisor knows them."""
        return [info for info in self.machine.call("list") if info["domid"]]

    def guest(self, name: str = "centos") -> Json | None:
        """Return what a guest would answer (boot_id, counter, verified, running ...), None when it is not here.

        Nor is it before its memory is there, or when it goes while it is asked.
        """
        for info in self.domains():
            if info["name"] == name:
                with contextlib.suppress(HypercallError):
                    return dict(self.machine.call("guest", domid=info["domid"]))
        return None

    def behave(self, name: str, **behaviour: t.Any) -> None:
        """Change how a guest behaves."""
        for info in self.domains():
            if info["name"] == name:
                self.machine.call("behave", domid=info["domid"], behaviour=behaviour)

    def configure(self, **values: t.Any) -> None:
        """Change settings of the host."""
        self.machine.call("configure", values=values)

    # -- faults ----------------------------------------------------------------------------------------------------

    def faults(self, *faults: Json) -> None:
        """Replace the faults that wait on this host."""
        if faults:
            self.paths.faults.write_text(json.dumps(list(faults)))
        else:
            self.paths.faults.unlink(missing_ok=True)

    def record_points(self) -> None:
        """From now on note which fault points are passed."""
        self.paths.points.write_text("")

    def points(self) -> list[str]:
        """Return the fault points passed, in order."""
        return [line.split(" ", 1)[1] for line in self.paths.points.read_text().splitlines()]

    def passed(self, point: str) -> list[int]:
        """Return when a point was passed, each time, in nanoseconds of the monotonic clock."""
        lines = [line.split(" ", 1) for line in self.paths.points.read_text().splitlines()]
        return [int(at) for at, name in lines if name == point]

    def passed_at(self, point: str) -> float:
        """Return when a point was passed last, in seconds of the monotonic clock."""
        return max(self.passed(point)) / 1e9

    def kill(self, *words: str, number: int = signal.SIGKILL) -> list[int]:
        """Send a signal to the host's processes whose command line has all the words; returns their ids."""
        found = [pid for pid in self.pids if all(word.encode() in _command_line(pid) for word in words)]
        for pid in found:
            os.kill(pid, number)
        return found


def _command_line(pid: int) -> bytes:
    try:
        return pathlib.Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return b""
