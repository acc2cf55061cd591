# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files of marks: read, written whole, and changed by one process at a time (private to the collection).

They lie in the folder ``fleet`` below the runtime root (forgotten when the host restarts) or the journal root (kept).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._durable import sync_folder
from ansible_collections.dom0.xen.plugins.module_utils._places import make_private_folder

FOLDER = "fleet"
# More of a file that somebody has spoilt is not read.
_MOST_BYTES = 1 << 20

Document = t.Dict[str, t.Any]


@contextlib.contextmanager
def locked(root: str) -> t.Iterator[str]:
    """Hold the marks below a root against all other processes of this host; gives their folder, which is made.

    Raises PlaceError when the folder is not ours alone, and OSError.
    """
    folder = make_private_folder(os.path.join(make_private_folder(root), FOLDER))
    fd = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(fd)


def read(path: str) -> Document | None:
    """Return what a file holds; None when it is not there or no JSON object."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def write(path: str, document: t.Mapping[str, t.Any]) -> None:
    """Replace a file; a power loss leaves the old one or the new one. Raises OSError."""
    new = f"{path}.new"
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump(document, file, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    sync_folder(os.path.dirname(path))


def remove(path: str) -> bool:
    """Remove a file; return whether it was there. Raises OSError."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    sync_folder(os.path.dirname(path))
    return True
