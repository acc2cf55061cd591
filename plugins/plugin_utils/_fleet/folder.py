# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder on the controller that the facts of a fleet are kept in (private to the collection).

It and its files are only for their owner: configurations tell much about a site, though secrets are masked in them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import typing as t
import urllib.parse

from ansible_collections.dom0.xen.plugins.module_utils._durable import sync_folder
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.document import LARGEST_BYTES, dump, parse
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import (
    DocumentInvalid,
    DocumentNotRead,
    DocumentNotWritten,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Dom0, Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import Rules

ENDING = ".dom0.json"
RULES_FILE = "rules.json"
_TEMPORARY = ".dom0-xen-"

R = t.TypeVar("R", bound=Record)


def folder_of(path: str, ansible_home: str) -> str:
    """Return the folder that a path means; where it is empty, the one in Ansible's own folder."""
    return os.path.abspath(os.path.expanduser(path)) if path else os.path.join(ansible_home, "dom0-xen", "facts")


def file_of(folder: str, dom0: str) -> str:
    """Return the path of a dom0's file. What in a name would mean something in a path is quoted."""
    return os.path.join(folder, urllib.parse.quote(dom0, safe="") + ENDING)


def read(folder: str, on_invalid: t.Callable[[Dom0XenError], None] | None = None) -> Fleet:
    """Return the fleet that a folder holds; one that is not there holds none.

    Raises DocumentNotRead, and DocumentInvalid for the first file that is wrong; with ``on_invalid`` that is called for
    each of these instead, and they are left out. Symbolic links are followed for the folder only.
    """
    dom0s: dict[str, Dom0] = {}
    rules = Rules()
    for name in _names(folder):
        path = os.path.join(folder, name)
        try:
            if name == RULES_FILE:
                rules = _read(path, Rules)
                continue
            dom0 = _read(path, Dom0)
            if path != file_of(folder, dom0.name):
                raise DocumentInvalid(f"{path} is the file of {dom0.name}, under another name.", path=path)
        except (DocumentInvalid, DocumentNotRead) as exc:
            if on_invalid is None:
                raise
            on_invalid(exc)
            continue
        dom0s[dom0.name] = dom0
    return Fleet(tuple(dom0s[name] for name in sorted(dom0s)), rules)


def read_dom0(folder: str, dom0: str) -> Dom0 | None:
    """Return what is kept of one dom0. Raises as :func:`read`."""
    path = file_of(folder, dom0)
    return _read(path, Dom0) if os.path.lexists(path) else None


def read_rules(folder: str) -> Rules | None:
    """Return the rules that are kept. Raises as :func:`read`."""
    path = os.path.join(folder, RULES_FILE)
    return _read(path, Rules) if os.path.lexists(path) else None


def write(folder: str, records: t.Iterable[Dom0 | Rules]) -> None:
    """Write files, each in one step; the folder is made. Raises DocumentNotWritten."""
    try:
        _make(folder)
        for record in records:
            path = file_of(folder, record.name) if isinstance(record, Dom0) else os.path.join(folder, RULES_FILE)
            text = dump(record).encode()
            if len(text) > LARGEST_BYTES:
                raise DocumentNotWritten(f"{path} would have {len(text)} bytes, more than {LARGEST_BYTES}.")
            _write(folder, path, text)
        sync_folder(folder)
    except OSError as exc:
        raise DocumentNotWritten(f"{exc.filename or folder} cannot be written: {exc.strerror}.", path=folder) from exc


def _make(folder: str) -> None:
    """Make the folder, for its owner only; one that is there and open to others is refused."""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    found = os.stat(folder)
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise DocumentNotWritten(
            f"{folder} belongs to another user, or others may write to it.",
            remedy=f"Name another folder with -e dom0_xen_facts_path=FOLDER, or make it yours: chmod 700 {folder}",
            path=folder,
        )


def _write(folder: str, path: str, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=_TEMPORARY)  # with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(ENDING) or name == RULES_FILE)
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise DocumentNotRead(f"{folder} cannot be read: {exc.strerror}.", path=folder) from exc


def _read(path: str, kind: type[R]) -> R:
    try:
        # Without O_NONBLOCK a pipe that lies there would be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise DocumentInvalid(f"{path} is no file.", path=path)
            data = file.read(LARGEST_BYTES + 1)
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise DocumentInvalid(f"{path} is a symbolic link.", path=path) from exc
        raise DocumentNotRead(f"{path} cannot be read: {exc.strerror}.", path=path) from exc
    if len(data) > LARGEST_BYTES:
        raise DocumentInvalid(f"{path} has more than {LARGEST_BYTES} bytes.", path=path)
    try:
        return parse(data.decode("utf-8"), kind, path)
    except UnicodeDecodeError:
        raise DocumentInvalid(f"{path} is no text.", path=path) from None
