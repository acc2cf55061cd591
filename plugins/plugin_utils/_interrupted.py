# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sessions did not come to an end, from the facts of all hosts (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._meant import means
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts, SessionSeen

Hosts = t.Mapping[str, HostFacts]
Sides = t.Mapping[str, tuple[str, SessionSeen]]


@dataclasses.dataclass(frozen=True)
class Interrupted(Record):
    """A session to be settled; ``source`` or ``destination`` is empty where nobody knows the host."""

    session: str
    uuid: str
    name: str
    source: str
    destination: str


def interrupted(hosts: Hosts, wanted: str = "") -> tuple[Interrupted, ...]:
    """Return the sessions of the domain ``wanted`` (name or UUID, empty for all) that need settling.

    One that runs on both hosts does not, unless it says so itself, nor does one that has ended on each host where it
    is known, with an owner.
    """
    found = [_interrupted(session, sides) for session, sides in sides_of(hosts).items()]
    return tuple(each for each in found if each and (not wanted or means(wanted, each.uuid, each.name)))


def sides_of(hosts: Hosts) -> dict[str, dict[str, tuple[str, SessionSeen]]]:
    """Return for each session, by role, the host that has that side, and what it tells of it."""
    sides: dict[str, dict[str, tuple[str, SessionSeen]]] = {}
    for host, facts in hosts.items():
        for seen in facts.sessions:
            sides.setdefault(seen.session, {})[seen.role] = (host, seen)
    return sides


def named(session: str, sides: Sides) -> Interrupted | None:
    """Return what a session is about, None when nothing tells its domain."""
    seen = [side for dummy, side in sides.values()]
    uuid = next((side.domain.uuid for side in seen if side.domain.uuid), None)
    if uuid is None:
        return None
    return Interrupted(
        session=session,
        uuid=uuid,
        name=next((side.domain.name for side in seen if side.domain.name), None) or uuid,
        source=_host(sides, SENDER, RECEIVER),
        destination=_host(sides, RECEIVER, SENDER),
    )


def _interrupted(session: str, sides: Sides) -> Interrupted | None:
    seen = [side for dummy, side in sides.values()]
    under_way = len(seen) > 1 and all(side.alive for side in seen) and not any(side.waits for side in seen)
    if under_way or all(side.over for side in seen):
        return None
    if len(seen) == 1 and seen[0].role == RECEIVER and seen[0].alive and seen[0].phase == "starting":
        # Its sender is about to come; if none does, it ends by itself.
        return None
    return named(session, sides)


def _host(roles: Sides, role: str, other: str) -> str:
    if role in roles:
        return roles[role][0]
    return (roles[other][1].peer_host if other in roles else None) or ""
