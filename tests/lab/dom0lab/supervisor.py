# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one process that outlives `lab up`: parent of both QEMUs and the switch between them.

Its children die with it (PDEATHSIG), and it dies with whoever started it, until told to detach: it holds the reading
end of a pipe whose writing end only the starter has. It listens on the socket ``control`` in the state folder for one
line of JSON per connection, and answers with one.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
import typing as t
from collections.abc import Sequence
from pathlib import Path

from .switch import Port, Switch, listeners
from .with_parent import with_parent

OUTSIDE = "outside"
SOCKETS = ("control", "*.port", "*.qmp", "*.ssh")


class Supervisor:
    """Starts and ends the hosts' QEMUs, runs the switch, answers on the control socket."""

    def __init__(self, commands: dict[str, list[str]], starter: int | None) -> None:
        self._commands = commands
        self._selector = selectors.DefaultSelector()
        self._switch = Switch(self._selector)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._ended: dict[str, int] = {}
        self._down = False
        self._starter = starter
        clean_sockets()
        for name, server in listeners([*commands, OUTSIDE]).items():
            self._selector.register(server, selectors.EVENT_READ, ("port", name))
        self._control = socket.socket(socket.AF_UNIX)
        self._control.bind("control")
        self._control.listen(8)
        self._selector.register(self._control, selectors.EVENT_READ, ("control", ""))
        if starter is not None:
            self._selector.register(starter, selectors.EVENT_READ, ("starter", ""))

    def run(self) -> None:
        """Serve until told to go down, until a signal says so, or until the starter is gone."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._signalled)
        try:
            while not self._down:
                for key, events in self._selector.select(timeout=0.5):
                    if isinstance(key.data, Port):
                        self._switch.ready(key.data, events)
                    else:
                        self._event(key)
                self._reap()
        finally:
            self.stop_all()
            clean_sockets()

    def _signalled(self, number: int, frame: object) -> None:
        self._down = True

    def _event(self, key: selectors.SelectorKey) -> None:
        kind, name = key.data
        if kind == "starter":
            if os.read(t.cast(int, key.fileobj), 1) == b"":
                self._down = True
            return
        wire, dummy = t.cast(socket.socket, key.fileobj).accept()
        if kind == "port":
            self._switch.plug(name, wire, patient=name != OUTSIDE)
        else:
            self._answer(wire)

    def _answer(self, wire: socket.socket) -> None:
        wire.settimeout(5)
        with wire:
            try:
                with wire.makefile("rwb") as stream:
                    request = json.loads(stream.readline())
                    try:
                        answer = self.do(request)
                    except (KeyError, OSError, ValueError) as exc:
                        answer = {"error": f"{type(exc).__name__}: {exc}"}
                    stream.write(json.dumps(answer).encode() + b"\n")
            except (OSError, ValueError) as exc:
                print(f"control: {exc}", file=sys.stderr)

    def do(self, request: dict[str, t.Any]) -> dict[str, t.Any]:
        """One request: {"do": VERB, ...}."""
        verb = request["do"]
        if verb == "status":
            return self.status()
        if verb == "start":
            self.start(request["host"], loadvm=request.get("loadvm"), more=request.get("more") or ())
        elif verb == "stop":
            self.stop(request["host"], hard=bool(request.get("hard")))
        elif verb == "cut":
            self._switch.cut(request["one"], request["other"])
        elif verb == "wall":
            self._switch.wall(request["one"], request["other"], request["ports"])
        elif verb == "mend":
            self._switch.mend()
        elif verb == "forget":
            self._switch.forget()
        elif verb == "detach":
            self._detach()
        elif verb == "down":
            self._down = True
            self.stop_all()
        else:
            raise ValueError(f"unknown request {verb!r}")
        return self.status()

    def status(self) -> dict[str, t.Any]:
        return {
            "pid": os.getpid(),
            "attached": self._starter is not None,
            "hosts": {
                name: {
                    "pid": child.pid if (child := self._children.get(name)) else None,
                    "ended": self._ended.get(name),
                }
                for name in self._commands
            },
            "cuts": self._switch.cuts,
            "walls": self._switch.walls,
            "ports": [{"name": p.name, "frames": p.frames, "lost": p.lost} for p in self._switch.ports],
        }

    def _detach(self) -> None:
        if self._starter is not None:
            self._selector.unregister(self._starter)
            os.close(self._starter)
            self._starter = None

    def start(self, name: str, *, loadvm: str | None = None, more: Sequence[str] = ()) -> None:
        """Start a host's QEMU, with ``more`` on its command line; nothing if it runs."""
        if name in self._children:
            return
        Path(f"{name}.qmp").unlink(missing_ok=True)
        snapshot = ["-loadvm", loadvm] if loadvm else []
        command = with_parent("KILL", [*self._commands[name], *snapshot, *more])
        with Path(f"{name}.log").open("ab") as log:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._children[name] = child
        self._ended.pop(name, None)

    def stop(self, name: str, *, hard: bool = False) -> None:
        """End a host's QEMU: SIGTERM lets it write out its disk (the guest gets no notice), ``hard`` does not."""
        child = self._children.get(name)
        if child is None:
            return
        child.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        self._reap()

    def stop_all(self) -> None:
        for child in self._children.values():
            child.terminate()
        for name in list(self._children):
            self.stop(name)

    def _reap(self) -> None:
        for name, child in list(self._children.items()):
            if child.poll() is not None:
                del self._children[name]
                self._ended[name] = child.returncode
                print(f"{time.strftime('%H:%M:%S')} {name} ended with {child.returncode}", file=sys.stderr)


def clean_sockets() -> None:
    for pattern in SOCKETS:
        for path in Path().glob(pattern):
            path.unlink(missing_ok=True)


def main() -> None:
    """Arguments: --starter FD; the hosts' commands come from commands.json in the current folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--starter", type=int)
    arguments = parser.parse_args()
    commands: dict[str, list[str]] = json.loads(Path("commands.json").read_text())
    supervisor = Supervisor(commands, arguments.starter)
    Path("supervisor.pid").write_text(f"{os.getpid()}\n")
    supervisor.run()
    Path("supervisor.pid").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
