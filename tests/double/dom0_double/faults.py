# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults at named points of xl and its helper.

A host's ``faults.json`` holds a list of objects; each names a point and an action, and is used up by one hit unless
``times`` says otherwise:

``{"point": "receive.ready", "action": "kill"}``

Actions: ``kill`` (SIGKILL to itself), ``kill_parent``, ``exit`` (with ``status``), ``stall`` (for ``seconds``, for ever
without), ``power_loss`` (of the host), ``signal`` (``number`` to itself), and those a point understands by itself, such
as ``text`` for the banner or ``status`` for the status byte: they are returned to the caller. Points at a position in
the stream carry ``at``, a number of bytes. ``ask`` tells whoever listens at the Unix socket ``socket`` that the point
was reached, and waits for the answer: so that anything at all may happen meanwhile. The point ``*`` is every point.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import time
import typing as t

from .paths import HostPaths

Fault = dict[str, t.Any]


class Faults:
    """The faults of one host, as one process sees them."""

    def __init__(self, paths: HostPaths, power_loss: t.Callable[[], None]) -> None:
        self._paths = paths
        self._power_loss = power_loss

    def _load(self) -> list[Fault]:
        try:
            return list(json.loads(self._paths.faults.read_text()))
        except FileNotFoundError:
            return []

    def _take(self, point: str) -> Fault | None:
        if not self._paths.faults.exists():
            return None
        with open(self._paths.root / "faults.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            faults = self._load()
            at = next((number for number, fault in enumerate(faults) if fault["point"] in (point, "*")), None)
            if at is None:
                return None
            fault = faults[at]
            times = fault.get("times", 1)
            faults[at : at + 1] = [{**fault, "times": times - 1}] if times > 1 else []
            part = self._paths.faults.with_suffix(".part")
            part.write_text(json.dumps(faults))
            part.rename(self._paths.faults)
        return fault

    def position(self, point: str) -> int | None:
        """Return the byte position of a waiting fault at a point, without using it up."""
        positions = [int(fault["at"]) for fault in self._load() if fault["point"] == point]
        return min(positions) if positions else None

    def hit(self, point: str) -> Fault | None:
        """Pass a point: record it, do what a waiting fault says, or return it when it is the caller's to do."""
        if self._paths.points.exists():
            with self._paths.points.open("a") as record:
                record.write(f"{time.monotonic_ns()} {point}\n")
        fault = self._take(point)
        if fault is None:
            return None
        match fault["action"]:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "kill_parent":
                os.kill(os.getppid(), signal.SIGKILL)
            case "signal":
                os.kill(os.getpid(), int(fault["number"]))
            case "exit":
                os._exit(int(fault.get("status", 1)))
            case "stall":
                time.sleep(float(fault.get("seconds", 1e9)))
            case "power_loss":
                self._power_loss()
                time.sleep(1e9)
            case "ask":
                ask(str(fault["socket"]), f"{self._paths.name} {os.getpid()} {point}")
            case "status" | "text" | "silent":
                return fault
            case action:
                raise ValueError(f"{point}: no such action as {action}")
        return None


def ask(path: str, text: str) -> None:
    """Tell a line to whoever listens at a Unix socket, and wait for the answer; go on when nobody listens."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
            connection.sendall(text.encode() + b"\n")
            connection.recv(1)
        except OSError:
            return
