# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From looks at two hosts to a decision that a role can follow and a person can read (pure; private)."""

from __future__ import annotations

import dataclasses
import re
import shlex
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, HostFacts, SessionDomain
from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import Decision
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    LATER_LIVES,
    PAUSED,
    RUNNING,
    SUSPENDED,
    UNKNOWN_HOST,
    Side,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.others import Copy, Others
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_by_host
from ansible_collections.dom0.xen.plugins.plugin_utils._audit_records import own_name

# There may be none: where nobody was asked it is not known here which dom0s the inventory has.
NOBODY_ASKED = "the rest of the inventory"
_PLAIN = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9_.:@+-]*\Z")

Result = dict[str, t.Any]
_Machine = tuple[str, str]


def side(host: str, look: t.Mapping[str, t.Any], gone: t.Container[str], ran: bool | None, latest: str = "") -> Side:
    """Return a host's evidence from what ``migration_settle`` returned, unreachable when it returned none.

    A host that answered, and said why it could not be looked at, is not taken for one that is away.

    ``gone`` holds the hosts that a person vouches for to be off for good, ``ran`` whether the domain has run there,
    ``latest`` which of the domain's sessions was begun last.
    """
    seen = look.get("side")
    trouble = str(look.get("msg") or "") if look.get("failed") and not look.get("unreachable") else ""
    found = Side.from_result(seen) if seen else Side(host, reachable=False, trouble=trouble.rstrip("."))
    if latest and latest == found.session:
        # What lives goes on by itself, and is waited for whatever it is.
        lives = found.later if found.later == LATER_LIVES else ""
        found = dataclasses.replace(found, superseded=False, later=lives, after=())
    elif latest:
        found = dataclasses.replace(found, before=tuple(each for each in found.before if each != latest))
    return dataclasses.replace(found, host=host or UNKNOWN_HOST, gone=host in gone, vouched_ran=ran)


def others(
    answers: t.Mapping[str, t.Mapping[str, t.Any]],
    domain: SessionDomain,
    source: Side,
    destination: Side,
    gone: t.Container[str],
) -> Others:
    """Return what all dom0s show of the domain beside the two sides; ``answers`` is what ``host_info`` returned.

    On both sides' hosts that is only another domain of its name, from a file that gives it another UUID. A host that
    the inventory calls twice is looked at once; two that were restored from one running snapshot have the same boot,
    and are two.
    """
    found: list[Copy] = []
    unseen: list[str] = [] if answers else [NOBODY_ASKED]
    facts = facts_by_host(answers)
    machines = {_machine(side, facts.get(side.host)) for side in (source, destination)}
    looked: set[_Machine] = set()
    for host in answers:
        seen = facts.get(host)
        machine = (seen.boot_id, seen.hostname) if seen is not None else None
        part = host in (source.host, destination.host) or (machine is not None and machine in machines)
        if seen is None or not seen.domains:
            # A host without so much as its own domain does not tell.
            unseen += [] if part or host in gone else [host]
            continue
        if machine is None or machine in looked:
            continue
        looked.add(machine)
        copies = (_copy(host, row, domain) for row in seen.domains)
        found += [copy for copy in copies if copy is not None and (copy.namesake or not part)]
    return Others(tuple(found), tuple(unseen))


def _machine(side: Side, facts: HostFacts | None) -> _Machine | None:
    if facts is not None:
        return facts.boot_id, facts.hostname
    return (side.boot_id, side.hostname) if side.boot_id else None


def _copy(host: str, row: DomainRow, domain: SessionDomain) -> Copy | None:
    same = row.uuid == domain.uuid
    if row.state.word not in (RUNNING, PAUSED, SUSPENDED) or not (same or own_name(row.name) == domain.name):
        return None
    return Copy(host, row.domid, row.name, row.state.word, namesake=not same)


def told(
    made: Decision,
    domain: SessionDomain,
    source: Side,
    destination: Side,
    inventory: str = _commands.INVENTORY,
    repeat: t.Mapping[str, str] | None = None,
) -> Result:
    """Return the decision as a result: its fields, where its step is done and on which copy, and a message.

    Its commands are as they are to be typed, for this ``inventory`` and with the variables that are to ``repeat``.
    """
    result = made.to_result()
    command = settle_command(domain, inventory, repeat or {})
    made = dataclasses.replace(made, choices=tuple(choice.replace(to.COMMAND, command) for choice in made.choices))
    result["choices"] = list(made.choices)
    result["msg"] = message(made, domain.name or "")
    if made.step is not None:
        at = source if made.step.side == to.SOURCE else destination
        result["act"] = {
            "host": at.host,
            "role": "sender" if made.step.side == to.SOURCE else "receiver",
            "verb": made.step.verb,
            "status": made.step.status,
            "domid": at.domid,
        }
    return result


def message(made: Decision, name: str) -> str:
    """Return what a person is told."""
    if made.next == to.ACT and made.step is not None:
        return f"{name}: {made.reason} Next: {made.step.verb} at the {made.step.side}."
    choices = "".join(f"\n  - {choice}" for choice in made.choices)
    if made.next not in (to.HUMAN, to.TASKS, to.UNDO):
        return f"{name}: {made.reason}" + (f"\nWhere it stays so:{choices}" if choices else "")
    known = "".join(f"\n  - {each}" for each in made.known)
    unknown = f"\nNot known: {made.unknown}" if made.unknown else ""
    return f"{name}: {made.reason}\nEnd state: {made.end_state}\nKnown:{known}{unknown}\nChoose:{choices}"


def settle_command(domain: SessionDomain, inventory: str, repeat: t.Mapping[str, str]) -> str:
    """Return the command that settles a domain, as it is typed."""
    # Ansible takes KEY=VALUE apart at spaces and quotes by itself, whatever the shell has left of them.
    name = domain.name if _PLAIN.match(domain.name or "") else domain.uuid
    words = {"domain": name, **{key: value for key, value in repeat.items() if value}}
    more = (f"-e {shlex.quote(f'{key}={value}')}" for key, value in words.items())
    return _commands.playbook("settle", *more, inventory=inventory)
