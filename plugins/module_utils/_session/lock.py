# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session at a time for a domain and role on a host (private to the collection)."""

from __future__ import annotations

import fcntl
import os

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError


class DomainBusy(Dom0XenError):
    """Another session works on the domain on this host."""

    code = "domain_busy"
    remedy = "Run the migration again without changes: it adopts the session that is under way and waits for its end."


class DomainLock:
    """Holds the lock of ``uuid`` and ``role`` until :meth:`release`, or :meth:`leave`. Raises :class:`DomainBusy`."""

    def __init__(self, runtime_root: str, uuid: str, role: str) -> None:
        self._path = os.path.join(runtime_root, f"{uuid}.{role}.lock")
        while True:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._fd)
                raise DomainBusy(f"another session is moving the domain {uuid}") from None
            if self._is_current():
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

    def _is_current(self) -> bool:
        # The holder before us may have removed the file between our open and our lock.
        try:
            named = os.stat(self._path)
        except FileNotFoundError:
            return False
        return named.st_ino == os.fstat(self._fd).st_ino
