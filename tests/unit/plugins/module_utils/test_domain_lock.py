# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session at a time for a domain and a role."""

from __future__ import annotations

import fcntl
import os
import pathlib
import subprocess
import sys

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import (
    RESTORES,
    SAVES,
    SETTLES,
    DomainBusy,
    DomainLock,
)

UUID = "5d3d33a6-5a0c-4d0a-9f43-0a3d5ad0b111"


def test_second_session_of_the_same_domain(tmp_path: pathlib.Path) -> None:
    """It is refused until the first is over, and told what to do."""
    lock = DomainLock(str(tmp_path), UUID, "sender")
    with pytest.raises(DomainBusy, match=UUID) as caught:
        DomainLock(str(tmp_path), UUID, "sender")
    assert "adopts" in caught.value.remedy
    lock.release()
    assert list(tmp_path.iterdir()) == []
    DomainLock(str(tmp_path), UUID, "sender").release()


@pytest.mark.parametrize(
    ("does", "words", "remedy"),
    [
        (SAVES, "is being saved", "two or three minutes"),
        (RESTORES, "is being restored", "where the domain is"),
        (SETTLES, "another run settles", "until that run has ended"),
    ],
)
def test_whoever_comes_upon_it_is_told_what_it_is_held_for(
    tmp_path: pathlib.Path, does: str, words: str, remedy: str
) -> None:
    """What helps against a migration that is under way, to adopt it, does not help against anything else."""
    lock = DomainLock(str(tmp_path), UUID, "sender", does)
    with pytest.raises(DomainBusy, match=words) as caught:
        DomainLock(str(tmp_path), UUID, "sender")
    assert UUID in caught.value.message and remedy in caught.value.remedy and "adopts" not in caught.value.remedy
    lock.release()


def test_what_a_killed_holder_did_is_not_told_of_the_next(tmp_path: pathlib.Path) -> None:
    """Its file is left, and taken over."""
    (tmp_path / f"{UUID}.sender.lock").write_text(RESTORES)
    lock = DomainLock(str(tmp_path), UUID, "sender", SAVES)
    with pytest.raises(DomainBusy, match="is being saved"):
        DomainLock(str(tmp_path), UUID, "sender")
    lock.release()


def test_others_are_not_in_the_way(tmp_path: pathlib.Path) -> None:
    """A host may hold both roles of a domain (a move within one host), and other domains."""
    locks = [
        DomainLock(str(tmp_path), UUID, "sender"),
        DomainLock(str(tmp_path), UUID, "receiver"),
        DomainLock(str(tmp_path), UUID.replace("5", "6"), "sender"),
    ]
    for lock in locks:
        lock.release()


def test_lock_of_a_killed_process(tmp_path: pathlib.Path) -> None:
    """It is free at once, though its file is left."""
    code = (
        "import os, signal, sys\n"
        "from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import DomainLock\n"
        "lock = DomainLock(sys.argv[1], sys.argv[2], 'sender')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code, str(tmp_path), UUID], env=environment, check=False)
    assert len(list(tmp_path.iterdir())) == 1
    DomainLock(str(tmp_path), UUID, "sender").release()
    assert list(tmp_path.iterdir()) == []


def test_children_do_not_keep_it(tmp_path: pathlib.Path) -> None:
    """xl, started by a session, does not hold the session's lock after it."""
    lock = DomainLock(str(tmp_path), UUID, "sender")
    with subprocess.Popen(["sleep", "30"]) as child:
        lock.release()
        DomainLock(str(tmp_path), UUID, "sender").release()
        child.kill()


def test_left_to_a_child(tmp_path: pathlib.Path) -> None:
    """Who was forked while it was held keeps it to its end."""
    lock = DomainLock(str(tmp_path), UUID, "sender")
    watched, hold = os.pipe()
    child = os.fork()
    if not child:
        os.close(hold)
        os.read(watched, 1)
        os._exit(0)
    os.close(watched)
    lock.leave()
    lock.release()
    with pytest.raises(DomainBusy):
        DomainLock(str(tmp_path), UUID, "sender")
    os.close(hold)
    os.waitpid(child, 0)
    DomainLock(str(tmp_path), UUID, "sender").release()
    assert list(tmp_path.iterdir()) == []


def test_link_in_its_place(tmp_path: pathlib.Path) -> None:
    """A symbolic link is not followed."""
    (tmp_path / f"{UUID}.sender.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="."):
        DomainLock(str(tmp_path), UUID, "sender")
    assert not (tmp_path / "elsewhere").exists()


def test_release_takes_no_other_lock_away(tmp_path: pathlib.Path) -> None:
    """When its file was removed under it and somebody else holds a new one, that one stays."""
    lock = DomainLock(str(tmp_path), UUID, "sender")
    (tmp_path / f"{UUID}.sender.lock").unlink()
    other = DomainLock(str(tmp_path), UUID, "sender")
    lock.release()
    with pytest.raises(DomainBusy):
        DomainLock(str(tmp_path), UUID, "sender")
    other.release()


def test_file_removed_between_opening_and_locking(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever locks a file that the holder before has just removed holds nothing, and tries again."""
    first, flock = DomainLock(str(tmp_path), UUID, "sender"), fcntl.flock
    released: list[DomainLock] = []

    def late(fd: int, operation: int) -> None:
        if not released:
            released.append(first)
            first.release()
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    second = DomainLock(str(tmp_path), UUID, "sender")
    with pytest.raises(DomainBusy):
        DomainLock(str(tmp_path), UUID, "sender")
    second.release()
