# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's monitor (QMP), as far as the lab needs it."""

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

from .control import connect
from .errors import LabError


class Monitor:
    """A connection to one host's monitor. QEMU serves one at a time, so use it as a context manager and briefly."""

    def __init__(self, folder: Path, host: str, timeout: float = 120) -> None:
        self._host = host
        deadline = time.monotonic() + 20
        while True:
            try:
                self._wire = connect(folder, f"{host}.qmp", timeout)
                break
            except OSError as exc:
                if time.monotonic() > deadline:
                    raise LabError(f"{host}'s monitor does not answer ({exc})", "Is the host running?") from exc
                time.sleep(0.05)
        self._stream = self._wire.makefile("rwb")
        self._read()
        self.execute("qmp_capabilities")

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *dummy: object) -> None:
        self._stream.close()
        self._wire.close()

    def _read(self) -> dict[str, t.Any]:
        line = self._stream.readline()
        if not line:
            raise LabError(f"{self._host}'s QEMU closed its monitor", f"See {self._host}.log in the lab's state folder")
        message: dict[str, t.Any] = json.loads(line)
        return message

    def execute(self, command: str, **arguments: t.Any) -> t.Any:
        """Run a QMP command and return its result; events that come between are passed over."""
        request = {"execute": command, **({"arguments": arguments} if arguments else {})}
        self._stream.write(json.dumps(request).encode() + b"\n")
        self._stream.flush()
        while True:
            message = self._read()
            if "error" in message:
                raise LabError(f"{self._host}'s QEMU refused {command}: {message['error']['desc']}")
            if "return" in message:
                return message["return"]

    def human(self, line: str) -> str:
        """Run a line of the human monitor and return what it says."""
        return str(self.execute("human-monitor-command", **{"command-line": line})).strip()

    def silently(self, line: str) -> None:
        """The same for savevm and loadvm, which QMP does not have: they succeed in silence. Raises LabError."""
        said = self.human(line)
        if said:
            raise LabError(f"{self._host}'s QEMU said to {line!r}: {said}", "`lab down`, then `lab up`")
