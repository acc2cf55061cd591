# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a session calls to look, and what becomes of those who wait for that."""

from __future__ import annotations

import pathlib
import resource
import subprocess
import sys

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.journal.looks import NEXT_LOOK, Looks, pause


def test_long_moves_are_looked_at_less_often_but_at_least_every_minute() -> None:
    """The rule that the documentation states."""
    assert [pause(5, elapsed) for elapsed in (0, 90, 200, 1200, 90000)] == [5, 5, 10, 60, 60]


def test_an_interval_longer_than_a_minute_is_kept() -> None:
    """The caller's wish goes first."""
    assert pause(300, 10) == 300


def test_who_waits_is_told_of_a_killed_session(tmp_path: pathlib.Path) -> None:
    """And nobody begins to wait for it."""
    code = f"import sys, time; from {Looks.__module__} import Looks; Looks(sys.argv[1], 5, time.time); print()"
    command = [sys.executable, "-uc", f"{code}; time.sleep(60)", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        with open(tmp_path / NEXT_LOOK, "rb") as waiting:
            process.kill()
            assert waiting.read() == b""
    assert not (tmp_path / NEXT_LOOK).exists()
    with pytest.raises(FileNotFoundError):
        (tmp_path / NEXT_LOOK).open("rb")


def test_a_session_goes_on_where_nobody_can_wait_for_it(tmp_path: pathlib.Path) -> None:
    """The controller has a clock too."""
    looks = Looks(str(tmp_path / "gone"), 5, lambda: 0.0)
    looks.call()
    looks.close()


def test_a_session_goes_on_where_there_is_no_descriptor_to_be_had(tmp_path: pathlib.Path) -> None:
    """It may have asked for the commit, after which nothing ends it: who waits looks now, and the next ones later."""
    looks = Looks(str(tmp_path), 5, lambda: 0.0)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open(tmp_path / NEXT_LOOK, "rb") as waiting:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
        try:
            looks.call()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert waiting.read() == b""
    assert not (tmp_path / NEXT_LOOK).is_symlink()
    looks.call()
    with open(tmp_path / NEXT_LOOK, "rb") as waiting:
        looks.close()
        assert waiting.read() == b""


def test_nobody_is_led_to_a_descriptor_that_is_something_else_by_now(tmp_path: pathlib.Path) -> None:
    """Where the file could not be made anew, whoever opened the one of before would read from what has its number:
    a line of what xl says, or a piece of the guest's memory.
    """
    looks = Looks(str(tmp_path), 5, lambda: 0.0)
    (tmp_path / f"{NEXT_LOOK}.new").mkdir()
    looks.call()
    assert not (tmp_path / NEXT_LOOK).is_symlink()
    looks.close()
