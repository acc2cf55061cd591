# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The moment from which on nobody ends a session for being late (private to the collection).

A launcher that has waited in vain ends a session only if it has not begun. Both take one lock, the session for the
record of its beginning, so that it does not begin while it is looked at. Whoever is killed has let go of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._folder_lock import locked

STEP = "admitted"
"""The record before anything of the domain is touched: the peer is there (deciding.source, deciding.destination)."""

# Seconds: for a session that has the lock to write that record.
_WRITES_S = 1.0


@contextlib.contextmanager
def begins(folder: str) -> t.Iterator[None]:
    """Wait for the leave to begin, and have it for as long as the record takes; ``folder`` is the runtime folder."""
    with contextlib.ExitStack() as held:
        # Where somebody has taken the folder away nobody can keep the session back.
        with contextlib.suppress(OSError):
            held.enter_context(locked(folder, fcntl.LOCK_EX))
        yield


@contextlib.contextmanager
def kept_back(folder: str) -> t.Iterator[bool]:
    """Keep the session from beginning; gives false where it cannot be kept any more, since it is writing the record."""
    with contextlib.ExitStack() as held:
        deadline = time.monotonic() + _WRITES_S
        writes = True
        while writes and time.monotonic() < deadline:
            try:
                held.enter_context(locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB))
                writes = False
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                # It has ended, and has taken its folder away.
                writes = False
        yield not writes
