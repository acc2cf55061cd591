# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody loses a key, whatever else happens to the file while a line of ours comes or goes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import resource
import shutil
import struct
import subprocess
import threading
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._session.transport import authorized_keys
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.authorized_keys import Account, KeysFileUnsafe

ME = Account(os.geteuid(), os.getegid())
ALICE, BOB, OURS = b"ssh-ed25519 AAAA alice", b"ssh-ed25519 BBBB bob", b"ssh-ed25519 CCCC dom0-xen"
ACL, DEFAULT_ACL = "system.posix_acl_access", "system.posix_acl_default"

Edit = t.Callable[[list[bytes]], list[bytes]]


@pytest.fixture(name="keys")
def make_keys(tmp_path: pathlib.Path) -> pathlib.Path:
    """A file with the key of one person."""
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    path = folder / "authorized_keys"
    path.write_bytes(ALICE + b"\n")
    path.chmod(0o600)
    return path


def change(path: str, account: Account, edit: Edit, **more: t.Any) -> None:
    """Change it; the folder above its own is where sessions keep what is theirs."""
    authorized_keys.change(path, account, edit, os.path.dirname(os.path.dirname(path)), **more)


def put_in(lines: list[bytes]) -> list[bytes]:
    """What a session does when it begins."""
    return [*lines, OURS]


def take_out(lines: list[bytes]) -> list[bytes]:
    """What it does when it ends."""
    return [line for line in lines if line != OURS]


def meanwhile(happens: t.Callable[[], object], edit: Edit) -> Edit:
    """Return an edit during which something happens to the file, once."""
    left = [happens]

    def edited(lines: list[bytes]) -> list[bytes]:
        if left:
            left.pop()()
        return edit(lines)

    return edited


def appends(keys: pathlib.Path, line: bytes = BOB) -> t.Callable[[], object]:
    """Add a line as ssh-copy-id does."""

    def append() -> None:
        with keys.open("ab") as file:
            file.write(line + b"\n")

    return append


def replaces(keys: pathlib.Path, text: bytes) -> t.Callable[[], object]:
    """Put another file in its place, as ``sed -i`` and most editors do."""

    def replace() -> None:
        other = keys.with_name("other")
        other.write_bytes(text)
        other.chmod(0o600)
        other.rename(keys)

    return replace


def lines_of(keys: pathlib.Path) -> list[bytes]:
    """What the file holds; nothing is beside it."""
    assert os.listdir(keys.parent) == [keys.name]
    return keys.read_bytes().splitlines()


def test_a_key_that_is_added_meanwhile(keys: pathlib.Path) -> None:
    """It stays, whether our line comes or goes."""
    change(str(keys), ME, meanwhile(appends(keys), put_in))
    assert lines_of(keys) == [ALICE, BOB, OURS]
    change(str(keys), ME, meanwhile(appends(keys, b"another"), take_out))
    assert lines_of(keys) == [ALICE, BOB, b"another"]


def test_a_file_that_is_replaced_meanwhile(keys: pathlib.Path) -> None:
    """Both the keys that it has more, and those that somebody has just taken out of it, stay as they are now."""
    change(str(keys), ME, meanwhile(replaces(keys, BOB + b"\n"), put_in))
    assert lines_of(keys) == [BOB, OURS]


def test_a_file_that_is_made_meanwhile(keys: pathlib.Path) -> None:
    """It is not written over."""
    keys.unlink()
    change(str(keys), ME, meanwhile(appends(keys), put_in))
    assert lines_of(keys) == [BOB, OURS]


def test_a_file_that_would_go(keys: pathlib.Path) -> None:
    """It had nothing but our line; when somebody adds a key as that goes, it stays with the key."""
    keys.write_bytes(OURS + b"\n")
    change(str(keys), ME, meanwhile(appends(keys), take_out), remove_empty=True)
    assert lines_of(keys) == [BOB]


def in_the_background(work: t.Callable[[], None]) -> threading.Thread:
    """Do it in a thread."""
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_file_that_somebody_has_open(keys: pathlib.Path) -> None:
    """Whoever says ``cat >>`` opens it, then looks for the key to paste: it ends up in the file that there is then."""
    with keys.open("ab", buffering=0) as file:
        with pytest.raises(KeysFileUnsafe, match="open for writing") as caught:
            change(str(keys), ME, put_in, patience=0.1)
        assert caught.value.remedy and lines_of(keys) == [ALICE]
        changing = in_the_background(lambda: change(str(keys), ME, put_in))
        time.sleep(0.1)
        file.write(BOB + b"\n")
    changing.join()
    assert lines_of(keys) == [ALICE, BOB, OURS]


def at_the_last_moment(monkeypatch: pytest.MonkeyPatch, call: str, keys: pathlib.Path, later: float) -> None:
    """Have somebody open the file just before a call of ours changes which one it is, and write a key to it after."""
    real = getattr(os, call)

    def called(path: str, *rest: t.Any, **more: t.Any) -> None:
        if not path.endswith(keys.name) and call == "unlink":
            real(path, *rest, **more)
            return
        monkeypatch.undo()
        file = keys.open("ab", buffering=0)
        real(path, *rest, **more)

        def write() -> None:
            time.sleep(later)
            file.write(BOB + b"\n")
            file.close()

        if later:
            in_the_background(write)
        else:
            write()

    monkeypatch.setattr(os, call, called)


@pytest.mark.parametrize("later", [0.0, 0.2])
def test_a_key_in_the_last_moment(keys: pathlib.Path, monkeypatch: pytest.MonkeyPatch, later: float) -> None:
    """It is put into the file that is there instead, or that is not there any more."""
    at_the_last_moment(monkeypatch, "rename", keys, later)
    change(str(keys), ME, put_in)
    assert lines_of(keys) == [ALICE, OURS, BOB]
    keys.write_bytes(OURS + b"\n")
    at_the_last_moment(monkeypatch, "unlink", keys, later)
    change(str(keys), ME, take_out, remove_empty=True)
    assert lines_of(keys) == [BOB]


def test_keys_that_come_without_end(keys: pathlib.Path) -> None:
    """Whatever moment each of them hits, none is lost."""
    added: list[bytes] = []
    over = threading.Event()

    def add() -> None:
        while not over.wait(0.01):
            line = b"number %d" % len(added)
            appends(keys, line)()
            added.append(line)

    adding = in_the_background(add)
    changed = 0
    for turn in range(20):
        with contextlib.suppress(KeysFileUnsafe):
            change(str(keys), ME, put_in if turn % 2 == 0 else take_out)
            changed += 1
    over.set()
    adding.join()
    assert changed and added and set(added) <= set(lines_of(keys))


def test_a_file_that_changes_all_the_time(keys: pathlib.Path) -> None:
    """It is left to whoever does that."""
    added: list[bytes] = []

    def edit(lines: list[bytes]) -> list[bytes]:
        added.append(b"number %d" % len(added))
        appends(keys, added[-1])()
        return put_in(lines)

    with pytest.raises(KeysFileUnsafe, match="all the time") as caught:
        change(str(keys), ME, edit)
    assert caught.value.remedy
    assert lines_of(keys) == [ALICE, *added]


def test_a_folder_that_is_locked(keys: pathlib.Path) -> None:
    """Whoever keeps it is told of, and nothing changes; one of ours has it for a moment, and is waited for."""
    folder = os.open(keys.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(KeysFileUnsafe, match="locked its folder") as caught:
            change(str(keys), ME, put_in, patience=0.1)
        assert caught.value.remedy and lines_of(keys) == [ALICE]
        changing = in_the_background(lambda: change(str(keys), ME, put_in))
        time.sleep(0.1)
        assert lines_of(keys) == [ALICE]
    finally:
        os.close(folder)
    changing.join()
    assert lines_of(keys) == [ALICE, OURS]


def test_a_folder_that_others_can_lock(keys: pathlib.Path) -> None:
    """Whoever may only read there cannot keep a session from beginning; our own wait for each other elsewhere."""
    keys.parent.chmod(0o755)
    folder = os.open(keys.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        change(str(keys), ME, put_in)
        assert lines_of(keys) == [ALICE, OURS]
        lock = DomainLock(str(keys.parent.parent), "authorized_keys", "ssh")
        with pytest.raises(KeysFileUnsafe, match="another session") as caught:
            change(str(keys), ME, take_out, patience=0.1)
        assert caught.value.remedy
        changing = in_the_background(lambda: change(str(keys), ME, take_out))
        time.sleep(0.1)
        assert lines_of(keys) == [ALICE, OURS]
        lock.release()
        changing.join()
    finally:
        os.close(folder)
    assert lines_of(keys) == [ALICE]
    assert os.listdir(keys.parent.parent) == [keys.parent.name]


def acl(*users: int) -> bytes:
    """An ACL by which these users read as well, as the kernel takes it (include/uapi/linux/posix_acl_xattr.h)."""
    nobody = 0xFFFFFFFF
    entries = [(0x01, 6, nobody), *((0x02, 4, user) for user in users), (0x04, 0, nobody), (0x20, 0, nobody)]
    entries.insert(-1, (0x10, 4, nobody))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def test_who_may_read_it_stays(keys: pathlib.Path) -> None:
    """sshd may read some files by their ACL alone, or by their label; without them nobody would be let in any more."""
    wanted = {"user.note": b"of the site", ACL: acl(1234)}
    if os.geteuid() == 0:
        wanted["security.selinux"] = b"system_u:object_r:ssh_home_t:s0\0"
    try:
        for name, value in wanted.items():
            os.setxattr(keys, name, value)
    except OSError as exc:
        pytest.skip(f"this file system has no such attributes: {exc}")
    mode = keys.stat().st_mode
    change(str(keys), ME, put_in)
    assert {name: os.getxattr(keys, name) for name in wanted} == wanted
    assert keys.stat().st_mode == mode and lines_of(keys) == [ALICE, OURS]


def test_nobody_else_may_read_it(keys: pathlib.Path) -> None:
    """What the folder's default ACL gives to new files is not given to this one, which is not new."""
    try:
        os.setxattr(keys.parent, DEFAULT_ACL, acl(1234))
    except OSError as exc:
        pytest.skip(f"this file system has no ACLs: {exc}")
    keys.parent.chmod(0o700)
    change(str(keys), ME, put_in)
    assert ACL not in os.listxattr(keys) and keys.stat().st_mode & 0o777 == 0o600


def test_a_full_disk(keys: pathlib.Path) -> None:
    """The file is as it was, and no half of another one stays."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(ALICE) + 4, limits[1]))
    try:
        with pytest.raises(KeysFileUnsafe, match="cannot be changed"):
            change(str(keys), ME, put_in)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert lines_of(keys) == [ALICE]


@pytest.mark.parametrize("flag", ["i", "a"])
def test_a_file_that_is_not_to_be_changed(keys: pathlib.Path, flag: str) -> None:
    """Immutable, or for additions alone: it is left so."""
    chattr = shutil.which("chattr")
    if chattr is None or subprocess.run([chattr, f"+{flag}", keys], capture_output=True, check=False).returncode:
        pytest.skip("takes chattr, root, and a file system that knows it")
    try:
        with pytest.raises(KeysFileUnsafe, match="not permitted"):
            change(str(keys), ME, put_in)
        assert lines_of(keys) == [ALICE]
    finally:
        subprocess.run([chattr, f"-{flag}", keys], check=True)
