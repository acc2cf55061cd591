# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of a line that let a session in is cleared away, by whoever comes next, and nothing else is."""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import re
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.ssh_door import RECORD
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.transport.doors import (
    SESSION,
    THEIRS,
    door,
    left_over,
    recorded,
    tidied,
)


def test_what_a_killed_one_has_left(keys: pathlib.Path) -> None:
    """The next door clears it away, and so does whoever tidies up; a door that is open stays."""
    left_over(keys)
    one = door(keys)
    one.open(1)
    assert "e" * 16 not in keys.read_text()
    left_over(keys)
    tidied(keys)
    assert "e" * 16 not in keys.read_text() and SESSION in keys.read_text()
    assert recorded(keys) == [SESSION, SESSION]
    one.close()
    left_over(keys)
    keys.unlink()
    tidied(keys)
    assert recorded(keys) == [] and not keys.exists()


def test_what_a_killed_one_has_made(keys: pathlib.Path) -> None:
    """A file that was not there before goes with it, and its folder; one with keys in it by then stays."""
    second = keys.with_name("authorized_keys2")
    real = keys.rename(keys.parent.parent / "managed")
    keys.symlink_to(real)
    left_over(keys, str(second))
    tidied(keys)
    assert not second.exists() and keys.is_symlink() and real.read_text() == THEIRS
    left_over(keys, str(second))
    second.write_text(second.read_text() + THEIRS)
    tidied(keys)
    assert second.read_text() == THEIRS + "\n"
    left_over(keys.parent.parent / "made" / "authorized_keys")
    tidied(keys)
    assert not (keys.parent.parent / "made").exists() and recorded(keys) == []


def test_a_home_that_hosts_share(keys: pathlib.Path) -> None:
    """Whether a process of another host runs cannot be seen from here: its line stays, until sshd has forgotten it."""
    left_over(keys)
    dead = keys.read_text().splitlines()[-1]
    now = time.time()
    theirs = dead.replace(_procfs.boot_id(), "01234567-89ab-cdef-0123-456789abcdef")
    assert theirs != dead

    def expired(days: float) -> str:
        then = time.strftime("%Y%m%d%H%M%S", time.localtime(now - days * 86400))
        return re.sub('expiry-time="[0-9]+"', f'expiry-time="{then}"', theirs)

    stay = [*THEIRS.splitlines(), theirs, expired(1.5), theirs.replace('expiry-time="2', 'expiry-time="9999')]
    keys.write_text("\n".join([*stay, dead, expired(2.5)]) + "\n")
    tidied(keys)
    assert keys.read_text().splitlines() == stay
    one = door(keys)
    one.open(1)
    assert keys.read_text().splitlines()[:-1] == stay
    one.close()
    assert keys.read_text().splitlines() == stay


def test_what_an_earlier_boot_of_this_host_has_left(keys: pathlib.Path) -> None:
    """Its line goes, by what stands beside its journal; that of another host's session, not on record here, stays."""
    left_over(keys)
    (keys.parent.parent / "run" / "ssh-doors" / ("e" * 16)).unlink()
    boot, earlier = _procfs.boot_id(), "01234567-89ab-cdef-0123-456789abcdef"
    dead = keys.read_text().splitlines()[-1].replace(boot, earlier)
    others = dead.replace("e" * 16, "d" * 16)
    keys.write_text(f"{THEIRS}\n{dead}\n{others}\n")
    record = keys.parent.parent / "journals" / f"{'e' * 16}.receiver" / RECORD
    record.write_text(record.read_text().replace(boot, earlier))
    tidied(keys)
    assert keys.read_text() == f"{THEIRS}\n{others}\n"
    assert recorded(keys) == []


EARLIER = "01234567-89ab-cdef-0123-456789abcdef"


NO_BOOT: list[dict[str, t.Any]] = [{}, {"boot_id": None}, {"boot_id": ""}, {"boot_id": "01234567-89ab"}]


NO_PROCESS: dict[str, t.Any] = {"pid": None, "started": None, "made": None}


def recorded_as(keys: pathlib.Path, session: str, document: dict[str, t.Any]) -> list[pathlib.Path]:
    """Write anew what a session says of where it has a line, in memory and on the disk."""
    paths = [
        keys.parent.parent / "run" / "ssh-doors" / session,
        keys.parent.parent / "journals" / f"{session}.receiver" / RECORD,
    ]
    known = json.loads(paths[0].read_text())
    del known["boot_id"]
    for path in paths:
        path.write_text(json.dumps({**known, **document}))
    return paths


@pytest.mark.parametrize("process", [{}, NO_PROCESS], ids=["process", "nothing"])
@pytest.mark.parametrize("boot", [*NO_BOOT, {"boot_id": _procfs.boot_id()}])
def test_a_record_without_its_boot_takes_no_living_line(
    keys: pathlib.Path, boot: dict[str, t.Any], process: dict[str, t.Any]
) -> None:
    """Its process, or else its line, tells that the session lives: it must be able to come in again."""
    one = door(keys)
    one.open(1)
    before = keys.read_text()
    recorded_as(keys, SESSION, {**boot, **process})
    tidied(keys)
    assert keys.read_text() == before and recorded(keys) == [SESSION, SESSION]
    # As an older one wrote it, which could not read its boot either.
    keys.write_text(before.replace(_procfs.boot_id(), ""))
    tidied(keys)
    assert keys.read_text() == before.replace(_procfs.boot_id(), "") and recorded(keys) == [SESSION, SESSION]
    one.close()
    assert keys.read_text() == THEIRS + "\n" and recorded(keys) == []


@pytest.mark.parametrize("line", [EARLIER, "", None], ids=["earlier", "unread", "now"])
@pytest.mark.parametrize("process", [{}, NO_PROCESS], ids=["process", "nothing"])
@pytest.mark.parametrize("boot", NO_BOOT)
def test_a_record_without_its_boot_takes_a_dead_line(
    keys: pathlib.Path, boot: dict[str, t.Any], process: dict[str, t.Any], line: str | None
) -> None:
    """After the host was restarted, or the process killed: it is this host's; that of another host's session stays."""
    left_over(keys)
    dead = keys.read_text().splitlines()[-1].replace(_procfs.boot_id(), _procfs.boot_id() if line is None else line)
    others = dead.replace("e" * 16, "d" * 16).replace(_procfs.boot_id(), EARLIER)
    keys.write_text(f"{THEIRS}\n{dead}\n{others}\n")
    in_memory, dummy = recorded_as(keys, "e" * 16, {**boot, **process})
    if line is not None:
        in_memory.unlink()
    tidied(keys)
    assert keys.read_text() == f"{THEIRS}\n{others}\n" and recorded(keys) == []


def test_a_record_that_is_none(keys: pathlib.Path) -> None:
    """Whoever has written it: nothing is taken out by it, and it is in nobody's way."""
    one = door(keys)
    one.open(1)
    before = keys.read_text()
    folder = keys.parent.parent / "journals" / f"{'d' * 16}.receiver"
    folder.mkdir()
    for text in ("", "[]", "{}", '{"boot_id": "x", "pid": 1, "started": 1, "made": 7}', '{"boot_id": "x"}'):
        (folder / RECORD).write_text(text)
        tidied(keys)
        assert keys.read_text() == before and (folder / RECORD).exists()
    one.close()


def test_half_a_write_of_another_host(keys: pathlib.Path) -> None:
    """It is neither taken for one's own nor in the way."""
    theirs = keys.parent / ".authorized_keys.dom0-xen-01234567-89ab-cdef-0123-456789abcdef"
    theirs.write_text("half")
    one = door(keys)
    one.open(1)
    one.close()
    assert theirs.read_text() == "half" and keys.read_text() == THEIRS + "\n"


def test_a_folder_that_somebody_keeps_locked(keys: pathlib.Path) -> None:
    """Whoever can open it can do that; nobody tidies up then, and nobody waits for it for long."""
    left_over(keys)
    folder = os.open(keys.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        tidied(keys)
        assert "e" * 16 in keys.read_text() and recorded(keys) == ["e" * 16] * 2
    finally:
        os.close(folder)
    tidied(keys)
    assert "e" * 16 not in keys.read_text() and recorded(keys) == []


def test_a_write_that_was_killed_is_no_hindrance(keys: pathlib.Path) -> None:
    """Its half is cleared away, and was never the file."""
    (keys.parent / f".authorized_keys.dom0-xen-{_procfs.boot_id()}").write_text("half")
    one = door(keys)
    one.open(1)
    one.close()
    assert os.listdir(keys.parent) == ["authorized_keys"]
