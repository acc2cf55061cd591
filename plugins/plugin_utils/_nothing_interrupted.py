# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told where nothing was interrupted: whether the name is known, what goes on, and where the domain is (pure).

A name that is mistyped at night must not look like the all-clear, nor must a host that was not seen.
"""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._meant import means
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, HostFacts, SessionDomain, SessionSeen
from ansible_collections.dom0.xen.plugins.plugin_utils._audit_records import own_name
from ansible_collections.dom0.xen.plugins.plugin_utils._looking import all_names

Hosts = t.Mapping[str, HostFacts]


class Nothing(t.NamedTuple):
    """``known``: whether a domain or a session of that name or UUID is there, or none was asked for and a host told."""

    known: bool
    msg: str


def nothing(hosts: Hosts, silent: t.Collection[str], wanted: str, inventory: str = _commands.INVENTORY) -> Nothing:
    """Return what to tell of the domain ``wanted`` (name or UUID, empty for all); ``silent`` hosts gave no facts."""
    unseen = f" Could not look on: {', '.join(sorted(silent))}." if silent else ""
    if not hosts:
        return Nothing(False, f"No dom0 has told anything: whether a migration was interrupted is not known.{unseen}")
    rows = [(host, row) for host, facts in hosts.items() for row in facts.domains if row.domid != 0]
    places = [(host, row) for host, row in rows if wanted and means(wanted, row.uuid, own_name(row.name))]
    sides = [(host, side) for host, facts in hosts.items() for side in facts.sessions]
    of_it = [(host, side) for host, side in sides if not wanted or means(wanted, side.domain.uuid, side.domain.name)]
    if wanted and not places and not of_it:
        return Nothing(False, _unknown(wanted, hosts, silent) + unseen)
    where = " on the dom0s that answered" if silent else ""
    words = [f"Nothing to settle{where}: no migration{f' of {wanted}' if wanted else ''} was interrupted.{unseen}"]
    # The sender's side of a session stands for both, where it was seen.
    alive = {side.session: (host, side) for host, side in sorted(of_it, key=_senders_last) if side.alive}
    words += [_moving(*each, inventory) for each in alive.values()]
    if places and not alive:
        words.append(f"{own_name(places[0][1].name)} is {' and '.join(_state(*place) for place in places)}.")
    return Nothing(True, " ".join(words))


def _senders_last(seen: tuple[str, SessionSeen]) -> bool:
    return seen[1].role == SENDER


def _state(host: str, row: DomainRow) -> str:
    return f"{row.state.word.replace('_', ' ')} on {host}"


def _moving(host: str, side: SessionSeen, inventory: str) -> str:
    peer = side.peer_host or "another host"
    source, destination = (host, peer) if side.role == SENDER else (peer, host)
    domain = side.domain
    moves = f"Session {side.session} moves {_name(domain)} from {source} to {destination} now, and goes on."
    if side.role != SENDER or not side.peer_host:
        return moves
    given = (f"-e {shlex.quote(f'domain={domain.uuid or domain.name}')}", f"-e destination={destination}")
    return f"{moves} To watch it: `{_commands.playbook('migrate', *given, inventory=inventory)}`"


def _name(domain: SessionDomain) -> str:
    return domain.name or domain.uuid or "a domain"


def _unknown(wanted: str, hosts: Hosts, silent: t.Collection[str]) -> str:
    return (
        f"No dom0{' that answered' if silent else ''} has a domain {wanted!r}, or a session of it."
        f" The domains there are: {all_names(hosts)}."
    )
