# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between xl and its save helper passes on all they say, and a request to suspend only where it may."""

from __future__ import annotations

import os
import pathlib
import select
import struct
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._session.process.sockets import connect_in
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.warden import (
    VARIABLE,
    Warden,
    find_helper,
    is_suspend,
    permitted,
    relay,
    split,
)

LIMIT_S = 30


def message(kind: int, arguments: bytes = b"") -> bytes:
    """One as the helper writes it."""
    return struct.pack("=HH", 2 + len(arguments), kind) + arguments


SUSPEND = message(3)
# libxl_save_msgs_gen.pl: log, progress, switch_qemu_logdirty and complete are all that a save says beside it.
OTHERS = [message(1, b"text"), message(2, bytes(40)), message(7, struct.pack("=II", 5, 1)), message(10, bytes(8))]


@given(st.lists(st.sampled_from([*OTHERS, SUSPEND]), max_size=8), st.data())
def test_however_they_are_cut_they_stay_the_same(said: list[bytes], data: st.DataObject) -> None:
    """A pipe gives what it has."""
    stream = b"".join(said)
    end = data.draw(st.integers(0, len(stream)))
    first, left = split(stream[:end])
    second, rest = split(left + stream[end:])
    assert first + second == said and rest == b""


def test_the_request_is_told_from_all_others() -> None:
    """It has no arguments; a longer one of that kind would not be what is meant."""
    assert is_suspend(SUSPEND)
    assert not any(map(is_suspend, [*OTHERS, message(4), message(5), message(6), message(3, b"x")]))


class Between:
    """It, with both ends in our hands."""

    def __init__(self, permitted: bool = False) -> None:
        self.asked: list[bytes] = []
        self._permitted = permitted
        out, self.helper_says = os.pipe()
        self.helper_hears, inner = os.pipe()
        theirs, self.xl_says = os.pipe()
        self.xl_hears, outer = os.pipe()
        self._inner = (out, inner, theirs, outer)
        self._thread = threading.Thread(target=relay, args=(*self._inner, self._ask))
        self._thread.start()

    def _ask(self) -> bool:
        self.asked.append(SUSPEND)
        return self._permitted

    def ended(self) -> None:
        """It ends by itself."""
        self._thread.join(LIMIT_S)
        assert not self._thread.is_alive()

    def close(self) -> None:
        """Close all, which ends it."""
        os.close(self.helper_says)
        self.ended()
        for number in (*self._inner, self.helper_hears, self.xl_says, self.xl_hears):
            os.close(number)


def test_all_else_passes_and_the_suspend_is_refused() -> None:
    """The helper hears that it has failed, and xl nothing at all."""
    between = Between()
    try:
        for each in OTHERS:
            os.write(between.helper_says, each)
            assert os.read(between.xl_hears, 1000) == each
            os.write(between.xl_says, struct.pack("=i", 7))
            assert os.read(between.helper_hears, 100) == struct.pack("=i", 7)
        assert between.asked == []
        os.write(between.helper_says, SUSPEND + OTHERS[0])
        assert os.read(between.helper_hears, 100) == struct.pack("=i", 0)
        assert os.read(between.xl_hears, 1000) == OTHERS[0]
        assert between.asked == [SUSPEND]
    finally:
        between.close()


def test_a_suspend_that_is_permitted_passes() -> None:
    """And what xl says to it."""
    between = Between(permitted=True)
    try:
        os.write(between.helper_says, SUSPEND)
        assert os.read(between.xl_hears, 1000) == SUSPEND and between.asked == [SUSPEND]
        os.write(between.xl_says, struct.pack("=i", 1))
        assert os.read(between.helper_hears, 100) == struct.pack("=i", 1)
    finally:
        between.close()


def test_it_ends_with_xl() -> None:
    """Whose end the helper notices by its own closed input, which is what this one held open."""
    between = Between()
    os.close(between.xl_says)
    between.ended()
    for number in (between.helper_says, *between._inner, between.helper_hears, between.xl_hears):
        os.close(number)


def test_the_helper_is_the_one_that_the_library_names(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several releases of Xen may be installed. Without a library the path tells, and without both nothing does."""
    helper, other = tmp_path / "xen-4.17" / "libxl-save-helper", tmp_path / "bin" / "libxl-save-helper"
    for path in (helper, other):
        path.parent.mkdir()
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    library, proc = tmp_path / "libxenlight.so.4.17.0", tmp_path / "proc" / "9"
    gone = b"/nowhere/libxl-save-helper"
    library.write_bytes(b"\x7fELF\0LIBXL_SAVE_HELPER\0" + gone + b"\0\0" + os.fsencode(helper) + b"\0--save-domain\0")
    proc.mkdir(parents=True)
    maps = proc / "maps"
    line = "7f0000000000-7f0000001000 r--p 00000000 fd:00 1234                       {}\n"
    maps.write_text(line.format("/usr/lib/libc.so.6") + 2 * line.format(library))
    monkeypatch.setenv("PATH", str(other.parent))
    assert find_helper(9, str(tmp_path / "proc")) == str(helper)
    maps.write_text(line.format("/usr/lib/libc.so.6"))
    assert find_helper(9, str(tmp_path / "proc")) == str(other)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        find_helper(9, str(tmp_path / "proc"))


def test_nothing_is_left_of_it(tmp_path: pathlib.Path) -> None:
    """Nor does anything count that an earlier run has left."""
    (tmp_path / "warden.sock").touch()
    warden = Warden(str(tmp_path))
    script = pathlib.Path(warden.lay("/code")[VARIABLE])
    assert os.access(script, os.X_OK) and script.name != "libxl-save-helper"
    assert warden.holds and not warden.stands and not warden.asks
    warden.clear()
    assert list(tmp_path.iterdir()) == [] and warden.fileno() == -1


class Asking:
    """Somebody who asks the sender, as the process between xl and its helper does."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.warden = Warden(str(folder))
        self.warden.lay("/code")
        self.sock = connect_in(str(folder), "warden.sock")
        self.answers: list[bool] = []
        self._thread = threading.Thread(target=lambda: self.answers.append(permitted(self.sock)))

    def ask(self) -> None:
        """Ask."""
        self._thread.start()

    def answered(self) -> list[bool]:
        """What was answered."""
        self._thread.join(LIMIT_S)
        self.sock.close()
        return self.answers

    def seen(self) -> tuple[bool, bool, bool]:
        """What the sender sees: whether it stands, asks, and must not suspend."""
        self.warden.look()
        return self.warden.stands, self.warden.asks, self.warden.holds

    def until(self, seen: tuple[bool, bool, bool]) -> None:
        """Look until that is seen."""
        deadline = time.monotonic() + LIMIT_S
        while self.seen() != seen:
            assert time.monotonic() < deadline
            select.select([self.warden.fileno()], [], [], 1.0)


@pytest.mark.parametrize("may", [True, False])
def test_what_is_asked_is_answered(tmp_path: pathlib.Path, may: bool) -> None:
    """It is seen to stand before it asks, and what it asks for is held until then."""
    asking = Asking(tmp_path)
    assert asking.seen() == (True, False, True)
    asking.ask()
    asking.until((True, True, True))
    assert asking.seen() == (True, True, True) and not asking.answers
    asking.warden.answer(may)
    assert asking.answered() == [may]
    assert asking.seen() == (True, False, not may)
    assert asking.warden.fileno() == -1
    asking.warden.clear()


@pytest.mark.parametrize("asks", [False, True], ids=["before", "after"])
def test_a_sender_that_has_gone_permits_nothing(tmp_path: pathlib.Path, asks: bool) -> None:
    """Whether it goes before it is asked or after."""
    asking = Asking(tmp_path)
    if asks:
        asking.ask()
        asking.until((True, True, True))
    asking.warden.clear()
    if not asks:
        asking.ask()
    assert asking.answered() == [False]


def test_one_that_has_gone_asks_no_more(tmp_path: pathlib.Path) -> None:
    """Its answer would reach nobody."""
    asking = Asking(tmp_path)
    asking.sock.sendall(b"?")
    asking.until((True, True, True))
    asking.sock.close()
    asking.until((True, False, True))
    asking.warden.answer(permitted=True)
    assert asking.warden.fileno() == -1
    asking.warden.clear()
