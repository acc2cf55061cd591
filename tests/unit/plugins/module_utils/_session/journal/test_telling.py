# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the status is told, and when those who watch are called to look."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.looks import NEXT_LOOK
from ansible_collections.dom0.xen.plugins.module_utils._session.journal.telling import Telling
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Phase


class Told:
    """A session's status file, under a clock of ours, and somebody who waits for the next look."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.now = folder, 0.0
        self.telling = Telling(str(folder), 5.0, lambda: self.now)
        self.telling.invite(5.0)
        self._waiting = self._wait()

    def _wait(self) -> int:
        return os.open(self.folder / NEXT_LOOK, os.O_RDONLY | os.O_NONBLOCK)

    def tell(self, phase: Phase, at: float, *, idle: bool = False, waits: bool = False) -> str:
        """Tell it at ``at`` seconds; return what the file shows."""
        self.now = at
        said = f"{phase.value} waits" if waits else phase.value
        self.telling.tell(phase, idle=idle, waits=waits, document=lambda: {"said": said})
        return str((documents.read(str(self.folder / documents.STATUS)) or {})["said"])

    def called(self) -> bool:
        """Whether who waited was called; it then waits anew."""
        try:
            assert os.read(self._waiting, 1) == b""
        except BlockingIOError:
            return False
        os.close(self._waiting)
        self._waiting = self._wait()
        return True

    def close(self) -> None:
        """End it, which who waits is told of."""
        self.telling.close()
        assert os.read(self._waiting, 1) == b""
        os.close(self._waiting)


@pytest.fixture
def told(tmp_path: pathlib.Path) -> t.Iterator[Told]:
    """A status file."""
    one = Told(tmp_path)
    yield one
    one.close()
    assert not (tmp_path / NEXT_LOOK).exists()


def test_nobody_is_disturbed_while_the_guest_stands_still(told: Told) -> None:
    """A new phase is news, but writing it, and looking at it, takes time from the guest's."""
    assert told.tell(Phase.STREAMING, 0) == "streaming"
    assert told.tell(Phase.SUSPENDING, 6) == "streaming"
    assert told.tell(Phase.TRANSFERRED, 9) == "streaming"
    assert told.tell(Phase.TRANSFERRED, 9.1, idle=True) == "transferred"
    assert told.tell(Phase.FINISHING, 9.2) == "transferred"
    assert not told.called()
    assert told.tell(Phase.ENDED, 9.3) == "ended"
    assert told.called()


def test_what_settling_has_asked_for_is_told_at_once(told: Told) -> None:
    """It looks for the answer, and the guest stands still until it has seen it."""
    told.tell(Phase.STREAMING, 0)
    assert told.tell(Phase.TRANSFERRED, 1) == "streaming"
    told.telling.hurry()
    assert told.tell(Phase.TRANSFERRED, 2) == "transferred"
    assert told.tell(Phase.GATE, 3) == "transferred"


def test_while_memory_flows_looks_come_at_their_interval(told: Told) -> None:
    """Each costs time; what is shown is not older than the call."""
    calls = []
    for second in range(12):
        said = told.tell(Phase.STREAMING, second)
        calls.append(told.called())
        assert said == "streaming"
    assert [second for second, called in enumerate(calls) if called] == [5, 10]


def test_what_the_controller_is_waited_for_with_is_told_at_once(told: Told) -> None:
    """The guest stands still for as long as the controller does not know."""
    told.tell(Phase.STREAMING, 0)
    assert told.tell(Phase.GATE, 2, idle=True) == "streaming"
    assert told.tell(Phase.GATE, 2.1, waits=True) == "gate waits"
    assert told.called()
