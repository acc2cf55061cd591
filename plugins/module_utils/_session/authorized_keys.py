# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines in somebody's authorized_keys, put in and taken out so that nothing else of it is lost or changed.

Private to the collection. The file is that of an account which may not be ours: no symbolic link is followed, and what
others can write to is left alone, as sshd(8) does (StrictModes). Changes are atomic, under a lock on the folder.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError

MOST_BYTES = 1024 * 1024
_LABEL = "security.selinux"


class KeysFileUnsafe(Dom0XenError):
    """The file with the keys of the account cannot be written safely."""

    code = "ssh_keys_file_unsafe"
    remedy = (
        "Give the account an authorized_keys that is a file of its own, in a folder of its own, and that nobody else"
        " can write to; or name another account (migrate_ssh_user); or use the transport tls."
    )


class Account(t.NamedTuple):
    """Whose file it is."""

    uid: int
    gid: int


Edit = t.Callable[[t.List[bytes]], t.List[bytes]]


def change(path: str, account: Account, edit: Edit, *, remove_empty: bool = False) -> None:
    """Replace the lines of the file by what ``edit`` makes of them; nothing is written when they stay the same.

    A file that is not there counts as empty, and is made, with its folder, 0600 and 0700. Lines come and go without
    their newline. With ``remove_empty`` a file without lines is removed. Raises :class:`KeysFileUnsafe`.
    """
    folder, name = os.path.split(path)
    try:
        directory = _open_folder(folder, account)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            _change(directory, name, path, account, edit, remove_empty)
        finally:
            os.close(directory)
    except OSError as exc:
        link = exc.errno in (errno.ELOOP, errno.ENOTDIR)
        why = "it, or its folder, is a symbolic link" if link else exc.strerror
        raise KeysFileUnsafe(f"{path} cannot be changed: {why}", path=path) from exc


def _open_folder(folder: str, account: Account) -> int:
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
        made = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchown(made, account.uid, account.gid)
        finally:
            os.close(made)
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _require_safe(os.fstat(directory), folder, account)
    except BaseException:
        os.close(directory)
        raise
    return directory


def _change(directory: int, name: str, path: str, account: Account, edit: Edit, remove_empty: bool) -> None:
    status, label, before = _read(directory, name, path, account)
    lines = before.split(b"\n")
    if not lines[-1]:
        lines.pop()
    after = edit(list(lines))
    if remove_empty and not after:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=directory)
        return
    if after == lines:
        return
    new = f".{name}.dom0-xen"
    with contextlib.suppress(FileNotFoundError):
        # Of a process that was killed while it wrote; whoever writes now has the lock.
        os.unlink(new, dir_fd=directory)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(new, flags, 0o600, dir_fd=directory)
    try:
        with os.fdopen(fd, "wb") as file:
            os.fchown(fd, *((status.st_uid, status.st_gid) if status else account))
            os.fchmod(fd, stat.S_IMODE(status.st_mode) if status else 0o600)
            if label is not None:
                with contextlib.suppress(OSError):
                    os.setxattr(fd, _LABEL, label)
            file.write(b"".join(line + b"\n" for line in after))
            file.flush()
            os.fsync(fd)
        os.rename(new, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(new, dir_fd=directory)
        raise
    os.fsync(directory)


def _read(directory: int, name: str, path: str, account: Account) -> tuple[os.stat_result | None, bytes | None, bytes]:
    """Return the file's status, its label for SELinux, and its contents; nothing of each when it is not there."""
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except FileNotFoundError:
        return None, None, b""
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > MOST_BYTES:
            raise KeysFileUnsafe(f"{path} is no plain file of its own, or longer than {MOST_BYTES} bytes", path=path)
        _require_safe(status, path, account)
        label = None
        with contextlib.suppress(OSError):
            label = os.getxattr(fd, _LABEL)
        with os.fdopen(fd, "rb", closefd=False) as file:
            return status, label, file.read(MOST_BYTES)
    finally:
        os.close(fd)


def _require_safe(status: os.stat_result, path: str, account: Account) -> None:
    if status.st_uid not in (0, account.uid):
        raise KeysFileUnsafe(f"{path} belongs to uid {status.st_uid}, not to the account", path=path)
    if status.st_mode & 0o022:
        raise KeysFileUnsafe(f"{path} can be written by others", path=path)
