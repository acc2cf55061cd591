# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session at a time for a domain and role on a host (private to the collection).

Whoever else must have a domain to himself takes the same lock: a save, a restore, a run that settles. What the holder
does is in the lock's file, so that who comes upon it is told the right thing to do.
"""

from __future__ import annotations

import contextlib
import fcntl
import os

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError

# What a holder does.
MOVES, SETTLES, SAVES, RESTORES = "moves", "settles", "saves", "restores"

_WORDS = {
    SETTLES: (
        "another run settles a session of the domain {}",
        "Wait until that run has ended, then run this again.",
    ),
    SAVES: (
        "the domain {} is being saved, or somebody sees to the guest behind a save that has failed",
        "Wait until it has ended, then run this again. Behind a save that has failed that takes two or three minutes.",
    ),
    RESTORES: (
        "the domain {} is being restored from an image",
        "Wait until it has ended, then look at where the domain is before this is run again.",
    ),
}


class DomainBusy(Dom0XenError):
    """Somebody else works on the domain on this host; as a rule another session."""

    code = "domain_busy"
    remedy = "Run the migration again without changes: it adopts the session that is under way and waits for its end."


class DomainLock:
    """Holds the lock of ``uuid`` and ``role`` until :meth:`release`, or :meth:`leave`. Raises :class:`DomainBusy`.

    ``does`` is what it is held for.
    """

    def __init__(self, runtime_root: str, uuid: str, role: str, does: str = MOVES) -> None:
        self._path = os.path.join(runtime_root, f"{uuid}.{role}.lock")
        while True:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held_for = os.pread(self._fd, 64, 0).decode("ascii", "replace")
                os.close(self._fd)
                raise _busy(uuid, held_for) from None
            if self._is_current():
                self._tell(does)
                return
            os.close(self._fd)

    def release(self) -> None:
        """Give the lock back and remove its file, unless it was left."""
        if self._fd < 0:
            return
        if self._is_current():
            os.unlink(self._path)
        os.close(self._fd)

    def leave(self) -> None:
        """Leave it to the processes that were forked since: it is free when they have ended. Its file stays."""
        os.close(self._fd)
        self._fd = -1

    def _tell(self, does: str) -> None:
        # It lies in memory, of which there may be none left; the lock holds without it.
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, does.encode("ascii"), 0)

    def _is_current(self) -> bool:
        # The holder before us may have removed the file between our open and our lock.
        try:
            named = os.stat(self._path)
        except FileNotFoundError:
            return False
        return named.st_ino == os.fstat(self._fd).st_ino


def _busy(uuid: str, held_for: str) -> DomainBusy:
    text, remedy = _WORDS.get(held_for, ("another session is moving the domain {}", DomainBusy.remedy))
    return DomainBusy(text.format(uuid), remedy=remedy)
