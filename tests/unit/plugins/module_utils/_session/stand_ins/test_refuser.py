# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between xl and its save helper passes on all they say, and never a request to suspend."""

from __future__ import annotations

import os
import pathlib
import struct
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.refuser import (
    VARIABLE,
    Refuser,
    find_helper,
    is_suspend,
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

    def __init__(self, folder: pathlib.Path) -> None:
        self.refused = folder / "refused"
        out, self.helper_says = os.pipe()
        self.helper_hears, inner = os.pipe()
        theirs, self.xl_says = os.pipe()
        self.xl_hears, outer = os.pipe()
        self._inner = (out, inner, theirs, outer)
        self._thread = threading.Thread(target=relay, args=(*self._inner, str(self.refused)))
        self._thread.start()

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


def test_all_else_passes_and_the_suspend_is_answered(tmp_path: pathlib.Path) -> None:
    """The helper hears that it has failed, and xl nothing at all."""
    between = Between(tmp_path)
    try:
        for each in OTHERS:
            os.write(between.helper_says, each)
            assert os.read(between.xl_hears, 1000) == each
            os.write(between.xl_says, struct.pack("=i", 7))
            assert os.read(between.helper_hears, 100) == struct.pack("=i", 7)
        assert not between.refused.exists()
        os.write(between.helper_says, SUSPEND + OTHERS[0])
        assert os.read(between.helper_hears, 100) == struct.pack("=i", 0)
        assert os.read(between.xl_hears, 1000) == OTHERS[0]
        assert between.refused.exists()
    finally:
        between.close()


def test_it_ends_with_xl(tmp_path: pathlib.Path) -> None:
    """Whose end the helper notices by its own closed input, which is what this one held open."""
    between = Between(tmp_path)
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


def test_what_a_sender_knows_of_it(tmp_path: pathlib.Path) -> None:
    """Nothing that an earlier run has left counts, and nothing is left."""
    refuser = Refuser(str(tmp_path))
    (tmp_path / "libxl-save-helper.refused").touch()
    environment = refuser.lay("/code")
    script = pathlib.Path(environment[VARIABLE])
    assert script.name == "libxl-save-helper" and os.access(script, os.X_OK)
    assert not refuser.stands and not refuser.refused
    refuser.clear()
    assert list(tmp_path.iterdir()) == []
