# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's program finds corrupted and outdated memory; run here as an ordinary process."""

from __future__ import annotations

import errno
import json
import shutil
import socket
import struct
import subprocess
import time
import typing as t

import pytest
from dom0lab import guest_disk, lun, needs
from dom0lab.start import free_ports

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not shutil.which("gcc") or not needs.LIBC.exists(), reason="gcc or the static C library is not installed"
)
PAGES = 256


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("guest") / "centos"
    guest_disk.compile_program(path)
    return path


@pytest.fixture
def port(program: Path) -> t.Iterator[int]:
    number = free_ports(1)[0]
    with subprocess.Popen([str(program), str(number), str(PAGES), "1000"]) as process:
        try:
            yield number
        finally:
            process.kill()


def ask(port: int, words: str) -> dict[str, t.Any]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(0.3)
        wire.connect(("127.0.0.1", port))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                wire.send(f"{words} n1\n".encode())
                answer: dict[str, t.Any] = json.loads(wire.recv(2000))
            except (TimeoutError, ConnectionError):
                time.sleep(0.05)
                continue
            assert answer["nonce"] == "n1"
            return answer
    raise AssertionError("no answer")


def test_good_memory_verifies_while_it_is_rewritten(port: int) -> None:
    """No false alarm; the counters move; one boot id; a whole pass was made."""
    before = ask(port, "ask")
    time.sleep(0.5)
    after = ask(port, "verify")
    assert after["memory_verified"] is True
    assert after["bad"] == 0
    assert after["boot_id"] == before["boot_id"]
    assert after["counter"] > before["counter"]
    assert after["writes"] - before["writes"] > 100
    assert after["passes"] >= 1


@pytest.mark.parametrize("harm", ["corrupt", "stale"])
def test_harm_is_found_and_never_forgotten(port: int, harm: str) -> None:
    """One flipped bit, or one page of an earlier generation, is enough, though the page is rewritten later."""
    assert ask(port, "verify")["memory_verified"] is True
    ask(port, harm)
    assert ask(port, "verify")["memory_verified"] is False
    assert ask(port, "rate 5000")["rate"] == 5000
    time.sleep(0.3)
    assert ask(port, "verify")["memory_verified"] is False


def test_the_rate_is_kept_and_changeable(port: int) -> None:
    """What dirties memory during a migration is what was asked for."""
    ask(port, "rate 0")
    still = ask(port, "ask")["writes"]
    time.sleep(0.3)
    assert ask(port, "ask")["writes"] - still <= 5
    ask(port, "rate 2000")
    start, begun = ask(port, "ask")["writes"], time.monotonic()
    time.sleep(1.0)
    rate = (ask(port, "ask")["writes"] - start) / (time.monotonic() - begun)
    assert 500 < rate < 3000


def test_lines_over_tcp(port: int) -> None:
    """A connection that lives through a migration asks over TCP, several lines in one packet."""
    ask(port, "ask")
    with socket.create_connection(("127.0.0.1", port), timeout=5) as wire, wire.makefile("r") as lines:
        wire.sendall(b"ask a\nverify b\n")
        assert [json.loads(lines.readline())["nonce"] for dummy in range(2)] == ["a", "b"]


@pytest.fixture(scope="module")
def stamped(program: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A disk that the program has stamped for a while."""
    path = tmp_path_factory.mktemp("disk") / "disk.raw"
    with path.open("wb") as handle:
        handle.truncate(1 << 20)
    port = free_ports(1)[0]
    with subprocess.Popen([str(program), str(port), str(PAGES), "10", str(path)]) as process:
        try:
            while ask(port, "ask")["stamps"] < 12:
                time.sleep(0.1)
            assert ask(port, "ask")["disk_error"] == 0
        finally:
            process.kill()
    # The process that stamps goes with it, a moment later.
    seen = -1
    while seen != (seen := lun.read(path).count):
        time.sleep(0.2)
    return path.read_bytes()


def test_good_stamps_are_counted(stamped: bytes, tmp_path: Path) -> None:
    """All there are, and nothing is wrong with them."""
    path = tmp_path / "disk"
    path.write_bytes(stamped)
    seen = lun.read(path)
    assert seen.count >= 12 and not seen.problem


def test_stamps_are_held_against_what_the_guest_says(stamped: bytes, tmp_path: Path) -> None:
    """It has written those that it tells of, could write at all, and had time for some."""
    path = tmp_path / "disk"
    path.write_bytes(stamped)
    count = lun.read(path).count
    well = {"stamps": count, "disk_error": 0}
    assert lun.judge(path, well, least=count) == lun.Stamps(count)
    assert "the guest has written" in lun.judge(path, {**well, "stamps": count + 1}, least=1).problem
    assert "are on the disk" in lun.judge(path, well, least=count + 1).problem
    assert "could not write: error 5" in lun.judge(path, {**well, "disk_error": 5}, least=1).problem
    path.write_bytes(booted_again(stamped, 5))
    assert lun.judge(path, well, least=1).problem == lun.read(path).problem != ""


def test_an_emptied_disk_has_its_size_and_what_was_put_on_it(tmp_path: Path) -> None:
    """Whatever had been on it."""
    path = tmp_path / "disk"
    path.write_bytes(b"x" * 8192)
    lun.write(path, b"new")
    assert path.read_bytes() == b"new" + bytes(8189)


def test_a_disk_that_cannot_be_written_to_is_told(program: Path, tmp_path: Path) -> None:
    """A guest that cannot write does not pass for one that has nothing to write."""
    port = free_ports(1)[0]
    with subprocess.Popen([str(program), str(port), str(PAGES), "10", str(tmp_path / "none")]) as process:
        try:
            while not (told := ask(port, "ask"))["disk_error"]:
                time.sleep(0.05)
        finally:
            process.kill()
    assert told["disk_error"] == errno.ENOENT and told["stamps"] == 0


def of(disk: bytes, number: int) -> bytes:
    return disk[number * lun.BLOCK : (number + 1) * lun.BLOCK]


def second_writer(disk: bytes) -> bytes:
    """Another one wrote stamp 6 as well, a moment later."""
    words = list(struct.unpack(f"<{lun.WORDS}Q", of(disk, 6)))
    words[3] += 7
    words[5] = lun.checksum(tuple(words))
    return disk[: 6 * lun.BLOCK] + struct.pack(f"<{lun.WORDS}Q", *words) + disk[7 * lun.BLOCK :]


HARMS: dict[str, tuple[t.Callable[[bytes], bytes], str]] = {
    "a flipped bit": (lambda disk: disk[:30000] + bytes([disk[30000] ^ 1]) + disk[30001:], "stamp 7 is damaged"),
    "a lost write": (lambda disk: disk[: 6 * 4096] + bytes(4096) + disk[7 * 4096 :], "stamp 6, which is missing"),
    "a stamp twice": (lambda disk: disk[: 6 * 4096] + of(disk, 5) + disk[7 * 4096 :], "stamp 6 carries number 5"),
    "a second writer": (second_writer, "stamp 7 does not follow from the one before: there were two writers"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_harm_to_stamps_is_found(stamped: bytes, tmp_path: Path, harm: str) -> None:
    """What a move may do to a disk is seen, and where."""
    done, told = HARMS[harm]
    path = tmp_path / "disk"
    path.write_bytes(done(stamped))
    assert told in lun.read(path).problem


def booted_again(disk: bytes, number: int) -> bytes:
    """Another boot has written so many stamps over those of the one before."""
    before, after = 0, b""
    for place in range(number):
        words = list(struct.unpack(f"<{lun.WORDS}Q", of(disk, place)))
        words[2], words[3], words[4] = words[2] ^ 1, words[3] // 2, before
        before = words[5] = lun.checksum(tuple(words))
        after += struct.pack(f"<{lun.WORDS}Q", *words)
    return after + disk[number * lun.BLOCK :]


def test_stamps_of_an_earlier_boot_lie_behind_those_of_the_last(stamped: bytes, tmp_path: Path) -> None:
    """Where the guest was started anew, and nowhere else; they are as whole as the others, and are not counted."""
    path = tmp_path / "disk"
    path.write_bytes(booted_again(stamped, 5))
    assert lun.read(path).problem == "stamp 5 is of another boot"
    assert lun.read(path, boots=2) == lun.Stamps(5)
    path.write_bytes(booted_again(booted_again(stamped, 8), 4))
    assert lun.read(path, boots=3) == lun.Stamps(4)
    path.write_bytes(booted_again(stamped, 5)[: 6 * lun.BLOCK] + booted_again(stamped, 8)[6 * lun.BLOCK :])
    assert lun.read(path, boots=2).problem == "stamp 6 is of another boot", "they are in two pieces"
    path.write_bytes(second_writer(booted_again(stamped, 3)))
    assert "there were two writers" in lun.read(path, boots=2).problem
    path.write_bytes(booted_again(stamped, 5)[: 9 * lun.BLOCK] + bytes(lun.BLOCK) + stamped[10 * lun.BLOCK :])
    assert "stamp 9, which is missing" in lun.read(path, boots=2).problem
