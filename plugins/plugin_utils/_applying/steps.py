# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a plan is done, what is under way, and what does not hold any more (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, MIGRATED_AWAY, HostFacts
from ansible_collections.dom0.xen.plugins.plugin_utils._planning import MoveNameTaken
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.reached import reached

Hosts = t.Mapping[str, HostFacts]

TO_DO, UNDER_WAY, DONE = "to_do", "under_way", "done"


class PlanOutdated(Dom0XenError):
    """What the plan was made from does not hold any more."""

    code = "plan_outdated"
    remedy = "Make a new plan."


@dataclasses.dataclass(frozen=True)
class Step(Record):
    """One move. It begins when those in ``after`` have ended. ``host`` is its name in the inventory."""

    number: int
    uuid: str
    name: str
    source: str
    destination: str
    after: tuple[int, ...] = ()
    host: str = ""
    state: str = TO_DO

    @property
    def words(self) -> str:
        """The move for a sentence."""
        return f"{self.name} from {self.source} to {self.destination}"


def steps_of(moves: t.Sequence[t.Mapping[str, t.Any]], taken: t.Container[str]) -> tuple[Step, ...]:
    """Return the moves of a plan (``number``, ``guest`` or ``uuid``, ``name``, ``source``, ``destination``, ``after``).

    A domain that leaves the same host twice gets a number behind its name. Raises MoveNameTaken, where the inventory
    has a host that is called so.
    """
    found: list[Step] = []
    names: set[str] = set()
    for position, move in enumerate(moves, 1):
        clean = re.sub(r"[^A-Za-z0-9_.+-]", "_", str(move["name"]))
        host, again = f"{clean}@{move['source']}", 1
        while host in names:
            again += 1
            host = f"{clean}.{again}@{move['source']}"
        if host in taken:
            raise MoveNameTaken(f"the inventory has a host that is called {host}.")
        names.add(host)
        found.append(
            Step(
                number=int(move.get("number") or position),
                uuid=str(move.get("guest") or move["uuid"]),
                name=str(move["name"]),
                source=str(move["source"]),
                destination=str(move["destination"]),
                after=tuple(int(number) for number in move.get("after") or ()),
                host=host,
            )
        )
    return tuple(found)


@dataclasses.dataclass(frozen=True)
class Sorted:
    """The moves with their states; what does not hold any more, a sentence each."""

    steps: tuple[Step, ...]
    changed: tuple[str, ...]


def sort_out(steps: t.Sequence[Step], hosts: Hosts, unsettled: t.Container[str] = ()) -> Sorted:
    """Say what of the plan is done, by where each domain is now; those that are elsewhere do not fit it any more.

    Where those in ``unsettled`` (UUIDs) are is not known before a session of theirs is settled: they fit any plan.
    """
    chains: dict[str, list[Step]] = {}
    for step in steps:
        chains.setdefault(step.uuid, []).append(step)
    states: dict[int, str] = {}
    changed: list[str] = []
    found = {uuid: _progress(uuid, chain, hosts) for uuid, chain in chains.items()}
    there = {uuid: each.place for uuid, each in found.items() if each.place}
    reached_by = reached(chains, there, {uuid: each.done for uuid, each in found.items() if not each.place})
    for uuid, chain in chains.items():
        done, at_work, objection = reached_by[uuid], found[uuid].at_work, found[uuid].objection
        if objection and uuid not in unsettled:
            changed.append(objection)
        for index, step in enumerate(chain):
            states[step.number] = DONE if index < done else UNDER_WAY if index == done and at_work else TO_DO
    matter = [step for step in steps if states[step.number] != DONE and step.uuid not in unsettled]
    left = {name for step in matter for name in (step.source, step.destination)}
    changed += [f"{name} told nothing about itself" for name in sorted(left - set(hosts))]
    return Sorted(tuple(dataclasses.replace(step, state=states[step.number]) for step in steps), tuple(changed))


@dataclasses.dataclass(frozen=True)
class _Progress:
    """Of one domain: how many moves are ``done``, where only its ``place`` does not say that; whether the next is under
    way; and what does not fit.
    """

    done: int = 0
    at_work: bool = False
    objection: str = ""
    place: str = ""


def _progress(uuid: str, chain: t.Sequence[Step], hosts: Hosts) -> _Progress:
    name = chain[0].name
    session = moving(uuid, hosts)
    if session is not None:
        source, destination = session
        for index, step in enumerate(chain):
            if (step.source, step.destination) == (source, destination):
                return _Progress(index, True)
        return _Progress(objection=f"{name} is being moved from {source} to {destination} at this moment")
    there = places(uuid, hosts)
    if len(there) > 1:
        return _Progress(objection=f"{name} is on more than one host: {', '.join(there)}")
    if not there:
        silent = sorted({name for step in chain for name in (step.source, step.destination)} - set(hosts))
        gone = f"{name} is not on {chain[0].source} any more, nor on another dom0"
        return _Progress(objection="" if silent else gone)
    if there[0] in (chain[0].source, *(step.destination for step in chain)):
        return _Progress(place=there[0])
    return _Progress(objection=f"{name} was on {chain[0].source} and is on {there[0]}")


def places(uuid: str, hosts: Hosts) -> tuple[str, ...]:
    """Return the hosts that have the domain under its own name; where none has, those with any copy of it."""
    rows = [(name, row) for name, facts in hosts.items() for row in facts.domains if row.uuid == uuid]
    proper = [name for name, row in rows if not row.name.endswith((INCOMING, MIGRATED_AWAY))]
    return tuple(dict.fromkeys(proper or [name for name, dummy in rows]))


def moving(uuid: str, hosts: Hosts) -> tuple[str, str] | None:
    """Return from where to where a session moves the domain at this moment, None when none does."""
    for source, facts in hosts.items():
        for sender in facts.sessions:
            if not sender.alive or sender.role != SENDER or sender.domain.uuid != uuid:
                continue
            return source, _receiver(sender.session, hosts) or sender.peer_host or ""
    return None


def _receiver(session: str, hosts: Hosts) -> str:
    for name, facts in hosts.items():
        if any(seen.session == session and seen.role == RECEIVER for seen in facts.sessions):
            return name
    return ""


def outdated(changed: t.Sequence[str], path: str = "") -> PlanOutdated:
    """Return the error that tells what does not hold any more."""
    what = f"the plan {path} does not hold any more" if path else "the plan does not hold any more"
    return PlanOutdated(f"{what}: {'; '.join(changed)}.", changed=list(changed))
