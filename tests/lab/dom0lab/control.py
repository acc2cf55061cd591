# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the supervisor: start it, ask it, be sure that it is gone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from .errors import LabError
from .places import LAB_ROOT


def connect(folder: Path, name: str, timeout: float | None = None) -> socket.socket:
    """Connect to the Unix socket ``name`` in ``folder``, whose path may be longer than such addresses allow."""
    wire = socket.socket(socket.AF_UNIX)
    wire.settimeout(timeout)
    handle = os.open(folder, os.O_PATH)
    try:
        wire.connect(f"/proc/self/fd/{handle}/{name}")
    except BaseException:
        wire.close()
        raise
    finally:
        os.close(handle)
    return wire


def start(folder: Path, commands: dict[str, list[str]]) -> int:
    """Start a supervisor in ``folder``. Returns the descriptor that keeps it alive until it is told to detach."""
    (folder / "commands.json").write_text(json.dumps(commands, indent=1) + "\n")
    reading, writing = os.pipe()
    try:
        with (folder / "supervisor.log").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "dom0lab.supervisor", "--starter", str(reading)],
                cwd=folder, pass_fds=[reading], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env={**os.environ, "PYTHONPATH": str(LAB_ROOT)},
            )  # fmt: skip
    except BaseException:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    deadline = time.monotonic() + 30
    while not is_up(folder):
        if time.monotonic() > deadline:
            os.close(writing)
            raise LabError("the lab's supervisor did not start", f"See {folder / 'supervisor.log'}")
        time.sleep(0.05)
    return writing


def ask(folder: Path, verb: str, timeout: float = 60, **arguments: t.Any) -> dict[str, t.Any]:
    """One request to the supervisor. Raises LabError when there is none, or when it says no."""
    try:
        with connect(folder, "control", timeout) as wire, wire.makefile("rwb") as stream:
            stream.write(json.dumps({"do": verb, **arguments}).encode() + b"\n")
            stream.flush()
            line = stream.readline()
    except OSError as exc:
        raise LabError(f"no lab is up in {folder} ({exc})", "Start one with `lab up`") from exc
    answer: dict[str, t.Any] = json.loads(line) if line else {"error": "no answer"}
    if "error" in answer:
        raise LabError(f"the lab refused {verb}: {answer['error']}")
    return answer


def is_up(folder: Path) -> bool:
    """Whether a supervisor answers in ``folder``."""
    if not (folder / "control").exists():
        return False
    try:
        ask(folder, "status", timeout=10)
    except LabError:
        return False
    return True


def _is_supervisor(pid: int) -> bool:
    try:
        return b"dom0lab.supervisor" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def recorded_pid(folder: Path) -> int | None:
    """The supervisor's process id, if the recorded one is still a supervisor."""
    try:
        pid = int((folder / "supervisor.pid").read_text())
    except (OSError, ValueError):
        return None
    return pid if _is_supervisor(pid) else None


def down(folder: Path) -> None:
    """End the supervisor, and with it every QEMU; returns when the process is gone. Nothing there is fine."""
    pid = recorded_pid(folder)
    with contextlib.suppress(LabError):
        ask(folder, "down", timeout=60)
    if pid is None:
        return
    for number, seconds in ((signal.SIGTERM, 20), (signal.SIGKILL, 10)):
        deadline = time.monotonic() + seconds
        while _is_supervisor(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        if not _is_supervisor(pid):
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    (folder / "supervisor.pid").unlink(missing_ok=True)
