# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder that one process holds against others, or several share (private to the collection)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import typing as t


@contextlib.contextmanager
def locked(folder: str, how: int = fcntl.LOCK_EX) -> t.Iterator[None]:
    """Hold a lock on the folder itself, ``how`` as for flock(2); it ends with the process. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, how)
        yield
    finally:
        os.close(fd)
