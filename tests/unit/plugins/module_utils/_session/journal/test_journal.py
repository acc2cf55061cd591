# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was written before its consequences can be read after them, whatever happened to the disk in between."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import resource
import signal
import stat
import typing as t
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._session.journal import journal
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.journal import Journal

STEPS = ("admitted", "commit_requested", "reported_running")


def steps(folder: pathlib.Path) -> list[str]:
    """The steps on record."""
    return [record["step"] for record in journal.read(str(folder))]


@contextmanager
def disk_full_at(size: int) -> t.Iterator[None]:
    """Let no file grow beyond ``size`` bytes, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_records_in_order(tmp_path: pathlib.Path) -> None:
    """What is written is read back, numbered, with its details; the file is nobody else's."""
    written = Journal(str(tmp_path))
    written.write("admitted", durable=False)
    written.write("abort", {"code": "cancelled", "msg": "l\u00ef\nne"})
    written.close()
    first, second = journal.read(str(tmp_path))
    assert (first["number"], first["step"], "details" in first) == (0, "admitted", False)
    assert (second["number"], second["details"]) == (1, {"code": "cancelled", "msg": "l\u00ef\nne"})
    assert first["monotonic_s"] <= second["monotonic_s"] and first["unix_s"] > 0
    assert stat.S_IMODE((tmp_path / journal.FILE).stat().st_mode) == 0o600


def test_no_journal(tmp_path: pathlib.Path) -> None:
    """A folder without one has no records."""
    assert journal.read(str(tmp_path)) == []
    assert journal.read(str(tmp_path / "nowhere")) == []


def test_torn_at_any_byte(tmp_path: pathlib.Path) -> None:
    """Power lost at any byte: every record whose line is whole is there, the torn one is not, and the next one is."""
    written = Journal(str(tmp_path))
    for step in STEPS:
        written.write(step)
    written.close()
    file = tmp_path / journal.FILE
    whole = file.read_bytes()
    for size in range(len(whole) + 1):
        file.write_bytes(whole[:size])
        expected = list(STEPS[: whole[:size].count(b"\n")])
        assert steps(tmp_path) == expected, size
        again = Journal(str(tmp_path))
        again.write("fenced")
        again.close()
        kept = steps(tmp_path)
        assert kept[-1] == "fenced" and kept[: len(expected)] == expected, size


@given(garbage=st.binary(max_size=60))
def test_damage_hides_nothing_else(tmp_path_factory: pytest.TempPathFactory, garbage: bytes) -> None:
    """Whatever a disk put between two records, both are read."""
    folder = tmp_path_factory.mktemp("journal")
    for step in ("commit", "running"):
        written = Journal(str(folder))
        written.write(step)
        written.close()
        with open(folder / journal.FILE, "ab") as handle:
            handle.write(garbage)
    kept = [step for step in steps(folder) if step in ("commit", "running")]
    assert kept == ["commit", "running"]


@pytest.mark.parametrize("room", [0, 1, 20, 60])
def test_full_disk_takes_no_half_record(tmp_path: pathlib.Path, room: int) -> None:
    """A record that did not fit is reported, leaves nothing behind, and does not spoil the next one."""
    written = Journal(str(tmp_path))
    written.write("ready")
    size = (tmp_path / journal.FILE).stat().st_size
    with disk_full_at(size + room), pytest.raises(OSError, match="."):
        written.write("commit")
    assert (tmp_path / journal.FILE).stat().st_size == size
    written.write("abort")
    written.close()
    assert steps(tmp_path) == ["ready", "abort"]


def test_journal_that_cannot_be_taken_back(tmp_path: pathlib.Path) -> None:
    """When half a record has to stay, the next one still begins on a line of its own."""
    written = Journal(str(tmp_path))
    written.write("ready")
    file = tmp_path / journal.FILE
    with open(file, "ab") as handle:
        handle.write(b'{"number":1,"step":"comm')
    written._broken = True
    written.write("abort")
    written.close()
    assert steps(tmp_path) == ["ready", "abort"]


def test_record_that_was_not_synchronised_is_taken_back(tmp_path: pathlib.Path) -> None:
    """Where the kernel cannot promise that a record is on the disk, nobody reads it later as if it had counted."""
    written = Journal(str(tmp_path))
    written.write("ready")
    # fsync of a pipe fails like fsync of a broken disk; the journal's descriptor is made one.
    read_end, write_end = os.pipe()
    os.dup2(write_end, written._fd)
    with pytest.raises(OSError, match="."):
        written.write("commit")
    assert json.loads(os.read(read_end, 4096))["step"] == "commit"
    for fd in (read_end, write_end):
        os.close(fd)
    written.close()
    assert steps(tmp_path) == ["ready"]


@pytest.mark.parametrize("line", [b"[]", b"7", b'"commit"', b"null", b"\xff\xfe", b"{" * 5])
def test_lines_that_are_no_records(tmp_path: pathlib.Path, line: bytes) -> None:
    """They are passed over."""
    (tmp_path / journal.FILE).write_bytes(line + b'\n{"step":"commit"}\n')
    assert steps(tmp_path) == ["commit"]


def test_the_last_records_have_room_on_a_full_disk(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lets the source's guest go on must be on record: a disk that fills up meanwhile does not lose it."""
    written = Journal(str(tmp_path))
    written.reserve()
    assert (tmp_path / journal.RESERVE).stat().st_blocks * 512 >= journal.RESERVE_BYTES

    class FullDisk:
        def __getattr__(self, name: str) -> t.Any:
            return getattr(os, name)

        def write(self, descriptor: int, data: bytes) -> int:
            return os.write(descriptor, data if not (tmp_path / journal.RESERVE).exists() else data[:7])

    monkeypatch.setattr(journal, "os", FullDisk())
    written.write("refused")
    assert steps(tmp_path) == ["refused"] and not (tmp_path / journal.RESERVE).exists()
    written.write("ended")
    written.close()
    assert steps(tmp_path) == ["refused", "ended"]


def test_a_record_that_is_written_again_is_no_part_of_what_was_torn_off(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk may refuse even to make a file shorter (btrfs): the commit that then finds room must be readable."""
    written = Journal(str(tmp_path))
    written.write("ready")
    written.reserve()

    class FullDisk:
        def __getattr__(self, name: str) -> t.Any:
            return getattr(os, name)

        def write(self, descriptor: int, data: bytes) -> int:
            return os.write(descriptor, data if not (tmp_path / journal.RESERVE).exists() else data[:7])

        def ftruncate(self, descriptor: int, size: int) -> None:
            if (tmp_path / journal.RESERVE).exists():
                raise OSError(errno.ENOSPC, "No space left on device")
            os.ftruncate(descriptor, size)

    monkeypatch.setattr(journal, "os", FullDisk())
    written.write("commit")
    assert steps(tmp_path) == ["ready", "commit"]
    # What is taken back later is that record alone, and not the end of the one before it as well.
    with disk_full_at((tmp_path / journal.FILE).stat().st_size + 5), pytest.raises(OSError, match="."):
        written.write("running")
    written.write("ended")
    written.close()
    assert steps(tmp_path) == ["ready", "commit", "ended"]


def test_the_result_has_that_room_as_well(tmp_path: pathlib.Path) -> None:
    """Without it the status in memory would be all that tells how the session has ended."""
    written = Journal(str(tmp_path))
    written.reserve()
    tried: list[bool] = []

    def write() -> None:
        tried.append((tmp_path / journal.RESERVE).exists())
        if tried[-1]:
            raise OSError(errno.ENOSPC, "No space left on device")

    journal.with_reserve(str(tmp_path), write)
    assert tried == [True, False]
    with pytest.raises(OSError, match="else"):
        journal.with_reserve(str(tmp_path), lambda: _fail(errno.EIO))
    written.close()


def _fail(number: int) -> None:
    raise OSError(number, "something else")


def test_the_room_goes_with_the_session(tmp_path: pathlib.Path) -> None:
    """It is no record, and nothing but a session's process needs it."""
    written = Journal(str(tmp_path))
    written.reserve()
    written.close()
    assert journal.give_up_reserve(str(tmp_path)) and not journal.give_up_reserve(str(tmp_path))
    assert os.listdir(tmp_path) == [journal.FILE]
