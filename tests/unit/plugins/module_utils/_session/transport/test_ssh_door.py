# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that lets one session in: what it allows, when it goes, and that nothing else of the file does."""

from __future__ import annotations

import os
import pathlib
import stat
import subprocess
import time

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.transport import ssh_door, sshd
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.ssh_door import Door, KeyInvalid
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.transport.doors import (
    KEY,
    ME,
    SESSION,
    THEIRS,
    door,
    recorded,
)


def test_a_door(keys: pathlib.Path) -> None:
    """Open, it is one line that allows one port and is forgotten within a day; closed, there is nothing of it."""
    one = door(keys)
    one.open(49152)
    line = keys.read_text().splitlines()[-1]
    assert keys.read_text().startswith(THEIRS + "\n")
    for option in (
        "restrict,",
        'permitopen="127.0.0.1:49152"',
        'permitlisten="127.0.0.1:49152"',
        'command="/bin/false"',
    ):
        assert option in line
    expiry = line.partition('expiry-time="')[2].partition('"')[0]
    left = time.mktime(time.strptime(expiry, "%Y%m%d%H%M%S")) - time.time()
    assert 23 * 3600 < left <= 25 * 3600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o640
    one.close()
    assert keys.read_text() == THEIRS + "\n"
    assert os.listdir(keys.parent) == ["authorized_keys"] and recorded(keys) == []
    one.close()


def test_sshd_takes_every_option(tmp_path: pathlib.Path) -> None:
    """What sshd does not understand makes it leave out the line; it says so to whoever looks at the file."""
    keys = tmp_path / "ssh" / "authorized_keys"
    one = door(keys)
    one.open(49152)
    options, dummy, rest = keys.read_text().strip().partition(" ssh-ed25519 ")
    assert rest
    done = subprocess.run(["ssh-keygen", "-l", "-f", str(keys)], capture_output=True, text=True, check=True)
    assert "ED25519" in done.stdout and "restrict" in options
    one.close()


def test_what_was_made_for_it_goes_with_it(tmp_path: pathlib.Path) -> None:
    """An account without any keys has none afterwards; while the door is open the file is the account's alone."""
    keys = tmp_path / "ssh" / "authorized_keys"
    one = door(keys)
    one.open(1)
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600 and stat.S_IMODE(keys.parent.stat().st_mode) == 0o700
    one.close()
    assert not keys.parent.exists()


def test_renewal(keys: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A move may take days, and its connection may break on the last of them."""
    one = door(keys)
    one.open(49152)
    before = keys.read_text()
    now = time.time()
    one.tend(lost=True)
    assert keys.read_text() == before
    monkeypatch.setattr(ssh_door, "RENEWAL_S", 0.0)
    one.open(49152)
    monkeypatch.setattr(time, "time", lambda: now + 7200)
    one.tend(lost=False)
    assert keys.read_text() != before and keys.read_text().count(SESSION) == 1
    one.close()
    assert keys.read_text() == THEIRS + "\n"


def test_a_line_that_somebody_takes_out(keys: pathlib.Path) -> None:
    """It is put back when the sender has to come in again, with the keys that people have by then; not before."""
    one, two = door(keys), door(keys, "f" * 16)
    one.open(1)
    two.open(2)
    line = keys.read_text().splitlines()[-2]
    keys.write_text(f"# {line}\nssh-ed25519 AAAA bob\n")
    one.tend(lost=False)
    assert keys.read_text() == f"# {line}\nssh-ed25519 AAAA bob\n"
    one.tend(lost=True)
    assert keys.read_text() == f"ssh-ed25519 AAAA bob\n{line}\n"
    keys.unlink()
    one.tend(lost=True)
    assert keys.read_text() == f"{line}\n"
    one.close()
    one.tend(lost=True)
    assert keys.read_text() == ""


def test_two_sessions(keys: pathlib.Path) -> None:
    """Each takes its own line away."""
    one, two = door(keys), door(keys, "f" * 16)
    one.open(1)
    two.open(2)
    one.close()
    assert SESSION not in keys.read_text() and "f" * 16 in keys.read_text()
    two.close()
    assert keys.read_text() == THEIRS + "\n"


def test_keys_that_are_none(keys: pathlib.Path) -> None:
    """Nothing but a key gets into the file: neither options before it nor a line behind it."""
    for key in ("", 'command="x" ' + KEY, KEY + "\nssh-ed25519 AAAA", KEY + " comment", "ssh-rsa AAAA"):
        with pytest.raises(KeyInvalid):
            Door(sshd.Sshd((), str(keys), ME), str(keys.parent), str(keys.parent), SESSION, key)
