# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a session keeps its files on a dom0 (private to the collection).

The runtime root holds keys and lies in memory (tmpfs); the journal root survives a restart. Under both, a session has
a folder ``SESSION.ROLE``. All folders are 0700, belong to the user that runs the session, and are never symbolic links.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError

RUNTIME_PATH = "/run/dom0-xen"
RUNTIME_FALLBACK = "/dev/shm/dom0-xen"
JOURNAL_PATH = "/var/lib/dom0-xen"

SENDER = "sender"
RECEIVER = "receiver"
ROLES = (SENDER, RECEIVER)

# A session's credentials in its runtime folder, until TLS has read them.
CERTIFICATE = "certificate.pem"
KEY = "key.pem"

_SESSION = re.compile(r"\A[0-9a-f]{16}\Z")
_MEMORY_FILESYSTEMS = ("tmpfs", "ramfs")


class PlaceError(Dom0XenError):
    """A folder of the collection cannot be used."""

    code = "place_unusable"
    remedy = "Look at the folder that is named; remove it when no session runs on the host, it is made anew."


class NoRuntimePlace(PlaceError):
    """No folder in memory was found for keys."""

    code = "no_runtime_path"
    remedy = "Mount a tmpfs at /run or /dev/shm, or set dom0_xen_runtime_path to a folder on one."


class SessionNameInvalid(PlaceError):
    """A session's identity is not 16 hexadecimal digits, or its role is unknown."""

    code = "session_invalid"
    remedy = "Use the session that the credentials task returned."


def check_session(session: str, role: str | None = None) -> None:
    """Raise SessionNameInvalid unless this is a session's identity (and, if given, a role)."""
    if not _SESSION.match(session):
        raise SessionNameInvalid(f"{session!r} is not the identity of a session (16 hexadecimal digits).")
    if role is not None and role not in ROLES:
        raise SessionNameInvalid("{!r} is not a role in a session ({}).".format(role, ", ".join(ROLES)))


def session_folder(root: str, session: str, role: str) -> str:
    """Return the path of a session's folder under a root; nothing is created."""
    check_session(session, role)
    return os.path.join(root, f"{session}.{role}")


def session_folders(root: str) -> tuple[tuple[str, str, str], ...]:
    """Return (session, role, path) of all sessions' folders under a root, newest first; empty when there is no root."""
    found = []
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                session, dummy, role = entry.name.partition(".")
                # One that ends just now takes its own folder away, and no other session's.
                with contextlib.suppress(FileNotFoundError):
                    if _SESSION.match(session) and role in ROLES and entry.is_dir(follow_symlinks=False):
                        found.append((entry.stat(follow_symlinks=False).st_mtime, session, role, entry.path))
    except OSError:
        return ()
    return tuple((session, role, path) for dummy, session, role, path in sorted(found, reverse=True))


def resolve_runtime_root(path: str = RUNTIME_PATH, mounts: str = "/proc/self/mountinfo") -> str:
    """Return the runtime root that is to be used: ``path`` when it lies in memory, else the one in /dev/shm.

    Nothing is created. Raises NoRuntimePlace when neither lies in memory.
    """
    for candidate in (path, RUNTIME_FALLBACK):
        if os.path.isabs(candidate) and in_memory(candidate, mounts):
            return candidate
    raise NoRuntimePlace(f"neither {path} nor {RUNTIME_FALLBACK} lies on a tmpfs.")


def runtime_root(path: str = RUNTIME_PATH) -> str:
    """Return the runtime root, created when it was not there.

    Raises NoRuntimePlace, or PlaceError when what is there is not ours alone.
    """
    return make_private_folder(resolve_runtime_root(path))


def journal_root(path: str = JOURNAL_PATH) -> str:
    """Return the journal root, created when it was not there. Raises PlaceError."""
    return make_private_folder(path)


def make_private_folder(path: str) -> str:
    """Make sure that this folder exists, is no symbolic link, is ours, and closed to everybody else.

    One that others could only read is closed; one that others could write to is refused. Raises PlaceError.
    """
    try:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            _close(path)
    except OSError as exc:
        raise PlaceError(f"{path} cannot be created: {exc.strerror}.", path=path) from exc
    return path


def _close(path: str) -> None:
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode):
        raise PlaceError(f"{path} is not a folder (symbolic links are refused).", path=path)
    if status.st_uid != os.geteuid():
        raise PlaceError(f"{path} belongs to the user with uid {status.st_uid}.", path=path)
    if status.st_mode & 0o022:
        raise PlaceError(f"others can write to {path} (mode {stat.S_IMODE(status.st_mode):04o}).", path=path)
    if status.st_mode & 0o077:
        os.chmod(path, 0o700)


def in_memory(path: str, mounts: str = "/proc/self/mountinfo") -> bool:
    """Say whether this path, or the nearest folder above it that exists, lies on a file system held in memory."""
    while not os.path.isdir(path):
        parent = os.path.dirname(path)
        if parent == path:
            return False
        path = parent
    device = os.stat(path).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open(mounts, encoding="utf-8", errors="replace") as file:
            # proc_pid_mountinfo(5): the third field is the device; after " - " comes the file system's type.
            return any(
                line.split()[2] == wanted and line.partition(" - ")[2].split()[0] in _MEMORY_FILESYSTEMS
                for line in file
            )
    except (OSError, IndexError):
        return False
