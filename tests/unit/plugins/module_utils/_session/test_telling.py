# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the status is told, and who is held back while the guest stands still."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.stillness import QUIET, Stillness
from ansible_collections.dom0.xen.plugins.module_utils._session.telling import Telling
from ansible_collections.dom0.xen.plugins.module_utils._session.words import Phase


class Told:
    """A session's status file, under a clock of ours."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.now = folder, 0.0
        self.telling = Telling(str(folder), 5.0, lambda: self.now)

    def tell(self, phase: Phase, at: float, *, idle: bool = False, waits: bool = False) -> str | None:
        """Tell it at ``at`` seconds; return the phase that the file shows."""
        self.now = at
        self.telling.tell(phase, idle=idle, waits=waits, document=lambda: {"phase": phase.value})
        told = documents.read(str(self.folder / documents.STATUS))
        return told["phase"] if told else None

    def quiet(self) -> bool:
        """Whether those who look are held back."""
        return (self.folder / QUIET).exists()


@pytest.fixture
def told(tmp_path: pathlib.Path) -> t.Iterator[Told]:
    """A status file."""
    one = Told(tmp_path)
    yield one
    one.telling.close()
    assert not one.quiet()


def test_nothing_is_written_while_the_guest_stands_still_and_there_is_work(told: Told) -> None:
    """A new phase is news, but writing it takes time from the guest's."""
    assert told.tell(Phase.STREAMING, 0) == "streaming"
    assert not told.quiet()
    assert told.tell(Phase.SUSPENDING, 2) == "streaming"
    assert told.quiet()
    assert told.tell(Phase.TRANSFERRED, 9) == "streaming"
    assert told.tell(Phase.TRANSFERRED, 9.1, idle=True) == "transferred"
    assert told.quiet()
    assert told.tell(Phase.FINISHING, 9.2) == "finishing"
    assert not told.quiet()


def test_what_the_controller_is_waited_for_with_is_told_at_once(told: Told) -> None:
    """The guest stands still for as long as the controller does not know."""
    told.tell(Phase.STREAMING, 0)
    told.tell(Phase.GATE, 9, idle=True)
    assert told.quiet()
    told.now = 9.1
    told.telling.tell(Phase.GATE, idle=False, waits=True, document=lambda: {"phase": "it waits"})
    assert (documents.read(str(told.folder / documents.STATUS)) or {})["phase"] == "it waits"
    assert not told.quiet()


def test_the_quiet_ends_with_the_process(tmp_path: pathlib.Path) -> None:
    """Who waits is told of a killed session, and nobody begins to wait for it."""
    code = "import sys, time; from {0} import Stillness; Stillness(sys.argv[1]).keep(True); print(); time.sleep(60)"
    command = [sys.executable, "-uc", code.format(Stillness.__module__), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        with open(tmp_path / QUIET, "rb") as waiting:
            process.kill()
            assert waiting.read() == b""
    assert not (tmp_path / QUIET).exists()
    with pytest.raises(FileNotFoundError):
        (tmp_path / QUIET).open("rb")


def test_a_quiet_that_cannot_be_announced_holds_nobody_back(tmp_path: pathlib.Path) -> None:
    """A session goes on without it."""
    stillness = Stillness(str(tmp_path / "gone"))
    stillness.keep(True)
    stillness.keep(False)
