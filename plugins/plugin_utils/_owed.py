# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose tasks after a move were not run, since the run that began it has died (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import AFTER_DONE, AFTER_OWED
from ansible_collections.dom0.xen.plugins.module_utils._meant import means
from ansible_collections.dom0.xen.plugins.module_utils._ownership import DESTINATION, SOURCE, UNSETTLED
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts, SessionDomain, SessionSeen
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import ELSEWHERE
from ansible_collections.dom0.xen.plugins.plugin_utils._audit_records import own_name
from ansible_collections.dom0.xen.plugins.plugin_utils._decision import settle_command
from ansible_collections.dom0.xen.plugins.plugin_utils._interrupted import Interrupted, Sides, named, sides_of

Hosts = t.Mapping[str, HostFacts]


@dataclasses.dataclass(frozen=True)
class Owed(Interrupted):
    """A session that is over, and whose caller's tasks after the move are owed; ``owner`` says where the domain is."""

    owner: str


def are_owed(told: t.Collection[str | None]) -> bool:
    """Say it of what both sides tell (``SessionSeen.after_tasks``): one that could not be asked may not know it yet."""
    return AFTER_OWED in told and AFTER_DONE not in told


def owed(hosts: Hosts, wanted: str = "") -> tuple[Owed, ...]:
    """Return the sessions of the domain ``wanted`` (name or UUID, empty for all) that are over and owe such tasks."""
    found = [_owed(session, sides, hosts) for session, sides in sides_of(hosts).items()]
    return tuple(each for each in found if each and (not wanted or means(wanted, each.uuid, each.name)))


def _owed(session: str, sides: Sides, hosts: Hosts) -> Owed | None:
    seen = [side for dummy, side in sides.values()]
    what = named(session, sides)
    if what is None or not are_owed([side.after_tasks for side in seen]) or not all(side.over for side in seen):
        return None
    return Owed(**what.to_result(), owner=_owner(what, seen[0], hosts))


def _owner(what: Interrupted, seen: SessionSeen, hosts: Hosts) -> str:
    """Return where the domain is now, which may have moved on; unsettled where that is not at rest, or not known."""
    if any(each.domain.uuid == what.uuid and not each.over for facts in hosts.values() for each in facts.sessions):
        return UNSETTLED
    rows = [(host, row) for host, facts in hosts.items() for row in facts.domains if row.uuid == what.uuid]
    if len(rows) != 1 or not rows[0][1].state.alive or own_name(rows[0][1].name) != rows[0][1].name:
        return UNSETTLED
    there = rows[0][0]
    if what.source == what.destination == there:
        return seen.owner
    return {what.source: SOURCE, what.destination: DESTINATION}.get(there, ELSEWHERE)


def claim(what: Interrupted) -> str:
    """Return for people what is owed."""
    source, destination = what.source or "an unknown host", what.destination or "an unknown host"
    return (
        f"{what.name}: the tasks that come after its move from {source} to {destination} (migrate_after_tasks) are not"
        f" on record as run to their end (session {what.session})."
    )


def sentence(
    what: Interrupted,
    inventory: str = _commands.INVENTORY,
    repeat: t.Mapping[str, str] | None = None,
) -> str:
    """Return for people what is owed and what to type, for this ``inventory``, with the variables to ``repeat``."""
    command = settle_command(SessionDomain(what.uuid, what.name), inventory, repeat or {})
    return (
        f"{claim(what)} If the run that began it has ended, run them:"
        f"\n  - {command} -e migrate_after_tasks=/ABSOLUTE/PATH"
        f"\n  - {command} -e settle_after_done=true  # you have done by hand what they do"
    )
