# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door that sshd opens to one receiver, for as long as that lives (private to the collection).

A line in authorized_keys lets the session's key come to the receiver's port and to no other. Its comment names the
process that wrote it, so that everybody can tell one that was left over; sshd itself forgets it after a day. The file
may be one that several hosts share, so each judges its own lines alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, session_folders
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.authorized_keys import (
    PATIENCE_S,
    Account,
    KeysFileUnsafe,
    change,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.sshd import Sshd

# Where a session says which file it has a line in: SESSION, under the runtime root; and beside its journal, since that
# folder is gone when the host has lost its power.
FOLDER = "ssh-doors"
RECORD = "ssh-door.json"
EXPIRY_S = 24 * 3600.0
RENEWAL_S = EXPIRY_S / 2
# How long to wait for the keys' folder where it need not be now, in seconds.
_BRIEFLY_S = 0.2

# What sshd has forgotten is text that anybody may take out, if clocks and time zones differ by no more than this.
_FORGOTTEN_S = 2 * 24 * 3600.0

# Without the boot where whoever has written it could not read that.
_OURS = re.compile(rb"\sdom0-xen:([0-9a-f]{16}):([0-9a-f-]{36}|):([0-9]{1,10})\.([0-9]{1,20})\s*\Z")
_BOOT = re.compile(r"\A[0-9a-f-]{36}\Z")
_EXPIRY = re.compile(rb'expiry-time="([0-9]{14})"')
_EXPIRY_FORMAT = "%Y%m%d%H%M%S"
_PUBLIC_KEY = re.compile(r"\Assh-ed25519 [A-Za-z0-9+/]{60,100}={0,2}\Z")


class KeyInvalid(Dom0XenError):
    """What is to be let in is no key of a session."""

    code = "ssh_key_invalid"
    remedy = "Use the ssh_public_key that the task for the sender's credentials returned."


class DoorUnrecorded(Dom0XenError):
    """Nobody would find the key again, if the receiver were killed: so it is not let in."""

    code = "ssh_door_unrecorded"
    remedy = "Look at the file system of the file that is named: make room there, then run the migration again."


class Door:
    """One line in the file of ``sshd``. Raises :class:`KeyInvalid`."""

    def __init__(self, sshd: Sshd, runtime_root: str, journal: str, session: str, public_key: str) -> None:
        """``journal`` is the session's own folder, the root is that of all sessions."""
        if not _PUBLIC_KEY.match(public_key):
            raise KeyInvalid("the key to be let in is no public key of the kind ssh-ed25519")
        self._sshd, self._session, self._key = sshd, session, public_key
        self._root, self._path = runtime_root, sshd.keys_file
        self._records = (os.path.join(runtime_root, FOLDER, session), os.path.join(journal, RECORD))
        self._port: int | None = None
        self._line = b""
        # The file, and its folder, that were not there before.
        self._made = (False, False)
        self._renew_at = 0.0

    def open(self, port: int, patience: float = PATIENCE_S) -> None:
        """Let the key come to this port; lines that others left are taken out. Raises a ``Dom0XenError``.

        sshd reads several files: one that cannot be written safely, such as a link, is left alone for the next one.
        """
        unsafe: list[KeysFileUnsafe] = []
        for path in (self._sshd.keys_file, *self._sshd.further_files):
            self._path = path
            self._made = (not os.path.lexists(path), not os.path.lexists(os.path.dirname(path)))
            try:
                self._open(port, patience)
            except KeysFileUnsafe as exc:
                unsafe.append(exc)
            except DoorUnrecorded:
                self._forget()
                raise
            else:
                return
        self._forget()
        raise unsafe[0]

    def _open(self, port: int, patience: float) -> None:
        # First, so that whoever tidies up after this process knows where to look.
        where = {"path": self._path, "made": list(self._made), **self._sshd.account._asdict()}
        me = {"boot_id": _procfs.boot_id(), "pid": os.getpid(), "started": _procfs.start_time(os.getpid())}
        for record in self._records:
            # A line that is only renewed needs no room on the disk.
            if documents.read(record) != {**where, **me}:
                _write_record(record, {**where, **me})
        self._port, self._line = port, self._made_line(port)
        self._put_in(patience)
        self._renew_at = time.monotonic() + RENEWAL_S

    def tend(self, *, lost: bool) -> None:
        """Renew the line before sshd forgets it: a connection may have to be made again after any time.

        With ``lost``, when one has to be made now, see to it that the line has not gone with somebody's change.
        """
        if self._port is None:
            return
        if time.monotonic() >= self._renew_at:
            self._open(self._port, _BRIEFLY_S)
        elif lost:
            self._put_in(_BRIEFLY_S)

    def close(self) -> None:
        """Take the line out, and with it what was made for it. Raises a ``Dom0XenError``."""
        if self._port is None:
            return
        self._port, path = None, self._path
        _clear(path, self._sshd.account, self._root, *self._made, self._session, over=True, patience=PATIENCE_S)
        self._forget()

    def _forget(self) -> None:
        for record in self._records:
            with contextlib.suppress(OSError):
                os.unlink(record)

    def _put_in(self, patience: float) -> None:
        change(self._path, self._sshd.account, self._with_line, self._root, patience=patience)

    def _with_line(self, lines: list[bytes]) -> list[bytes]:
        return lines if self._line in lines else [*_living(lines, self._session, over=True), self._line]

    def _made_line(self, port: int) -> bytes:
        # There is no option that forbids to listen; what is left is where the receiver already does, and Unix sockets:
        # for those there is none at all (channels.c remote_open_match), only sshd's AllowStreamLocalForwarding.
        where = f'permitopen="127.0.0.1:{port}",permitlisten="127.0.0.1:{port}"'
        pid = os.getpid()
        # In this host's time zone, which is what sshd reads it in.
        expiry = time.strftime(_EXPIRY_FORMAT, time.localtime(time.time() + EXPIRY_S))
        options = f'restrict,port-forwarding,{where},command="/bin/false",expiry-time="{expiry}"'
        comment = f"dom0-xen:{self._session}:{_procfs.boot_id()}:{pid}.{_procfs.start_time(pid)}"
        return f"{options} {self._key} {comment}".encode("ascii")


def _write_record(path: str, record: dict[str, t.Any]) -> None:
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        documents.write(path, record, durable=True)
    except OSError as exc:
        text = f"where the session's key is let in cannot be put on record: {path}: {exc.strerror or exc}"
        raise DoorUnrecorded(text, path=path) from exc


def tidy(runtime_root: str, journal_root: str) -> None:
    """Take out what receivers have left that were killed, or whose host has lost its power; whatever cannot be done is
    left for the next one.
    """
    for session, path in _recorded(runtime_root, journal_root):
        with contextlib.suppress(OSError, KeyError, TypeError, ValueError, Dom0XenError):
            where = documents.read(path) or {}
            over = _is_over(where)
            if over is False:
                continue
            made_file, made_folder = (made is True for made in where.get("made") or (False, False))
            account = Account(int(where["uid"]), int(where["gid"]))
            place = str(where["path"]), account, runtime_root, made_file, made_folder
            # Of a line that a process of this boot has written, its comment tells as much as this.
            whose = "" if over and where.get("boot_id") == _procfs.boot_id() else session
            if _clear(*place, whose, over=over is True):
                os.unlink(path)


def _is_over(where: t.Mapping[str, t.Any]) -> bool | None:
    """Say whether the process of a record has gone; None where the record does not tell, and its line has to.

    It may lack the boot, when that could not be read: a process of another boot does not have the pid and the time.
    """
    boot, pid, started = (where.get(key) for key in ("boot_id", "pid", "started"))
    if isinstance(boot, str) and _BOOT.match(boot) and boot != _procfs.boot_id():
        return True
    if isinstance(pid, int) and isinstance(started, int):
        return not _runs(pid, started)
    return None


def _recorded(runtime_root: str, journal_root: str) -> t.Iterator[tuple[str, str]]:
    """Yield sessions that say, or may say, where they have a line, with the path of that."""
    folder = os.path.join(runtime_root, FOLDER)
    with contextlib.suppress(OSError):
        yield from ((session, os.path.join(folder, session)) for session in os.listdir(folder))
    for session, role, path in session_folders(journal_root):
        if role == RECEIVER:
            yield session, os.path.join(path, RECORD)


def _clear(
    path: str,
    account: Account,
    place: str,
    file: bool,
    folder: bool,
    session: str,
    *,
    over: bool,
    patience: float = _BRIEFLY_S,
) -> bool:
    """Take out the lines of those that are gone, and with ``over`` that of ``session``, which is one of this host.

    ``file`` and ``folder`` were made for one. Return whether nothing of the session is there any more.
    """
    # What is not there any more has taken the line along.
    if not os.path.lexists(path):
        return True
    stays: list[bool] = []

    def edit(lines: list[bytes]) -> list[bytes]:
        after = _living(lines, session, over=over)
        stays[:] = [match[1] == session.encode("ascii") for match in map(_OURS.search, after) if match is not None]
        return after

    change(path, account, edit, place, remove_empty=file, patience=patience)
    if folder:
        with contextlib.suppress(OSError):
            os.rmdir(os.path.dirname(path))
    return not any(stays)


def _runs(pid: int, started: int) -> bool:
    return _procfs.is_alive(pid) and _procfs.start_time(pid) == started


def _living(lines: list[bytes], session: str, *, over: bool) -> list[bytes]:
    """Return the lines but for those that are left over: of this host, whose process has gone, or by ``over``."""
    return [line for line in lines if not _is_left_over(line, session, over)]


def _is_left_over(line: bytes, session: str, over: bool) -> bool:
    match = _OURS.search(line)
    if match is None:
        return False
    whose, boot, pid, started = (group.decode("ascii") for group in match.groups())
    known = whose == session
    if known and over:
        return True
    if boot == _procfs.boot_id() or (known and not boot):
        return not _runs(int(pid), int(started))
    # A session that is on record here is this host's, and its line that of an earlier boot.
    return known or _is_forgotten(line)


def _is_forgotten(line: bytes) -> bool:
    """Say whether sshd has long let nobody in with a line, on whichever host."""
    match = _EXPIRY.search(line)
    if match is None:
        return False
    try:
        expiry = time.mktime(time.strptime(match.group(1).decode("ascii"), _EXPIRY_FORMAT))
    except (OverflowError, ValueError):
        return False
    return expiry + _FORGOTTEN_S < time.time()
