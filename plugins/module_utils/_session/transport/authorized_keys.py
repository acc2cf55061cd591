# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines in somebody's authorized_keys, put in and taken out so that nothing else of it is lost or changed.

Private to the collection. The file is that of an account which may not be ours: no symbolic link is followed, and what
others can write to is left alone, as sshd(8) does (StrictModes). Changes are atomic. The lock on the folder binds our
own processes alone, so what an editor or ssh-copy-id does to the file at the same time is looked for before and after.
Whoever can open the folder can hold that lock for ever; where that is not the account alone, one that lies among our
own files counts.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import DomainBusy, DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.transport import attributes

MOST_BYTES = 1024 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT)
# How long somebody may have the folder locked, or the file open for writing, in seconds; and a file that was replaced,
# for which one of ours waits with the lock.
PATIENCE_S = 5.0
_LAST_WORDS_S = 2.0
_PAUSE_S = 0.05
# How long the folder's lock is waited for where another one counts, in seconds.
_COURTESY_S = 0.2
# How often to begin again when somebody else changes the file meanwhile.
_ATTEMPTS = 10


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


def change(
    path: str, account: Account, edit: Edit, place: str, *, remove_empty: bool = False, patience: float = PATIENCE_S
) -> None:
    """Replace the lines of the file by what ``edit`` makes of them; nothing is written when they stay the same.

    A file that is not there counts as empty, and is made, with its folder, 0600 and 0700. Lines come and go without
    their newline. ``place`` is a folder that nobody but us gets into. With ``remove_empty`` a file without lines is
    removed. ``patience``: how long to wait for others, in seconds. Raises :class:`KeysFileUnsafe`.
    """
    folder, name = os.path.split(path)
    try:
        directory = _open_folder(folder, account)
        try:
            with _alone(directory, path, place, patience):
                _change(directory, name, path, account, edit, remove_empty, patience)
        finally:
            os.close(directory)
    except OSError as exc:
        link = exc.errno in (errno.ELOOP, errno.ENOTDIR)
        why = "it, or its folder, is a symbolic link" if link else exc.strerror
        remedy = f"Make room on the file system of {folder}." if exc.errno in _FULL else None
        raise KeysFileUnsafe(f"{path} cannot be changed: {why}", remedy=remedy, path=path) from exc


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


@contextlib.contextmanager
def _alone(directory: int, path: str, place: str, patience: float) -> t.Iterator[None]:
    """Keep our own processes apart, which are quick. The folder's lock goes with ``directory``."""
    text = f"{path} cannot be changed: somebody has locked its folder"
    with contextlib.ExitStack() as stack:
        if not os.fstat(directory).st_mode & 0o044:
            if not _waited(lambda: fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB), patience):
                raise _in_use(text, path)
        else:
            if not _waited(lambda: stack.callback(DomainLock(place, "authorized_keys", "ssh").release), patience):
                raise _in_use(f"{path} cannot be changed: another session is about to for {patience:g} s", path)
            # Our processes that keep their files elsewhere do not know of that one.
            _waited(lambda: fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB), min(patience, _COURTESY_S))
        yield


def _waited(take: t.Callable[[], object], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while True:
        try:
            take()
        except (BlockingIOError, DomainBusy):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE_S)
        else:
            return True


def _in_use(message: str, path: str) -> KeysFileUnsafe:
    remedy = (
        "Find out who does it (fuser, /proc/locks), and try again after that. Let nobody but the account into the"
        " folder (0700). Or use the transport tls."
    )
    return KeysFileUnsafe(message, remedy=remedy, path=path)


class _Found(t.NamedTuple):
    """The file as it was read, still open; all of it empty when it is not there."""

    fd: int | None = None
    status: os.stat_result | None = None
    text: bytes = b""

    @property
    def lines(self) -> list[bytes]:
        """What is between the newlines."""
        return _lines(self.text)

    @property
    def state(self) -> tuple[t.Any, ...]:
        """What becomes another with every change, whoever makes it."""
        seen = self.status
        return (seen.st_dev, seen.st_ino, seen.st_ctime_ns, self.text) if seen is not None else ()


def _change(
    directory: int, name: str, path: str, account: Account, edit: Edit, remove_empty: bool, patience: float
) -> None:
    # Of this host alone: where several share the folder, the lock does not reach the others.
    new = f".{name}.dom0-xen-{_procfs.boot_id()}"
    try:
        for _dummy in range(_ATTEMPTS):
            # There may be one of a process that was killed while it wrote; whoever writes now has the lock.
            _unlink(directory, new)
            with _reading(directory, name, path, account) as old:
                after = edit(old.lines)
                gone = remove_empty and not after
                if after == old.lines and not gone:
                    return
                if not _left_alone(old, patience):
                    raise _in_use(f"{path} cannot be changed: somebody has it open for writing", path)
                if not gone:
                    _write(directory, new, after, old, account)
                with _reading(directory, name, path, account) as now:
                    same = now.state == old.state
                if not same or not _put(directory, name, None if gone else new, old):
                    continue
                os.fsync(directory)
                missed = [line for line in _last_words(old) if line not in old.lines]
            if missed:
                _append(directory, name, path, account, missed)
            return
    finally:
        with contextlib.suppress(OSError):
            _unlink(directory, new)
    raise _in_use(f"{path} is changed by somebody else all the time", path)


@contextlib.contextmanager
def _reading(directory: int, name: str, path: str, account: Account, flags: int = os.O_RDONLY) -> t.Iterator[_Found]:
    try:
        fd = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except FileNotFoundError:
        yield _Found()
        return
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > MOST_BYTES:
            raise KeysFileUnsafe(f"{path} is no plain file of its own, or longer than {MOST_BYTES} bytes", path=path)
        _require_safe(status, path, account)
        yield _Found(fd, status, _text(fd))
    finally:
        os.close(fd)


def _write(directory: int, new: str, lines: list[bytes], old: _Found, account: Account) -> None:
    """Make the file that is to replace ``old``, as it is but for these lines, and wait until it is on the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(new, flags, 0o600, dir_fd=directory), "wb") as file:
        fd = file.fileno()
        if old.fd is None or old.status is None:
            os.fchown(fd, *account)
            os.fchmod(fd, 0o600)
        else:
            os.fchown(fd, old.status.st_uid, old.status.st_gid)
            os.fchmod(fd, stat.S_IMODE(old.status.st_mode))
            attributes.copy(old.fd, fd)
        file.write(b"".join(line + b"\n" for line in lines))
        file.flush()
        os.fsync(fd)


def _put(directory: int, name: str, new: str | None, old: _Found) -> bool:
    """Let ``new`` take the place of ``old``, or nothing; return whether it could."""
    try:
        if old.fd is None and new is not None:
            # Unlike a rename it fails when somebody has made one meanwhile.
            os.link(new, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
        elif new is not None:
            os.rename(new, name, src_dir_fd=directory, dst_dir_fd=directory)
        elif old.fd is not None:
            os.unlink(name, dir_fd=directory)
    except (FileExistsError, FileNotFoundError):
        return False
    return True


def _last_words(old: _Found) -> list[bytes]:
    """Return the lines of a file that was replaced, with those that somebody has written to it in the last moment."""
    _left_alone(old, _LAST_WORDS_S)
    return _lines(_text(old.fd)) if old.fd is not None else []


def _left_alone(file: _Found, patience: float) -> bool:
    """Wait until nobody has the file open for writing, perhaps about to paste a key; return whether it came to that."""
    deadline = time.monotonic() + patience
    while file.fd is not None and _procfs.is_written(file.fd):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE_S)
    return True


def _append(directory: int, name: str, path: str, account: Account, lines: list[bytes]) -> None:
    """Add lines of somebody else's to the file as he would have done, which nobody can get in the way of."""
    with contextlib.suppress(FileExistsError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        made = os.open(name, flags, 0o600, dir_fd=directory)
        try:
            os.fchown(made, *account)
        finally:
            os.close(made)
    with _reading(directory, name, path, account, os.O_RDWR | os.O_APPEND) as now:
        more = b"".join(line + b"\n" for line in lines if line not in now.lines)
        if now.fd is not None and more:
            with os.fdopen(now.fd, "ab", closefd=False) as file:
                file.write(more if now.text[-1:] in (b"", b"\n") else b"\n" + more)
            os.fsync(now.fd)


def _text(fd: int) -> bytes:
    os.lseek(fd, 0, os.SEEK_SET)
    with os.fdopen(fd, "rb", closefd=False) as file:
        return file.read(MOST_BYTES)


def _lines(text: bytes) -> list[bytes]:
    lines = text.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def _unlink(directory: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)


def _require_safe(status: os.stat_result, path: str, account: Account) -> None:
    if status.st_uid not in (0, account.uid):
        raise KeysFileUnsafe(f"{path} belongs to uid {status.st_uid}, not to the account", path=path)
    if status.st_mode & 0o022:
        raise KeysFileUnsafe(f"{path} can be written by others", path=path)
