# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A child that never outlives the one that started it: it would go on with a lab that is somebody else's by then."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import typing as t
from collections.abc import Iterator, Sequence
from pathlib import Path

from dom0lab.with_parent import with_parent

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# What a case needs to put back what it changed on emulated hosts, and to end what it started there.
GRACE_S = 120.0


def _ended(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """A signal that asks for the end is SystemExit, so that everything is cleaned up. What nohup ignores stays so."""
    wanted = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, _ended) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(command: Sequence[str], cwd: Path, grace: float = GRACE_S, **options: t.Any) -> int:
    """Run a command to its end; returns its exit status. ``options`` are those of Popen.

    When this process is ended by SystemExit or an interrupt, the child is asked to end (SIGTERM), and this returns when
    it has: what is behind it, a lab, must not go before. After ``grace`` seconds, or when this process is asked once
    more, it is killed with its whole process group, which is its own: a terminal's interrupt reaches it once, from
    here. When this process is killed, the kernel kills the child.
    """
    child = subprocess.Popen(with_parent("KILL", command), cwd=cwd, start_new_session=True, **options)
    try:
        return child.wait()
    finally:
        if child.returncode is None:
            _end(child, grace)


def _end(child: subprocess.Popen[t.Any], grace: float) -> None:
    try:
        child.terminate()
        child.wait(grace)
    except (subprocess.TimeoutExpired, SystemExit, KeyboardInterrupt):
        pass
    finally:
        # What it has started in its group may still be there.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
