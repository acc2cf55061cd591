# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slots: how many domains leave a host, or come to it, at one time (private to the collection).

What counts is who is there: the sessions whose process runs on this host, whoever began them. A reservation only
bridges the time between the turn of a move and the start of its session. It is over when a session of the domain has
been there and is there no more, or when its time is up; so a run that was killed leaves nothing that somebody would
have to clear away, and a migration that goes on keeps its slot.
"""

from __future__ import annotations

import dataclasses
import os
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import sessions_seen
from ansible_collections.dom0.xen.plugins.module_utils._marks import files
from ansible_collections.dom0.xen.plugins.module_utils._record import Record, Result
from ansible_collections.dom0.xen.plugins.module_utils._records import SessionSeen

NAME = "slots.json"
_POLL_S = 0.5
# Of sessions that have ended, as many are looked at.
_SESSIONS = 200

Sessions = t.Sequence[SessionSeen]


@dataclasses.dataclass(frozen=True)
class Reservation(Record):
    """A slot that waits for its session; ``until_s`` is in seconds since the host was booted.

    ``known`` are the sessions of the domain that were there before.
    """

    uuid: str
    name: str
    role: str
    run: str
    until_s: float
    known: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Answer:
    """Whether the slot was taken, and by whom the others are: for each ``uuid``, ``name``, ``session``, ``run``."""

    taken: bool
    changed: bool
    holders: tuple[Result, ...]


Reservations = t.Tuple[Reservation, ...]


def valid(reservations: t.Iterable[Reservation], sessions: Sessions, now: float) -> tuple[Reservation, ...]:
    """Return the reservations that still stand for a session to come."""
    return tuple(each for each in reservations if each.until_s > now and not _begun(each, sessions))


def _begun(each: Reservation, sessions: Sessions) -> bool:
    return any(
        session.role == each.role and session.domain.uuid == each.uuid and session.session not in each.known
        for session in sessions
    )


def holders(role: str, reservations: t.Iterable[Reservation], sessions: Sessions) -> tuple[Result, ...]:
    """Return who has a slot of this kind: sessions at work, then reservations of other domains."""
    found: list[Result] = [
        {"uuid": session.domain.uuid, "name": session.domain.name, "session": session.session, "run": ""}
        for session in sessions
        if session.alive and session.role == role
    ]
    at_work = {each["uuid"] for each in found}
    found += [
        {"uuid": each.uuid, "name": each.name, "session": None, "run": each.run}
        for each in reservations
        if each.role == role and each.uuid not in at_work
    ]
    return tuple(found)


def take(
    kept: Reservations, asked: Reservation, limit: int, sessions: Sessions, now: float
) -> tuple[Reservations, Answer]:
    """Return the reservations as they are to be kept, and the answer. A ``limit`` of 0 is none.

    One that has its slot already has it for longer.
    """
    others = tuple(each for each in valid(kept, sessions, now) if (each.uuid, each.role) != (asked.uuid, asked.role))
    there = holders(asked.role, others, sessions)
    if limit and sum(each["uuid"] != asked.uuid for each in there) >= limit:
        return others, Answer(False, len(others) != len(kept), there)
    mine = tuple(
        session.session for session in sessions if session.role == asked.role and session.domain.uuid == asked.uuid
    )
    return (*others, dataclasses.replace(asked, known=mine)), Answer(True, True, there)


class Slots:
    """The slots of this host."""

    def __init__(self, runtime_root: str, journal_root: str) -> None:
        self._runtime = runtime_root
        self._journal = journal_root

    def take(self, asked: Reservation, limit: int, hold_s: float) -> Answer:
        """Try to take a slot, once, for ``hold_s`` seconds. Raises PlaceError and OSError."""
        with files.locked(self._runtime) as folder:
            path, now = os.path.join(folder, NAME), time.monotonic()
            kept, answer = take(
                _read(path), dataclasses.replace(asked, until_s=now + hold_s), limit, self._sessions(), now
            )
            if answer.changed:
                _write(path, kept)
            return answer

    def wait(self, asked: Reservation, limit: int, hold_s: float, wait_s: float) -> Answer:
        """Try for ``wait_s`` seconds."""
        deadline = time.monotonic() + wait_s
        while True:
            answer = self.take(asked, limit, hold_s)
            if answer.taken or time.monotonic() >= deadline:
                return answer
            time.sleep(_POLL_S)

    def give_back(self, uuid: str, role: str, run: str = "") -> bool:
        """Give a reservation of this run back; return whether there was one. A session that runs keeps its slot.

        Another run that has taken the same slot since, to make the same move, keeps it.
        """
        with files.locked(self._runtime) as folder:
            path = os.path.join(folder, NAME)
            before = _read(path)
            mine = (uuid, role, run)
            kept = tuple(each for each in before if (each.uuid, each.role, each.run) != mine)
            if len(kept) != len(before):
                _write(path, kept)
            return len(kept) != len(before)

    def holders(self, role: str) -> tuple[Result, ...]:
        """Return who has the slots of this kind now; changes nothing."""
        sessions = self._sessions()
        kept = _read(os.path.join(self._runtime, files.FOLDER, NAME))
        return holders(role, valid(kept, sessions, time.monotonic()), sessions)

    def _sessions(self) -> Sessions:
        return sessions_seen(self._runtime, self._journal, limit=_SESSIONS)


def _read(path: str) -> Reservations:
    found = []
    for each in (files.read(path) or {}).get("slots") or ():
        try:
            found.append(Reservation.from_result(each))
        except (TypeError, AttributeError):  # of another version, or spoilt: it ends by its time anyway
            continue
    return tuple(found)


def _write(path: str, kept: Reservations) -> None:
    files.write(path, {"slots": [each.to_result() for each in kept]})
