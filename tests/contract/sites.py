# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the contract is tried: two hosts, of the double or of the lab."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import typing as t

from dom0_double.driver.host import GuestConfig, Host
from dom0_double.driver.site import Site as DoubleHosts
from dom0lab.guest_disk import GUEST_UUID, guest_config

PLAYER = pathlib.Path(__file__).with_name("player.py")
GUEST = "centos"


@dataclasses.dataclass(frozen=True)
class Result:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of ``xl list -v``."""

    name: str
    domid: int
    memory: int
    vcpus: int
    state: str
    time: float
    uuid: str
    reason: str


_ROW = re.compile(r"^(.+?) +(\d+) +(\d+) +(\d+) {5}(\S{6}) +([\d.]+) (\S{36}) +(\S+) +(\S+)$")


def rows(text: str) -> dict[str, Row]:
    """Return what ``xl list -v`` lists, dom0 left out; names are unique on a host."""
    found = {}
    for line in text.splitlines()[1:]:
        match = _ROW.match(line)
        if match is None:
            raise ValueError(f"not a line of xl list -v: {line!r}")
        name, domid, memory, vcpus, state, seconds, uuid, reason, dummy = match.groups()
        if domid != "0":
            found[name] = Row(name, int(domid), int(memory), int(vcpus), state, float(seconds), uuid, reason)
    return found


class Node(t.Protocol):
    """One host."""

    name: str
    folder: str
    address: str

    def run(self, *command: str, timeout: float = 180.0, stdin: str = "") -> Result:
        """Run a command."""


class Site(t.Protocol):
    """Two hosts, and a guest to play with."""

    @property
    def source(self) -> Node:
        """Where the guest is."""

    @property
    def destination(self) -> Node:
        """Where it may go."""

    @property
    def middle(self) -> int:
        """A position within the first round of the guest's memory."""

    def config(self, name: str, uuid: str | None = None) -> str:
        """Return an xl.cfg of a guest like the one under test."""

    def down(self) -> None:
        """End what was started."""


class DoubleNode:
    """A host of the double."""

    address = "127.0.0.1"

    def __init__(self, host: Host) -> None:
        self.host = host
        self.name = host.name
        self.folder = str(host.paths.run.resolve() / "contract")
        pathlib.Path(self.folder).mkdir(exist_ok=True)

    def run(self, *command: str, timeout: float = 180.0, stdin: str = "") -> Result:
        done = self.host.run(*command, timeout=timeout, stdin=stdin.encode())
        return Result(done.status, done.stdout, done.stderr)


class DoubleSite:
    """Two hosts of the double."""

    middle = 2_000_000

    def __init__(self, state: pathlib.Path, python: str) -> None:
        self._hosts = DoubleHosts(state)
        self._hosts.up(["xen1", "xen2"], python=python, suspend_timeout_s=1.5)
        self.source = DoubleNode(self._hosts["xen1"])
        self.destination = DoubleNode(self._hosts["xen2"])

    def config(self, name: str, uuid: str | None = None) -> str:
        behaviour = {"dirty_pages_per_s": 300.0, "working_set": 400, "load": 5.0}
        self.source.host.machine.call("expect", name=name, behaviour=behaviour)
        return GuestConfig(name, uuid or GuestConfig.uuid).text()

    def down(self) -> None:
        left = self._hosts.down()
        if left:
            raise AssertionError(f"left over: {left}")


class LabNode:
    """A host of the lab, over ssh."""

    def __init__(self, folder: pathlib.Path, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self.folder = "/dev/shm/contract"  # noqa: S108
        # One connection for all commands: a handshake costs seconds on an emulated processor.
        self._control = tempfile.mkdtemp(prefix="contract-")
        shared = ["-o", "ControlMaster=auto", "-o", f"ControlPath={self._control}/s", "-o", "ControlPersist=60"]
        self._ssh = ["ssh", "-F", str(folder / "ssh_config"), *shared, name]
        self.run("mkdir", "-p", self.folder)

    def run(self, *command: str, timeout: float = 180.0, stdin: str = "") -> Result:
        done = subprocess.run(
            [*self._ssh, shlex.join(command)], input=stdin.encode(), capture_output=True, timeout=timeout, check=False
        )
        return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def leave(self) -> None:
        """Remove what was put on the host, and end the connection."""
        self.run("rm", "-rf", self.folder)
        subprocess.run([*self._ssh[:-1], "-O", "exit", self.name], capture_output=True, check=False)
        shutil.rmtree(self._control, ignore_errors=True)


class LabSite:
    """Two hosts of a lab that is up: ``folder`` holds its ssh_config and inventory.yml (tests/lab)."""

    middle = 20_000_000

    def __init__(self, folder: pathlib.Path) -> None:
        hosts = json.loads((folder / "inventory.yml").read_text())["all"]["children"]["dom0"]["hosts"]
        nodes = [LabNode(folder, name, values["dom0_xen_address"]) for name, values in hosts.items()]
        self.source, self.destination = nodes[0], nodes[1]

    def config(self, name: str, uuid: str | None = None) -> str:
        return guest_config(name=name, uuid=uuid or GUEST_UUID)

    def down(self) -> None:
        """The lab stays up: it is not ours."""
        for node in (self.source, self.destination):
            node.leave()
