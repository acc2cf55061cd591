# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When those who watch a session look at it: the session says so itself (private to the collection).

For each look the controller starts a handful of processes on the host. Only the session knows when that is cheap, and
when there is something to see; so a shell waits here, without a timer of its own.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

NEXT_LOOK = "next_look"

LONGEST_PAUSE_S = 60.0
# A move that has gone on for this many intervals is looked at less often: 20 intervals of 5 s are 100 s.
_PATIENCE = 20


def pause(interval: float, elapsed: float) -> float:
    """Return how long to wait for the next look: ``interval``, on long moves 5 % of the time gone, at most 60 s."""
    return max(interval, min(LONGEST_PAUSE_S, elapsed / _PATIENCE))


class Looks:
    """A file in the runtime folder ``folder`` that can be read only to its end, which comes with the next look.

    It leads to a pipe of this process: opening it never waits, and its end comes also when the process is killed.
    ``interval`` is the time between two looks, ``clock`` the time, both in seconds.
    """

    def __init__(self, folder: str, interval: float, clock: t.Callable[[], float]) -> None:
        self._path = os.path.join(folder, NEXT_LOOK)
        self._interval = interval
        self._clock = clock
        self._began = clock()
        self._due = 0.0
        self._pipe: tuple[int, int] | None = None
        self.call()

    def due(self) -> bool:
        """Whether it is time for a look."""
        return self._clock() >= self._due

    def call(self) -> None:
        """Let those who wait look now, and whoever comes wait for the next time."""
        now, before = self._clock(), self._pipe
        self._due = now + pause(self._interval, now - self._began)
        self._pipe = self._offered()
        if self._pipe is None:
            self._withdraw()
        _close(before)

    def _offered(self) -> tuple[int, int] | None:
        """Let the file lead to a pipe; return that, or None on a host that is short of something for a moment.

        Then nobody waits here, and the controller has a clock too. A session must not end of it.
        """
        pipe = None
        try:
            pipe = os.pipe()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path + ".new")
            os.symlink(f"/proc/{os.getpid()}/fd/{pipe[0]}", self._path + ".new")
            os.replace(self._path + ".new", self._path)
        except OSError:
            _close(pipe)
            return None
        return pipe

    def _withdraw(self) -> None:
        # The number may soon be another's, such as the pipe from an xl, of which somebody else would read then.
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def close(self) -> None:
        """Let those who wait look for the last time."""
        self._withdraw()
        _close(self._pipe)
        self._pipe = None


def _close(pipe: tuple[int, int] | None) -> None:
    for fd in pipe or ():
        os.close(fd)
