# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This code where it outlives the module that brought it (private to the collection).

Ansible removes a module's payload when the module ends. Unpacked, the code also keeps what Python has compiled of it
(``__pycache__``): to compile all of it anew takes a slow host longer than all else that a session begins with.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import typing as t
import zipfile

from ansible_collections.dom0.xen.plugins.module_utils._folder_lock import locked
from ansible_collections.dom0.xen.plugins.module_utils._places import make_private_folder, session_folders
from ansible_collections.dom0.xen.plugins.module_utils._session.process.own_code import code_path

# Below the runtime root; what is in it goes when the host restarts.
FOLDER = "code"

_OURS = "ansible_collections/"
# What Python compiles takes up at most so many times as much as the text, in whole pages.
_COMPILED = 2


def kept(root: str, session_path: str) -> str:
    """Return what to put first on ``sys.path`` to find this code when Ansible's payload is gone.

    What came is unpacked below the runtime ``root``, once for all sessions that come with the same. Other code that
    was kept there goes, unless there is a session beside the one whose runtime folder is ``session_path``.
    Raises OSError, or PlaceError.
    """
    code = code_path()
    if not os.path.isfile(code):
        # Not started from a payload: the code lies in folders that stay.
        return code
    folder = make_private_folder(os.path.join(root, FOLDER))
    with locked(folder), zipfile.ZipFile(code) as payload:
        names = sorted(name for name in payload.namelist() if name.startswith(_OURS) and name.endswith(".py"))
        place = os.path.join(folder, _digest(payload, names))
        if not os.path.isdir(place):
            if all(path == session_path for dummy, dummy2, path in session_folders(root)):
                _clear(folder)
            _unpack(payload, names, place)
    return place


def forget_compiled(root: str, code: str) -> None:
    """Have Python compile ``code`` anew, where it is kept below the runtime ``root``.

    Many a Python keeps what a full file system has cut off (CPython's issue 126606), and fails whenever it loads that.
    Sessions that run have loaded theirs.
    """
    if os.path.dirname(code) == os.path.join(root, FOLDER):
        for folder, names, dummy in os.walk(code):
            if "__pycache__" in names:
                shutil.rmtree(os.path.join(folder, "__pycache__"), ignore_errors=True)


def _digest(payload: zipfile.ZipFile, names: t.Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        digest.update(hashlib.sha256(name.encode("utf-8")).digest())
        digest.update(hashlib.sha256(payload.read(name)).digest())
    return digest.hexdigest()[:32]


def _unpack(payload: zipfile.ZipFile, names: t.Iterable[str], place: str) -> None:
    """Nobody sees a part of it under its name, whoever is killed meanwhile."""
    new = f"{place}.new"
    shutil.rmtree(new, ignore_errors=True)
    try:
        payload.extractall(make_private_folder(new), names)
        _require_room(new, _COMPILED * sum(payload.getinfo(name).file_size for name in names))
        os.rename(new, place)
    except OSError:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _require_room(folder: str, size: int) -> None:
    """Raise OSError unless the file system has so many bytes left: what is written without room may stay cut off."""
    path = os.path.join(folder, "room")
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError as exc:
        # A ramfs has no limit, and cannot keep room either.
        if exc.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise
    finally:
        os.close(fd)
        os.unlink(path)


def _clear(folder: str) -> None:
    for name in os.listdir(folder):
        shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
