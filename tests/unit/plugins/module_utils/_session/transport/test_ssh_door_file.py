# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the line of a session is not put into: of others, links, on a full disk; and which one it goes to then."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
from dom0_double.driver.commands import namespaces

from ansible_collections.dom0.xen.plugins.module_utils._session.transport.authorized_keys import (
    Account,
    KeysFileUnsafe,
    change,
)
from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.transport.doors import (
    KEY,
    ME,
    SESSION,
    THEIRS,
    door,
    recorded,
)


def unsafe(keys: pathlib.Path, word: str) -> None:
    """The door stays shut with a remedy, and nothing was written."""
    before = keys.read_bytes() if keys.is_file() else None
    with pytest.raises(KeysFileUnsafe) as caught:
        door(keys).open(1)
    assert word in caught.value.message and str(keys.parent) in caught.value.message and caught.value.remedy
    assert (keys.read_bytes() if keys.is_file() else None) == before


def test_files_that_are_left_alone(keys: pathlib.Path) -> None:
    """A link could lead anywhere, and what others write to is theirs as much as the account's."""
    keys.chmod(0o660)
    unsafe(keys, "written by others")
    keys.chmod(0o600)
    keys.parent.chmod(0o770)
    unsafe(keys, "written by others")
    keys.parent.chmod(0o700)
    os.link(keys, keys.parent / "hard")
    unsafe(keys, "no plain file")
    (keys.parent / "hard").unlink()
    elsewhere = keys.rename(keys.parent / "elsewhere")
    keys.symlink_to(elsewhere)
    unsafe(keys, "symbolic link")
    keys.unlink()
    keys.mkdir()
    unsafe(keys, "no plain file")
    keys.rmdir()
    os.mkfifo(keys)
    unsafe(keys, "no plain file")
    keys.unlink()
    link = keys.parent.parent / "link"
    link.symlink_to(keys.parent)
    unsafe(link / "authorized_keys", "symbolic link")


def test_a_file_of_somebody_else(keys: pathlib.Path) -> None:
    """Neither root's nor the account's."""
    with pytest.raises(KeysFileUnsafe):
        add(keys, Account(54321, 54321)) if os.geteuid() else _of_another(keys)
    assert keys.read_text() == THEIRS


def _of_another(keys: pathlib.Path) -> None:
    os.chown(keys, 12345, 12345)
    add(keys, ME)


def add(keys: pathlib.Path, account: Account) -> None:
    """Add a line to the file of an account."""
    change(str(keys), account, lambda lines: [*lines, b"x"], str(keys.parent.parent))


def test_the_second_file_where_the_first_is_not_ours_to_change(keys: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A link that a tool looks after, say. sshd reads both; nothing is left of what was made."""
    real = tmp_path / "managed"
    keys.rename(real)
    keys.symlink_to(real)
    second = keys.with_name("authorized_keys2")
    one = door(keys, SESSION, str(second))
    one.open(49152)
    assert SESSION in second.read_text() and real.read_text() == THEIRS
    second.write_text("")
    one.tend(lost=True)
    assert SESSION in second.read_text()
    one.close()
    assert not second.exists() and keys.is_symlink() and real.read_text() == THEIRS


def test_what_is_wrong_with_the_first_file_is_told(keys: pathlib.Path) -> None:
    """Where none can be changed: that is the one that people know."""
    keys.chmod(0o666)
    second = keys.with_name("authorized_keys2")
    second.symlink_to(keys)
    one = door(keys, SESSION, str(second))
    with pytest.raises(KeysFileUnsafe, match="can be written by others"):
        one.open(1)
    assert recorded(keys) == []


# On small file systems of its own, which are full: the one with the account's folder, or that with the journals.
FULL = """
mount -t tmpfs -o size=64k,mode=700 none "$0" || exit 1
cat /dev/zero > "$0/zeros" 2> /dev/null
"$@"
ls -A "$0"
"""


_OPEN = """
import os, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._session.transport import sshd
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.authorized_keys import Account
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.ssh_door import Door
keys, root, journal, session, key = sys.argv[2:]
try:
    Door(sshd.Sshd((), keys, Account(os.geteuid(), os.getegid())), root, journal, session, key).open(1)
except Dom0XenError as exc:
    print(exc.code, exc.message, exc.remedy, sep="\\n")
"""


@pytest.mark.skipif(not namespaces(), reason="needs a file system of its own (root, unshare)")
@pytest.mark.parametrize(("full", "code"), [("ssh", "ssh_keys_file_unsafe"), ("journals", "ssh_door_unrecorded")])
def test_full_disk(keys: pathlib.Path, full: str, code: str) -> None:
    """Nobody is let in, the message says where there is no room, and nothing is left, on disk or in memory."""
    top = keys.parent.parent
    place, journal = top / full, top / "journals" / f"{SESSION}.receiver"
    for folder in (top / "run", journal):
        folder.mkdir(mode=0o700, parents=True)
    alone = ["unshare", "--mount", "sh", "-c", FULL, str(place)]
    asked = [sys.executable, "-c", _OPEN, str(COLLECTIONS), str(keys), str(top / "run"), str(journal), SESSION, KEY]
    done = subprocess.run([*alone, *asked], capture_output=True, text=True, check=True)
    told, message, remedy, *left = done.stdout.splitlines()
    assert told == code and "No space left on device" in message
    assert str(place) in message + remedy and "ake room" in remedy
    # The journal's own folder is made before this, by whoever starts the receiver.
    assert {*left} - {journal.name} == {"zeros"} and recorded(keys) == []
