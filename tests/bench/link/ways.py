# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways that a stream can go from one ``xl`` to another: this collection's, and those it is compared with."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import shlex
import shutil
import subprocess
import time
import typing as t

from dom0_double.driver import commands
from dom0_double.driver.host import GuestConfig, Host
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.bench.link.network import Ends
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import two_hosts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.receiving import receiving
from ansible_collections.dom0.xen.tests.unit.sshd import Sshd

SOURCE, DESTINATION = "xen1", "xen2"
SSH = "ssh"
LIMIT_S = 1800.0
_PORT = 18100


@dataclasses.dataclass(frozen=True)
class Run:
    """One move: seconds from the destination's banner to its "ready", and what it cost.

    ``cpu_s`` is what this machine's processors did meanwhile, whoever did it; ``peak_kib`` the most memory that the
    sender and the receiver had, and ``packing`` what the sender told of it, for the collection's own ways.
    """

    seconds: float
    cpu_s: float
    peak_kib: tuple[int, ...] = ()
    packing: dict[str, t.Any] = dataclasses.field(default_factory=dict)


class Way(t.Protocol):
    """A way that a stream goes."""

    @property
    def name(self) -> str:
        """What it is called in the figures."""

    def move(self, site: Site, ends: Ends) -> Run:
        """Move the guest from the source to the destination."""


@dataclasses.dataclass(frozen=True)
class Ours:
    """The complete sender and receiver."""

    name: str
    transport: str = "tls"
    compression: str = "auto"

    def move(self, site: Site, ends: Ends) -> Run:
        """As the role does it, without the role."""
        receiver = receiving.start(site[DESTINATION], listen_address=ends.address, transport=self.transport)
        before = _busy_s()
        move = two_hosts.begin_to(
            site, receiver, transport=self.transport, compression=self.compression, ready_timeout=LIMIT_S
        )
        result = move.result(LIMIT_S)
        if result["error"] or result["owner"] != "destination":
            raise SystemExit(f"{self.name}: {result['error']}")
        cpu_s = _busy_s() - before
        peaks = (result["peak_memory_kib"], receiver.result()["peak_memory_kib"])
        shutil.rmtree(move.journal)
        shutil.rmtree(receiver.journal)
        return Run(_seconds(site), cpu_s, peaks, result["packing"] or {})


@dataclasses.dataclass(frozen=True)
class Command:
    """``xl migrate`` with a command of its own between the two; ``line`` makes it of the one that receives."""

    name: str
    line: t.Callable[[str, Ends], str]
    beside: t.Callable[[str, Ends, Host], t.ContextManager[None]] | None = None

    def move(self, site: Site, ends: Ends) -> Run:
        """Call it as a person does."""
        receive = _receive(site[DESTINATION])
        with self.beside(receive, ends, site[DESTINATION]) if self.beside else contextlib.nullcontext():
            before = _busy_s()
            line = self.line(receive, ends)
            done = site[SOURCE].run("xl", "migrate", "-s", "", GuestConfig.name, line, timeout=LIMIT_S)
            cpu_s = _busy_s() - before
        if done.status:
            raise SystemExit(f"{self.name}: {done.stderr[-2000:]}")
        return Run(_seconds(site), cpu_s)


@contextlib.contextmanager
def over_ssh(folder: pathlib.Path, ends: Ends) -> t.Iterator[Command]:
    """Have an sshd at the destination; give the way that ``xl`` goes by default, with the ciphers ssh picks."""
    with Sshd(folder, f"ListenAddress {ends.address}", prefix=ends.destination) as sshd:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
        sshd.authorized_keys.write_text((folder / "key.pub").read_text())
        (folder / "known_hosts").write_text(f"[{ends.address}]:{sshd.port} {sshd.host_key}\n")

        def line(receive: str, there: Ends) -> str:
            options = f"-F none -o UserKnownHostsFile={folder}/known_hosts -i {folder}/key -p {sshd.port}"
            return f"exec ssh {options} {sshd.user}@{there.address} {shlex.quote(receive)}"

        yield Command(SSH, line)


@contextlib.contextmanager
def _listening(receive: str, ends: Ends, host: Host) -> t.Iterator[None]:
    script = f"exec {receive}"
    listen = f"TCP-LISTEN:{_PORT},bind={ends.address},reuseaddr,nodelay"
    process = host.spawn("socat", listen, f"EXEC:{_words(host, script)},pipes", stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not _listens(process.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _words(host: Host, script: str) -> str:
    path = host.paths.root / "receive.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def _listens(pid: int) -> bool:
    with contextlib.suppress(OSError):
        table = pathlib.Path(f"/proc/{pid}/net/tcp").read_text()
        return f":{_PORT:04X} " in table
    return False


SOCAT = Command("socat", lambda dummy, ends: f"exec socat - TCP:{ends.address}:{_PORT},nodelay", _listening)


def _receive(host: Host) -> str:
    variables = " ".join(f"{key}={shlex.quote(value)}" for key, value in commands.environment(host.paths).items())
    return f"env {variables} {shlex.quote(str(host.paths.bin / 'xl'))} migrate-receive"


def _seconds(site: Site) -> float:
    begun, ready = site[SOURCE].passed_at("migrate.config"), site[DESTINATION].passed_at("receive.ready")
    if not begun < ready:
        raise SystemExit("the moments of the move contradict each other")
    return ready - begun


def _busy_s() -> float:
    # user, nice, system, idle, iowait, irq, softirq
    words = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
    ticks = [int(word) for word in words]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
