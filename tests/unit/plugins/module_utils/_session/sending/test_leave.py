# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The leave to suspend a guest: when it is given or refused, and what the session knows from that moment on."""

from __future__ import annotations

import pathlib
import select
import socket
import time
import types
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source import advance
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.process.sockets import connect_in
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.leave import Leave
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.warden import Warden
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import actions, failures, words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Phase
from ansible_collections.dom0.xen.plugins.module_utils._wire import events
from ansible_collections.dom0.xen.plugins.module_utils._wire.rounds import RoundTracker

LIMIT_S = 30
STREAMING = SourceState("centos", phase=Phase.STREAMING, xl_runs=True)


class Asked:
    """A sender's leave, for which the warden has asked; the rest of the sender is as the test says."""

    def __init__(self, folder: pathlib.Path, refused: words.Failure | None = None) -> None:
        self.warden = Warden(str(folder))
        self.warden.lay("/code")
        self.process = types.SimpleNamespace(warden=self.warden, has_written=False)
        self.link = types.SimpleNamespace(up=True, delivered=True)
        self.rounds = RoundTracker()
        self.rounds.update([events.PageData(0, 4202512, 1024, 1024, 0, 1023, b"")], 4202512, 0.0)
        stream = types.SimpleNamespace(rounds=self.rounds)
        keeper = types.SimpleNamespace(against=lambda dummy: refused)
        self.leave = Leave(*t.cast("t.Any", (self.process, stream, keeper, self.link)))
        self.sock = connect_in(str(folder), "warden.sock", timeout=LIMIT_S)
        self.sock.sendall(b"?")
        self.process.has_written = True
        deadline = time.monotonic() + LIMIT_S
        while not self.warden.asks:
            assert self.leave.look(STREAMING) is None and time.monotonic() < deadline
            select.select([self.warden.fileno()], [], [], 1.0)
        self.process.has_written = False

    def answered(self) -> bytes:
        """What the warden has been told by now."""
        return self.sock.recv(1, socket.MSG_DONTWAIT) if select.select([self.sock], [], [], 0)[0] else b""


@pytest.fixture(name="asked")
def asked_fixture(tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> t.Iterator[Asked]:
    """One, refused for the reason that the test gives, if it gives one."""
    asked = Asked(tmp_path, getattr(request, "param", None))
    yield asked
    asked.sock.close()
    asked.warden.clear()


def test_with_the_permission_the_guest_is_on_its_way_to_stand_still(asked: Asked) -> None:
    """At once: a cancel that comes next would else send a signal to a helper that waits for the suspend, and dies."""
    event = asked.leave.look(STREAMING)
    assert asked.answered() == b"y" and not asked.leave.awaited
    assert event is not None
    state, dummy = advance(STREAMING, event)
    assert state.phase is Phase.SUSPENDING
    dummy2, done = advance(state, words.CancelAsked())
    assert not any(isinstance(each, actions.StopSaving) for each in done)


@pytest.mark.parametrize("asked", [failures.REHEARSED], indirect=True)
def test_with_the_refusal_the_move_is_over(asked: Asked) -> None:
    """However long xl takes to end, and whatever becomes of the link meanwhile: that is the cause, and has a limit."""
    event = asked.leave.look(STREAMING)
    assert asked.answered() == b"n" and asked.leave.awaited
    assert event is not None
    state, done = advance(STREAMING, event)
    assert state.failure == failures.REHEARSED and any(isinstance(each, actions.Send) for each in done)
    assert asked.leave.look(state) is None and asked.answered() == b""


@pytest.mark.parametrize("why", ["unread", "away", "under_way"])
def test_it_waits_for_what_was_written_and_for_the_link(asked: Asked, why: str) -> None:
    """Nobody answers before all of it has arrived; then it is permitted, and the guest stands still for none of it."""
    asked.process.has_written, asked.link.up, asked.link.delivered = why == "unread", why != "away", why != "under_way"
    for dummy in range(3):
        assert asked.leave.look(STREAMING) is None
    assert asked.answered() == b"" and asked.leave.awaited
    asked.process.has_written, asked.link.up, asked.link.delivered = False, True, True
    assert asked.leave.look(STREAMING) == words.Reached(Phase.SUSPENDING)
    assert asked.answered() == b"y"


def test_a_move_that_has_failed_waits_for_nothing(asked: Asked) -> None:
    """It is refused with the link away, bytes unread and others under way; why it has failed is known."""
    asked.process.has_written, asked.link.up, asked.link.delivered = True, False, False
    state, dummy = advance(STREAMING, words.CancelAsked())
    assert asked.leave.look(state) is None and asked.answered() == b"n" and asked.leave.awaited


def test_what_comes_after_it_is_another_round(asked: Asked) -> None:
    """The helper asks when all live rounds are written, and one of 1024 pages does not show its end."""
    before = asked.rounds.between_rounds
    asked.leave.look(STREAMING)
    assert (before, asked.rounds.between_rounds) == (False, True)
    asked.rounds.update([events.PageData(4202512, 4120, 1, 1, 5000, 5000, b"")], 4206632, 1.0)
    assert [each.entries for each in asked.rounds.rounds] == [1024, 1]
