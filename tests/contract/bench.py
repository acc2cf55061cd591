# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the contract do with hosts: run scripts against either xl, look, and tidy up."""

from __future__ import annotations

import dataclasses
import json
import time
import typing as t

from .sites import GUEST, PLAYER, Node, Result, Row, Site, rows

BANNER = b"xl migration receiver ready, send binary domain data.\n"
READY = b"domain received, ready to unpause\0"
GO = b"domain is yours, you are cleared to unpause\0"
REPORT = b"my copy unpause results are as follows\0"
# Below the ports that the kernel gives to connecting sockets: on one host, one that tries again and again until
# somebody listens would now and then be given the very port it connects to, and be connected with itself.
TOGETHER = 24242

Step = dict[str, t.Any]


def send(data: bytes) -> Step:
    """A step that sends bytes."""
    return {"do": "send", "hex": data.hex()}


def step(name: str, **values: t.Any) -> Step:
    """A step by name."""
    return {"do": name, **values}


@dataclasses.dataclass(frozen=True)
class Played:
    """How a script went, and how the xl it was played against ended."""

    status: int
    stderr: str
    steps: list[Step]
    error: str | None

    def of(self, name: str) -> list[Step]:
        """Return the steps of one kind that were done."""
        return [done for done in self.steps if done["do"] == name]

    def sent(self, at: int = -1) -> bytes:
        """Return the bytes one ``read`` step got."""
        return bytes.fromhex(self.of("read")[at]["hex"])


class Bench:
    """Tests' view of a site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.source = site.source
        self.destination = site.destination
        self._count = 0
        for node in (self.source, self.destination):
            self.put(node, "player.py", PLAYER.read_text())

    # -- looking ---------------------------------------------------------------------------------------------------

    @staticmethod
    def put(node: Node, name: str, text: str) -> str:
        """Write a file on a host; returns its path."""
        path = f"{node.folder}/{name}"
        done = node.run("sh", "-c", f"cat > {path}", stdin=text)
        if done.status:
            raise RuntimeError(done.stderr)
        return path

    def domains(self, node: Node) -> dict[str, Row]:
        """Return the domains of a host by name."""
        return rows(node.run("xl", "list", "-v").stdout)

    def state(self, node: Node, name: str = GUEST) -> str:
        """Return the state column of a domain."""
        return self.domains(node)[name].state

    def runs(self, node: Node, name: str = GUEST) -> bool:
        """Tell whether a domain executes: neither paused nor shut down, and using processor time."""
        before = self.domains(node).get(name)
        if before is None or before.state[2:] != "----":
            return False
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            now = self.domains(node).get(name)
            if now is not None and now.domid == before.domid and now.time > before.time:
                return True
            time.sleep(0.1)
        return False

    def read(self, node: Node, path: str) -> str | None:
        """Return the value of a node of XenStore, None where there is none."""
        done = node.run("xenstore-read", path)
        return None if done.status else done.stdout.removesuffix("\n")

    # -- tidying ---------------------------------------------------------------------------------------------------

    def clear(self, node: Node) -> None:
        """Destroy every domain of a host but dom0."""
        for row in self.domains(node).values():
            node.run("xl", "destroy", str(row.domid))
        deadline = time.monotonic() + 30
        while self.domains(node) and time.monotonic() < deadline:
            time.sleep(0.2)

    def ready(self) -> None:
        """Have the guest run on the source, and nothing else anywhere."""
        found = self.domains(self.source)
        if set(found) != {GUEST} or found[GUEST].state[2:] != "----":
            self.clear(self.source)
            self.create(self.source, GUEST)
        self.clear(self.destination)

    def create(self, node: Node, name: str, uuid: str | None = None, paused: bool = False) -> None:
        """Start a guest, and give it time to come up; or leave it paused."""
        path = self.put(node, "guest.cfg", self.site.config(name, uuid))
        done = node.run("xl", "create", "-q", *(["-p"] if paused else []), path)
        if done.status:
            raise RuntimeError(done.stderr)
        domid = self.domains(node)[name].domid
        deadline = time.monotonic() + 300
        while not paused and self.read(node, f"/local/domain/{domid}/device/vif/0/state") != "4":
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name} does not come up")
            time.sleep(0.05)

    # -- playing ---------------------------------------------------------------------------------------------------

    def _scripts(self, node: Node, steps: t.Sequence[Step]) -> tuple[str, str, str]:
        self._count += 1
        script = self.put(node, f"{self._count}.script", json.dumps(list(steps)))
        return f"{node.folder}/player.py", script, f"{node.folder}/{self._count}.result"

    def _result(self, node: Node, path: str) -> Step:
        done = node.run("cat", path)
        if done.status:
            return {"steps": [], "error": "no result: the player was killed", "status": None, "stderr": ""}
        return dict(json.loads(done.stdout))

    def migrate(
        self, *steps: Step, domain: str = GUEST, options: t.Sequence[str] = (), timeout: float = 240.0
    ) -> Played:
        """Run ``xl migrate`` on the source, against a script that plays the destination."""
        player, script, result = self._scripts(self.source, steps)
        command = f"exec python3 {player} {script} {result}"
        done = self.source.run("xl", "migrate", *options, "-s", "", domain, command, timeout=timeout)
        played = self._result(self.source, result)
        return Played(done.status, done.stderr, played["steps"], played["error"])

    def receive(self, *steps: Step, options: t.Sequence[str] = (), node: Node | None = None) -> Played:
        """Run ``xl migrate-receive``, against a script that plays the source."""
        node = node or self.source
        player, script, result = self._scripts(node, steps)
        node.run("python3", player, script, result, "--", "xl", "migrate-receive", *options, timeout=240.0)
        played = self._result(node, result)
        return Played(played["status"], played["stderr"], played["steps"], played["error"])

    def both(self, *options: str, port: int = TOGETHER) -> tuple[Result, Played]:
        """Migrate for real from source to destination, through two players and a connection."""
        player, script, result = self._scripts(
            self.destination, [step("bridge", listen=port), step("wait_exit", seconds=60)]
        )
        command = ["python3", player, script, result, "--", "xl", "migrate-receive", *options]
        line = " ".join(command)
        self.destination.run("sh", "-c", f"setsid {line} </dev/null >/dev/null 2>&1 &")
        player, script, dummy = self._scripts(self.source, [step("bridge", connect=[self.destination.address, port])])
        done = self.source.run(
            "xl", "migrate", "-s", "", GUEST, f"exec python3 {player} {script} {dummy}", timeout=240.0
        )
        deadline = time.monotonic() + 60
        while self.destination.run("test", "-e", result).status and time.monotonic() < deadline:
            time.sleep(0.1)
        played = self._result(self.destination, result)
        return done, Played(played["status"], played["stderr"], played["steps"], played["error"])
