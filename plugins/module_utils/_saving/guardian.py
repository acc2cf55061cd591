# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that does what is left to do when the module is killed (private to the collection).

A guest that ``xl save`` has suspended stands still until somebody resumes it, and ``xl`` itself crashes when the reader
of its pipe goes away. So before anything is done to the guest a second process holds the pipe as well.
"""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._saving.stop import SIGNALS

_DONE = b"."
_WATCH = b"w"


class Guardian:
    """Forks; ``act`` is called in the new process when this one ends without :meth:`dismiss`.

    ``watch`` is called there when :meth:`dismiss` says so. ``close`` are descriptors that the new process must not
    hold. Whatever else this process has open stays open there.

    Another thread of this process, such as the one that keeps a claim, may hold no lock at any time that ``act`` or
    ``watch`` needs: there is no such thread in the new process, and nobody would give the lock back.
    """

    def __init__(self, act: t.Callable[[], None], watch: t.Callable[[], None], close: t.Iterable[int] = ()) -> None:
        watched, self._hold = os.pipe()
        self._pid = os.fork()
        if self._pid:
            os.close(watched)
            return
        try:
            os.close(self._hold)
            for fd in close:
                os.close(fd)
            _detach()
            word = os.read(watched, 1)
            if not word:
                act()
            elif word == _WATCH:
                watch()
        finally:
            # Nothing of the module's may run in here: neither its handlers nor what it has buffered.
            os._exit(0)

    def take_over(self) -> None:
        """Have it ``act`` now, as if this process had been killed."""
        os.close(self._hold)

    def dismiss(self, watch: bool = False) -> None:
        """Say that nothing is left to do, or only to ``watch``, for which nobody waits."""
        with contextlib.suppress(OSError):
            os.write(self._hold, _WATCH if watch else _DONE)
        os.close(self._hold)
        if watch:
            return
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _detach() -> None:
    """Leave the session, and let go of the pipes to Ansible, which waits for their end."""
    os.setsid()
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
