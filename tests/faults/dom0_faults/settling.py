# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settling on the double: a process on each host that does what is asked, and the storage as the tasks at the gate."""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import typing as t

from . import rounds, storage
from .names import DESTINATION, SOURCE
from .rounds import Answer, Settled, Silent
from .world import ROOT, World

ANSWER_S = 40.0
_SETTLER = pathlib.Path(__file__).resolve().parent / "inside" / "settler.py"


class _Hand:
    """A process on a host that carries out what the controller asks."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, **request: t.Any) -> Answer:
        """Return the answer. Raises :class:`Silent`."""
        if not self._world.powered(self._name):
            raise Silent(self._name)
        places = {"runtime": self._world.runtime(self._name), "journal": self._world.journal(self._name)}
        try:
            if self._process is None:
                self._start()
            self._send({**places, **request})
            line = self._process.stdout.readline() if self._process and self._process.stdout else b""
        except BrokenPipeError:
            line = b""
        if not line:
            raise Silent(self._name)
        answer: Answer = json.loads(line)
        return answer

    def _start(self) -> None:
        host = self._world.host(self._name)
        self._process = host.spawn(
            str(host.paths.bin / "python3"),
            str(_SETTLER),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._world.settlers.append(self._process)
        self._send({"code": str(ROOT / "build" / "collections")})

    def _send(self, document: Answer) -> None:
        if self._process is None or self._process.stdin is None:
            raise Silent(self._name)
        self._process.stdin.write(json.dumps(document).encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Let it end."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(ANSWER_S)


class _Storage:
    """The tasks at the gate: the storage changes hands."""

    def __init__(self, world: World) -> None:
        self._path = world.storage

    def tasks(self) -> None:
        """Give it to the destination."""
        storage.hand(self._path, DESTINATION)

    def undo(self) -> None:
        """Give it back."""
        storage.hand(self._path, SOURCE)


def settle(world: World, ran: bool | None = None) -> Settled:
    """Bring the session to one owner, and return what was reported; ``ran`` is a person's word."""
    hands = {name: _Hand(world, name) for name in (SOURCE, DESTINATION)}
    try:
        return rounds.settle(world.session, SOURCE, DESTINATION, hands, _Storage(world), ran)
    finally:
        for hand in hands.values():
            hand.close()
