# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holding off the shutdown of dom0 while a session lives (private to the collection).

``systemd-inhibit`` holds the lock for as long as its command runs: a ``cat`` that reads a pipe whose other end only
this process has, so that the lock goes with this process however it ends.

What it holds off depends on systemd: from 257 on everybody's ``reboot``; before that root's own ``systemctl reboot``
passes (src/systemctl/systemctl-logind.c logind_check_inhibitors), and only other users, keys and timers are held off.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess

from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import SYSTEM_PATH, spawn

BOOTED = "/run/systemd/system"  # as sd_booted(3)

# States: nothing to ask on this host; asked; the lock is held; it was refused, or lost.
ABSENT = "absent"
ASKED = "asked"
HELD = "held"
FAILED = "failed"

_WORD = b"held\n"


class Inhibitor:
    """The lock of one session. Nothing here blocks, and nothing raises: a session goes on without it."""

    def __init__(self, name: str, booted: str = BOOTED) -> None:
        """Ask for the lock, for a session of the domain ``name``."""
        self._process: subprocess.Popen[bytes] | None = None
        self._pipes: list[int] = []
        self._state = ABSENT
        tool = shutil.which("systemd-inhibit") or shutil.which("systemd-inhibit", path=SYSTEM_PATH)
        if tool is None or not os.path.isdir(booted):
            return
        self._state = FAILED
        with contextlib.suppress(OSError):
            self._ask(tool, name)
            self._state = ASKED

    def _ask(self, tool: str, name: str) -> None:
        theirs_in, self._hold = self._pipe()
        self._told, theirs_out = self._pipe()
        os.set_blocking(self._told, False)
        self._process = spawn(
            [
                *(tool, "--what=shutdown:sleep", "--mode=block", "--who=dom0.xen"),
                f"--why=the domain {name} is being migrated",
                *("sh", "-c", "echo held; exec cat >/dev/null"),
            ],
            stdin=theirs_in,
            stdout=theirs_out,
            stderr=subprocess.DEVNULL,
        )
        for fd in (theirs_in, theirs_out):
            self._close(fd)

    def _pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        self._pipes += ends
        return ends

    def _close(self, fd: int) -> None:
        self._pipes.remove(fd)
        os.close(fd)

    @property
    def state(self) -> str:
        """Whether the lock is held: absent (no systemd), asked, held, or failed (refused, or lost since)."""
        if self._process is not None and self._process.poll() is not None:
            self._state = FAILED
        elif self._state == ASKED:
            with contextlib.suppress(OSError):
                if os.read(self._told, len(_WORD)) == _WORD:
                    self._state = HELD
        return self._state

    def release(self) -> None:
        """Give the lock back; the command ends by itself a moment later."""
        while self._pipes:
            self._close(self._pipes[0])
