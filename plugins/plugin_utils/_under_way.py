# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is being moved now, from what all hosts tell of their sessions (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.plugin_utils._progress import figure, percent

# It runs on both hosts.
MOVING = "moving"
# It has ended, and its process watches the guest for a little longer.
ENDING = "ending"
# A process of one host alone is there: the hosts are looked at one after the other, the other one may not have told
# anything, or its process has died and this one will notice.
ONE_SIDE = "one_side"
# No process is there, or one says so itself: dom0.xen.settle brings it to its end.
INTERRUPTED = "interrupted"
# As they are told: what somebody has to do something about comes last, next to the prompt.
STATES = (MOVING, ENDING, ONE_SIDE, INTERRUPTED)

Session = t.Mapping[str, t.Any]
Sides = dict[str, tuple[str, Session]]


@dataclasses.dataclass(frozen=True)
class Move(Record):
    """A move that is not over. ``state`` is one of STATES; ``phase`` and ``owner`` are the sender's where it told them.

    ``source`` and ``destination`` are names of the inventory, empty where nobody knows the host; ``seen_on`` are those
    that told of the session, ``alive_on`` those where its process runs. Sizes in bytes, ``percent`` of
    ``expected_bytes``, rates in bytes a second; ``elapsed_s`` is how long it has taken so far, ``eta_s`` how long the
    rest of memory takes at this rate. Null is what nobody has told.
    """

    session: str
    uuid: str | None
    name: str | None
    source: str
    destination: str
    state: str
    phase: str
    owner: str
    method: str | None
    transport: str | None
    bytes: int | None
    expected_bytes: int | None
    percent: float | None
    rate_bytes_per_s: int | None
    eta_s: float | None
    elapsed_s: float | None
    round: int | None
    waits_for_gate: bool
    error: str | None
    seen_on: tuple[str, ...]
    alive_on: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Seen:
    """A move, and the status document that it was read from."""

    move: Move
    status: Session


def moves(hosts: t.Mapping[str, t.Sequence[Session]]) -> tuple[Seen, ...]:
    """Return the moves that are not over, of the sessions that each host told of (``moves_info``)."""
    sessions: dict[str, Sides] = {}
    for host, told in hosts.items():
        for session in told:
            sessions.setdefault(str(session.get("session")), {})[str(session.get("role"))] = (host, session)
    found = [_seen(name, sides) for name, sides in sessions.items()]
    return tuple(sorted(found, key=_order))


def _order(seen: Seen) -> tuple[int, str, str, str]:
    move = seen.move
    return STATES.index(move.state), move.source, move.name or "", move.session


def _seen(name: str, sides: Sides) -> Seen:
    # The sender knows rate and rounds, and carries the receiver's figures.
    status = sides[SENDER if SENDER in sides else RECEIVER][1] if set(sides) & {SENDER, RECEIVER} else {}
    domains = [_domain(session) for dummy, session in sides.values()]
    share = percent(status)
    elapsed = figure(status, "elapsed_ms")
    move = Move(
        session=name,
        uuid=next((domain["uuid"] for domain in domains if domain["uuid"]), None),
        name=next((domain["name"] for domain in domains if domain["name"]), None),
        source=_host(sides, SENDER, RECEIVER),
        destination=_host(sides, RECEIVER, SENDER),
        state=_state(sides),
        phase=_word(status, "phase") or "unknown",
        owner=_word(status, "owner") or "unsettled",
        method=_word(status, "method"),
        transport=_word(status, "transport"),
        bytes=_whole(status, "bytes"),
        expected_bytes=_whole(status, "expected_bytes"),
        percent=None if share is None else round(share, 1),
        rate_bytes_per_s=_whole(status, "rate_bytes_per_s"),
        eta_s=figure(status, "eta_s"),
        elapsed_s=None if elapsed is None else round(elapsed / 1000, 1),
        round=_whole(status, "round"),
        waits_for_gate=_dict(status, "gate").get("waits") is True,
        error=_word(_dict(status, "error"), "code"),
        seen_on=tuple(sorted({host for host, dummy in sides.values()})),
        alive_on=tuple(sorted({host for host, session in sides.values() if session.get("alive")})),
    )
    return Seen(move, status)


def _state(sides: Sides) -> str:
    alive = {role: session for role, (dummy, session) in sides.items() if session.get("alive")}
    if not alive or any(session.get("waits_for_settling") for session in alive.values()):
        return INTERRUPTED
    if len(alive) > 1:
        return MOVING
    # What has ended with an owner is not told by its host any more.
    ended = all(session.get("phase") == "ended" for session in alive.values())
    return ENDING if ended and set(alive) == set(sides) else ONE_SIDE


def _host(sides: Sides, role: str, other: str) -> str:
    if role in sides:
        return sides[role][0]
    return (_word(_opened(sides[other][1]), "peer_host") if other in sides else None) or ""


def _domain(session: Session) -> dict[str, str | None]:
    """Return what the domain is called; of a session with nothing but its journal that says it."""
    domain = _dict(session, "domain") or _opened(session)
    return {"uuid": _word(domain, "uuid"), "name": _word(domain, "name")}


def _opened(session: Session) -> Session:
    records = session.get("journal")
    for record in records if isinstance(records, list) else ():
        if isinstance(record, dict) and record.get("step") == "opened":
            return _dict(record, "details")
    return {}


def _dict(document: Session, key: str) -> Session:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _word(document: Session, key: str) -> str | None:
    value = document.get(key)
    return value if isinstance(value, str) and value else None


def _whole(document: Session, key: str) -> int | None:
    value = figure(document, key)
    return None if value is None else int(value)
