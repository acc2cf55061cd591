# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as the cases use it: runs against it, what is on its hosts, the guest seen from outside."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
import typing as t
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from dom0lab import Host, Lab, Observation
from proof import playbook

from .plays import A_RUN_S, Outcome, Running

ON_HOST = Path(__file__).parent / "on_host"
BUILD = playbook.ROOT / "build" / "lab-cases"
MIGRATE = "dom0.xen.migrate"
BUSY_PAGES_PER_S = 3000
_INVOKED = re.compile(r"ansible-([\w.]+)(?:\[\d+\])?:? Invoked with")


@dataclass(frozen=True)
class Left:
    """What lies on one host (on_host/look.py). ``marks``: files that say whose it is, or that it is closed."""

    folders: list[str]
    journals: list[str]
    marks: list[str]
    processes: list[str]
    ports: list[int]
    domains: dict[str, dict[str, t.Any]]

    @property
    def remains(self) -> list[str]:
        """What a migration should have taken away."""
        names = [name for name in self.domains if "--" in name]
        return [*self.folders, *self.processes, *(f"port {port}" for port in self.ports), *names]


@dataclass
class Spy:
    """What on_host/spy.py saw on each host."""

    keys: dict[str, str] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    peak_kib: dict[str, int] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)


class World:
    """The lab, and whether the last case left it as it found it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.stale = False
        self.name = "case"
        self.log = BUILD / "log"
        self._runs: list[Running] = []

    @property
    def source(self) -> Host:
        """Where the guest is at the beginning."""
        return self.lab.hosts["xen1"]

    @property
    def destination(self) -> Host:
        """The other host."""
        return self.lab.hosts["xen2"]

    def start(
        self,
        *,
        domain: str = "centos",
        destination: str = "xen2",
        play: str = MIGRATE,
        inventory: Path | None = None,
        options: Sequence[str] = (),
        environment: dict[str, str] | None = None,
        **variables: t.Any,
    ) -> Running:
        """Start a playbook run; ``variables`` are given with -e."""
        extra = {"domain": domain, "destination": destination, **{k: str(v) for k, v in variables.items()}}
        self.log = BUILD / self.name / "log"
        argv = playbook.command(play, inventory or self.lab.inventory, extra, options)
        run = Running(BUILD / self.name, argv, environment or {})
        self._runs.append(run)
        return run

    def end_runs(self) -> None:
        """Kill what was started and still runs: it would go on with the guest of the next case."""
        for run in self._runs:
            if run.running():
                run.kill()
        self._runs.clear()

    def migrate(self, **arguments: t.Any) -> Outcome:
        """Run a playbook to its end."""
        return self.start(**arguments).wait()

    def inventory(self, user: str = "root", drop: Sequence[str] = (), **changes: dict[str, t.Any]) -> Path:
        """A copy of an inventory with other variables for some hosts: ``xen2={"ansible_port": 9}``."""
        name = "inventory.yml" if user == "root" else f"inventory-{user}.yml"
        document = json.loads((self.lab.folder / name).read_text())
        for host, variables in document["all"]["children"]["dom0"]["hosts"].items():
            variables.update(changes.get(host, {}))
            for variable in drop:
                variables.pop(variable, None)
        path = BUILD / self.name / "inventory.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(document))
        return path

    def script(self, host: Host, name: str, *arguments: str, timeout: float = 300) -> str:
        """Run a program of on_host there; returns what it printed."""
        text = (ON_HOST / name).read_text()
        return host.run(["python3", "-I", "-", *arguments], stdin=text, timeout=timeout).stdout

    def look(self) -> dict[str, Left]:
        """What lies on the hosts now, by name; both are asked at once, since each takes its time."""
        hosts = list(self.lab.hosts.values())
        with ThreadPoolExecutor(len(hosts)) as pool:
            answers = pool.map(lambda host: self.script(host, "look.py"), hosts)
            return {host.name: Left(**json.loads(answer)) for host, answer in zip(hosts, answers, strict=True)}

    def journals(self) -> dict[str, list[str]]:
        """The sessions that each host has a journal of."""
        return {name: left.journals for name, left in self.look().items()}

    def require(self, where: str, timeout: float = 30) -> dict[str, Left]:
        """Require the guest on this host and no other, and nothing left of a migration on either; returns the look.

        Daemons may take until ``timeout`` (seconds) to be gone.
        """
        deadline = time.monotonic() + timeout
        seen = self.look()
        while any(left.remains for left in seen.values()) and time.monotonic() < deadline:
            time.sleep(1)
            seen = self.look()
        remains = {name: left.remains for name, left in seen.items() if left.remains}
        if remains:
            raise AssertionError(f"left behind: {remains}")
        places = [name for name, left in seen.items() if self.lab.guest.name in left.domains]
        if places != [where]:
            raise AssertionError(f"the guest is on {places}, not on {where} alone")
        return seen

    def mid_stream(self, host: Host, enough: int = 20_000_000) -> dict[str, t.Any]:
        """Wait until a stream from this host has come so far (bytes); returns the sender's status."""
        status: dict[str, t.Any] = json.loads(
            self.script(host, "mid_stream.py", str(enough), str(A_RUN_S), timeout=A_RUN_S + 30)
        )
        return status

    @contextlib.contextmanager
    def spying(self) -> Iterator[Spy]:
        """Look over both hosts' shoulders; the report is there after the block."""
        report, spies = Spy(), {}
        for host in self.lab.hosts.values():
            host.run("cat > /run/lab-spy.py", stdin=(ON_HOST / "spy.py").read_text())
            spies[host.name] = host.start(
                "exec python3 -I /run/lab-spy.py", stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        try:
            yield report
        finally:
            answers = {name: spy.communicate(timeout=60)[0] for name, spy in spies.items()}
        for name, answer in answers.items():
            seen = json.loads(answer)
            report.keys |= {f"{name}:{path}": text for path, text in seen["keys"].items()}
            report.shown += [f"{name}: {line}" for line in seen["shown"]]
            report.peak_kib |= seen["peak_kib"]
            report.looks[name] = seen["looks"]

    @contextlib.contextmanager
    def counting_modules(self) -> Iterator[list[str]]:
        """The modules that ran on the hosts, from the hosts' own logs; the list is filled after the block.

        Every module of Ansible writes a line to the system's log when it begins (AnsibleModule._log_invocation).
        """
        ran: list[str] = []
        cursors = {}
        for host in self.lab.hosts.values():
            text = host.run("journalctl -q -n 1 --show-cursor").stdout
            cursors[host.name] = text.rpartition("-- cursor: ")[2].strip()
        yield ran
        for host in self.lab.hosts.values():
            text = host.run(["journalctl", "-q", "-o", "short", "--after-cursor", cursors[host.name]]).stdout
            ran += [f"{host.name}: {module}" for module in _INVOKED.findall(text)]


@contextlib.contextmanager
def another_xl(host: Host, script: str) -> Iterator[None]:
    """An xl where modules and logins look first; the real one is /usr/sbin/xl."""
    places = ("/usr/local/sbin/xl", "/usr/local/bin/xl")
    for path in places:
        host.run(f"cat > {path} && chmod 755 {path}", stdin=script)
    try:
        yield
    finally:
        host.run(["rm", *places])


def same_guest(seen: Observation | None, gap_ms: int | None = None) -> Observation:
    """Require that it was one guest, never restarted, its memory whole, silent for at most ``gap_ms``."""
    assert seen is not None
    assert seen.boot_id_unchanged, "the guest was restarted"
    assert seen.counter_never_fell, "the guest went back in time"
    assert seen.memory_verified, "the guest's memory is damaged"
    assert seen.double_answers == 0, "two copies answered"
    assert gap_ms is None or seen.gap_ms <= gap_ms, f"the guest was silent for {seen.gap_ms} ms"
    return seen
