# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holding back those who wait for news while the guest stands still (private to the collection).

To look at a session the controller starts a handful of processes on the host, and on one with a single processor they
take their time from the guest's. A shell that finds this file reads from it instead, for which it starts nothing.
"""

from __future__ import annotations

import contextlib
import os

QUIET = "quiet"


class Stillness:
    """A file in the runtime folder ``folder`` that can be read only to its end, which comes when the quiet is over.

    It leads to a pipe of this process: opening it never waits, and its end comes also when the process is killed.
    """

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, QUIET)
        self._pipe: tuple[int, int] | None = None

    def keep(self, quiet: bool) -> None:
        """Begin or end the quiet; nothing happens where it is as wanted. Without the file nobody is held back."""
        if quiet and self._pipe is None:
            with contextlib.suppress(OSError):
                self._pipe = os.pipe()
                os.symlink(f"/proc/{os.getpid()}/fd/{self._pipe[0]}", self._path)
        elif not quiet and self._pipe is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
            for fd in self._pipe:
                os.close(fd)
            self._pipe = None
