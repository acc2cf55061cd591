# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots: what counts is who moves; a reservation stands for a session that has not begun yet."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import threading
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._marks.slots import Reservation, Slots, holders, take, valid
from ansible_collections.dom0.xen.plugins.module_utils._records import SessionDomain, SessionSeen

A, B, C = (f"{number}c1a7b9e-3f5d-4c65-9e1a-0123456789ab" for number in range(3))
SESSION = "0123456789abcdef"


def reservation(uuid: str, role: str = "sender", until: float = 100.0, known: tuple[str, ...] = ()) -> Reservation:
    """A slot of a domain."""
    return Reservation(uuid, uuid[:4], role, "", until, known)


def session(uuid: str, alive: bool = True, role: str = "sender", name: str = SESSION) -> SessionSeen:
    """A session of a domain."""
    domain = SessionDomain(uuid, uuid[:4])
    return SessionSeen(name, role, "streaming" if alive else "ended", "source", None, domain, 1, alive)


def test_a_session_counts_whoever_began_it() -> None:
    """A single move that asked for no slot takes one all the same."""
    kept, answer = take((), reservation(A), 1, [session(B)], 0.0)
    assert not answer.taken and kept == ()
    assert [each["uuid"] for each in answer.holders] == [B]
    assert take((), reservation(A), 2, [session(B)], 0.0)[1].taken
    assert take((), reservation(A), 1, [session(B, role="receiver")], 0.0)[1].taken
    assert take((), reservation(A), 1, [session(B, alive=False)], 0.0)[1].taken


def test_a_reservation_and_its_session_are_one_slot() -> None:
    """From the turn of a move to its end it has one, and at its end none."""
    kept, answer = take((), reservation(A, until=300.0), 1, [], 0.0)
    assert answer.taken
    assert not take(kept, reservation(B), 1, [], 1.0)[1].taken
    assert len(holders("sender", valid(kept, [session(A)], 1.0), [session(A)])) == 1
    assert not take(kept, reservation(B), 1, [session(A)], 2.0)[1].taken
    assert take(kept, reservation(B), 1, [session(A, alive=False)], 3.0)[1].taken


def test_a_session_of_before_ends_no_reservation() -> None:
    """The domain was moved here and away before; that session is not the one that is to come."""
    old = session(A, alive=False)
    kept, dummy = take((), reservation(A, until=300.0), 1, [old], 0.0)
    assert not take(kept, reservation(B), 1, [old], 1.0)[1].taken
    assert take(kept, reservation(B), 1, [session(A, alive=False, name="f" * 16), old], 1.0)[1].taken


def test_a_killed_run_gives_back_what_it_never_used() -> None:
    """After the time that its session may take to begin; a session that runs is never taken for one that is gone."""
    kept, dummy = take((), reservation(A, until=300.0), 1, [], 0.0)
    assert not take(kept, reservation(B), 1, [], 299.0)[1].taken
    assert take(kept, reservation(B), 1, [], 301.0)[1].taken
    assert not take(kept, reservation(B), 1, [session(A)], 301.0)[1].taken


def test_the_same_domain_has_its_slot_already() -> None:
    """A run that is started again takes the slot that the killed one had."""
    kept, dummy = take((), reservation(A, until=300.0), 1, [], 0.0)
    kept, answer = take(kept, reservation(A, until=500.0), 1, [], 200.0)
    assert answer.taken and [each.until_s for each in kept] == [500.0]
    assert take(kept, reservation(A, until=500.0), 1, [session(A)], 200.0)[1].taken


@pytest.fixture
def slots(tmp_path: pathlib.Path) -> Slots:
    """Those of a host without sessions."""
    return Slots(str(tmp_path / "run"), str(tmp_path / "lib"))


def test_many_at_once_never_are_more_than_the_limit(slots: Slots) -> None:
    """Twelve ask in the same moment, and again when one has ended."""
    taken: list[str] = []
    most: list[int] = []
    lock = threading.Lock()

    def move(number: int) -> None:
        asked = Reservation(f"{number:08d}-0000-0000-0000-000000000000", str(number), "sender", "", 0.0)
        assert slots.wait(asked, 3, 60.0, 60.0).taken
        with lock:
            taken.append(asked.uuid)
            most.append(len(taken))
        time.sleep(0.05)
        with lock:
            taken.remove(asked.uuid)
        assert slots.give_back(asked.uuid, "sender")

    threads = [threading.Thread(target=move, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 12 and max(most) <= 3
    assert slots.holders("sender") == ()


def test_a_slot_that_another_run_has_taken_since_is_not_given_back(slots: Slots) -> None:
    """Two runs ask for one move: the one that gives up leaves the other its slot."""
    assert slots.take(Reservation(A, "a", "sender", "first", 0.0), 1, 60.0).taken
    assert slots.take(Reservation(A, "a", "sender", "second", 0.0), 1, 60.0).taken
    assert not slots.give_back(A, "sender", "first")
    assert [each["run"] for each in slots.holders("sender")] == ["second"]
    assert slots.give_back(A, "sender", "second") and slots.holders("sender") == ()


def test_a_live_process_is_what_keeps_a_slot(slots: Slots, tmp_path: pathlib.Path) -> None:
    """As the sender's process leaves its status on the host; killed, it has none."""
    folder = tmp_path / "run" / f"{SESSION}.sender"
    folder.mkdir(parents=True)
    with subprocess.Popen(["sh", "-c", "read nothing", str(folder)], stdin=subprocess.PIPE) as process:
        document: dict[str, t.Any] = {"phase": "streaming", "domain": {"uuid": A, "name": "a"}, "pid": process.pid}
        (folder / "status.json").write_text(json.dumps(document))
        assert not slots.take(Reservation(B, "b", "sender", "", 0.0), 1, 60.0).taken
        process.kill()
    assert slots.take(Reservation(B, "b", "sender", "", 0.0), 1, 60.0).taken


def test_what_somebody_has_spoilt_keeps_nobody_from_moving(slots: Slots, tmp_path: pathlib.Path) -> None:
    """Slots are a courtesy among runs; the file is made anew."""
    assert slots.take(Reservation(A, "a", "sender", "", 0.0), 1, 60.0).taken
    (path,) = (tmp_path / "run" / "fleet").glob("slots.json")
    for text in ("", "{", '{"slots": [1, {"uuid": 2}, null]}', "[]"):
        path.write_text(text)
        assert slots.take(Reservation(B, "b", "sender", "", 0.0), 1, 60.0).taken
    assert os.stat(path).st_mode & 0o077 == 0
