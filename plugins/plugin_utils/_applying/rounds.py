# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Emptying hosts round by round: what is left, what is to be settled first, what is tried again (pure; private).

Each round begins with a look at all dom0s, so that it makes no difference whether the one before was cut off, by whom,
or what somebody has done meanwhile.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import ERROR
from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import CODES
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, MIGRATED_AWAY, HostFacts
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.steps import moving
from ansible_collections.dom0.xen.plugins.plugin_utils._interrupted import Interrupted, interrupted

Hosts = t.Mapping[str, HostFacts]
History = t.Mapping[str, t.Mapping[str, t.Any]]

# What may be otherwise at the next try, or at another destination. Everything else fails again, and what somebody has
# cancelled is left alone. What a check has found is planned around: the next plan asks the same checks.
RETRY = frozenset(
    {
        *(code for code, severity in CODES.items() if severity == ERROR),
        # The way between the hosts, and a host that does not answer any more.
        *("port_unreachable", "link_lost", "link_error", "link_refused", "link_expired", "link_frame", "stalled"),
        *("unreachable", "banner_wrong", "no_sender", "launch_failed", "not_listening", "failed", "not_begun"),
        # Processes of the session, or an xl, that were killed.
        *("sender_gone", "sender_missing", "sender_silent", "session_silent"),
        *("xl_migrate", "xl_migrate_receive", "destination_start_failed", "xl_failed", "xl_timeout"),
        # Somebody else was there first, or the domain was busy.
        *("no_slot", "move_blocked", "domain_busy", "domain_vanished", "domid_changed", "config_changed"),
        *("disk_busy", "stayed", "refused"),
    }
)


@dataclasses.dataclass(frozen=True)
class Guest(Record):
    """A copy of a domain on a host that is to be emptied, whatever its state."""

    uuid: str
    name: str
    host: str
    domid: int
    state: str


@dataclasses.dataclass(frozen=True)
class Look(Record):
    """What is left: ``guests`` on the hosts to be emptied, of which ``silent`` told nothing.

    ``sessions`` are to be settled, and ``moves`` watched to their end, before anything is planned. ``waiting`` are the
    names of domains that are being moved while the other host does not answer: soon that move is given up, or settled.
    ``busy`` are the UUIDs of the domains of all these.
    """

    guests: tuple[Guest, ...]
    silent: tuple[str, ...]
    sessions: tuple[Interrupted, ...]
    moves: tuple[t.Mapping[str, t.Any], ...]
    waiting: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether all hosts answered, and none has a guest, nor will have one from a move that is under way."""
        return not (self.guests or self.silent or self.sessions or self.moves or self.waiting)


def look(hosts: Hosts, empty: t.Sequence[str]) -> Look:
    """Look at what the dom0s told, for the hosts that are to be emptied."""
    guests = tuple(
        Guest(row.uuid, row.name.removesuffix(INCOMING).removesuffix(MIGRATED_AWAY), name, row.domid, row.state.word)
        for name in empty
        if name in hosts
        for row in hosts[name].domains
        if row.domid
    )
    silent = tuple(name for name in empty if not _answered(hosts.get(name)))
    sessions = tuple(each for each in interrupted(hosts) if {each.source, each.destination} & set(empty))
    left = {each.uuid for each in sessions}
    moves = tuple(_under_way(hosts, set(empty), left))
    watched = tuple(each for each in moves if {each["source"], each["destination"]} <= set(hosts))
    waiting = tuple(each["name"] for each in moves if each not in watched)
    busy = tuple(dict.fromkeys([*(each.uuid for each in sessions), *(str(each["guest"]) for each in moves)]))
    return Look(guests, silent, sessions, watched, waiting, busy)


@dataclasses.dataclass(frozen=True)
class Course(Record):
    """What a round does.

    ``first``: something is settled or watched before anything is planned; ``plan``: moves are planned, without the
    domains in ``leave_out``; ``over``: there is nothing left to try. ``pending``: the next round may find more to do,
    even where this one moves nothing.
    """

    first: bool
    plan: bool
    leave_out: tuple[str, ...]
    pending: bool
    over: bool


def course(found: Look, given_up: t.Sequence[str], tried: t.Container[str], check: bool) -> Course:
    """Say what is to be done. ``tried`` are sessions that this run has tried to settle, in vain where they are left.

    These keep their own domain where it is, and no other. With ``check`` nothing is settled, so what is under way keeps
    nobody from seeing the plan.
    """
    in_vain = [each.uuid for each in found.sessions if each.session in tried]
    new = [each for each in found.sessions if each.session not in tried]
    first = bool(new or found.moves or found.waiting)
    leave_out = tuple(dict.fromkeys([*given_up, *in_vain, *(found.busy if check else ())]))
    movable = {guest.uuid for guest in found.guests} - {*given_up, *in_vain}
    pending = bool(new or found.waiting or found.silent)
    return Course(
        first=first,
        plan=bool(movable) and (check or not first),
        leave_out=leave_out,
        pending=pending,
        over=not (first or movable or found.silent),
    )


def _answered(facts: HostFacts | None) -> bool:
    """Whether its domains are known: ``xl list`` tells of dom0 at least."""
    return facts is not None and any(row.domid == 0 for row in facts.domains)


def _under_way(hosts: Hosts, empty: set[str], left: set[str]) -> t.Iterator[dict[str, t.Any]]:
    """Yield the moves from or to a host that is to be emptied, as a plan has them."""
    seen: set[str] = set()
    number = 0
    for facts in hosts.values():
        for session in facts.sessions:
            uuid = session.domain.uuid
            if not session.alive or session.role != SENDER or not uuid or uuid in left or uuid in seen:
                continue
            way = moving(uuid, hosts)
            if way is None or not set(way) & empty:
                continue
            seen.add(uuid)
            number += 1
            name = session.domain.name or uuid
            yield {"number": number, "guest": uuid, "name": name, "source": way[0], "destination": way[1], "after": []}


def remember(history: History, outcomes: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
    """Return how often each domain was tried in vain, with the code and words of the last time."""
    found = {uuid: dict(entry) for uuid, entry in history.items()}
    for each in outcomes:
        if each["done"]:
            found.pop(each["uuid"], None)
            continue
        tries = int(found.get(each["uuid"], {}).get("tries", 0)) + 1
        found[each["uuid"]] = {key: each[key] for key in ("name", "source", "destination", "code", "why")}
        found[each["uuid"]]["tries"] = tries
    return found


def given_up(history: History, retries: int) -> tuple[str, ...]:
    """Return the domains that are not tried again: too often in vain, or for a cause that stays."""
    return tuple(
        uuid for uuid, entry in history.items() if int(entry["tries"]) > retries or str(entry["code"]) not in RETRY
    )


def without(moves: t.Sequence[t.Mapping[str, t.Any]], left_out: t.Container[str]) -> list[t.Mapping[str, t.Any]]:
    """Return the moves of a plan without those of some domains, and without those that need one of these."""
    gone: set[int] = set()
    kept = []
    for move in moves:
        if str(move.get("guest") or move.get("uuid")) in left_out or gone & {int(n) for n in move.get("after") or ()}:
            gone.add(int(move["number"]))
        else:
            kept.append(move)
    return kept
