# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where could a domain go, or every domain of a host? (pure; private to the collection)

Each domain is taken by itself: that several may not fit into one host together is not looked at.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._checks import engine, waivers
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    ERROR,
    NO_FACTS,
    Case,
    Finding,
    MoveRequest,
    PlannedPath,
)
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, HostFacts, Problem
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_by_host, facts_of, latest
from ansible_collections.dom0.xen.plugins.plugin_utils._looking import against_host, cannot_look, not_looked_at
from ansible_collections.dom0.xen.plugins.plugin_utils._moving import trouble
from ansible_collections.dom0.xen.plugins.plugin_utils._planning import plan_move

Info = t.Mapping[str, t.Any]
Answers = t.Mapping[str, Info]
Result = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Place(Record):
    """A host that a domain could go to or not, and all that was found; ``method`` and ``path`` are those of the plan of
    a move, null where nothing is known.
    """

    RECORDS = {"findings": Finding, "path": PlannedPath}

    host: str
    possible: bool
    already_there: bool
    method: str | None
    findings: tuple[Finding, ...]
    path: PlannedPath | None = None


@dataclasses.dataclass(frozen=True)
class Prospect(Record):
    """A domain, and the hosts that it was asked about; ``uuid`` and ``domid`` are null when nobody has it."""

    RECORDS = {"places": Place}

    uuid: str | None
    name: str
    domid: int | None
    places: tuple[Place, ...]

    @property
    def open(self) -> tuple[Place, ...]:
        """The places that it could go to."""
        return tuple(place for place in self.places if place.possible)

    def to_result(self) -> Result:
        """Return it as plain values, with the names of the hosts that it could go to."""
        return {**super().to_result(), "hosts": [place.host for place in self.open]}


@dataclasses.dataclass(frozen=True)
class Outlook(Record):
    """The answer. ``findings`` are those about the question, or about the source whatever the domain."""

    RECORDS = {"findings": Finding, "domains": Prospect}

    source: str | None
    destination: str | None
    findings: tuple[Finding, ...]
    domains: tuple[Prospect, ...]

    @property
    def possible(self) -> bool:
        """Whether nothing speaks against it, and each domain has a host to go to."""
        return not engine.errors(self.findings) and all(domain.open for domain in self.domains)


def one_domain(request: MoveRequest, answers: Answers, domain_info: Info, taken: t.Container[str]) -> Outlook:
    """Say whether one domain could go to one host; the request's source may be None, for whoever has the domain.

    ``domain_info`` is what the host that has it told of it, or of all its domains.
    """
    try:
        move = plan_move(request.domain, request.source or "", request.destination, facts_by_host(answers), taken)
        if not move.source and move.uuid is None and not_looked_at(answers):
            raise cannot_look(request.domain, request.destination, answers)
    except Dom0XenError as exc:
        where = exc.host or request.source or request.destination
        finding = Finding(exc.code, ERROR, where, exc.message, exc.remedy, exc.details)
        return Outlook(request.source, request.destination, (finding,), ())
    wanted = dataclasses.replace(request, domain=move.domain, source=move.source or None)
    here = latest(answers.get(move.source, {}), domain_info) if move.source else {}
    told = [found for found in domain_info.get("domains") or () if move.uuid in (None, found["uuid"])]
    domain = DomainFacts.from_result(told[0]) if len(told) == 1 and move.source else None
    there = answers.get(request.destination, {})
    place, planned = _place(wanted, (here, facts_of(here)), (there, facts_of(there)), domain)
    known = planned.domain if planned else None
    prospect = Prospect(
        known.uuid if known else move.uuid,
        known.name if known else request.domain,
        known.domid if known else None,
        (place,),
    )
    return Outlook(wanted.source, request.destination, (), (prospect,))


def every_domain(request: MoveRequest, answers: Answers, domain_info: Info) -> Outlook:
    """Say where each domain of the request's source could go: to its destination, or with an empty one to any host.

    ``domain_info`` is what the source told of all its domains.
    """
    source, destination = request.source or "", request.destination or None
    here = latest(answers.get(source, {}), domain_info)
    facts = facts_of(here)
    objections = tuple(waivers.objections(Case(None, None, None, request)))
    against = [
        *objections,
        *against_host(source, source, here, request.inventory),
        *_untold(source, facts, domain_info),
    ]
    if objections or facts is None:
        return Outlook(source, destination, tuple(against), ())
    # What the source lacks is told once, not for each domain again.
    able = dataclasses.replace(facts, problems=())
    hosts = [destination] if destination else sorted(set(request.inventory) - {source})
    there = {host: (answers.get(host, {}), facts_of(answers.get(host, {}))) for host in hosts}
    prospects = []
    for told in domain_info.get("domains") or ():
        domain = DomainFacts.from_result(told)
        if domain.domid == 0:
            continue
        # Together they are the names of the host; that one domain has not all of them is no error.
        names = request.names.used_by(domain.config or {})
        asked = dataclasses.replace(request, domain=domain.uuid, map_bridges=names.bridges, map_disks=names.disks)
        places = [
            _place(dataclasses.replace(asked, destination=host), (here, able), told_there, domain)
            for host, told_there in there.items()
        ]
        prospects.append(
            Prospect(domain.uuid, domain.name or domain.uuid, domain.domid, tuple(place for place, dummy in places))
        )
    return Outlook(source, destination, tuple(against), tuple(prospects))


def _untold(source: str, facts: HostFacts | None, domain_info: Info) -> list[Finding]:
    """Return why a source with facts did not tell of its domains: an empty list of those would say that it is empty."""
    known = {problem.code for problem in facts.problems} if facts else set()
    problems = [Problem.from_result(problem) for problem in domain_info.get("problems") or ()]
    more = [Finding(p.code, ERROR, source, p.message, p.remedy) for p in problems if p.code not in known]
    has_dom0 = any(domain["domid"] == 0 for domain in domain_info.get("domains") or ())
    if facts is None or has_dom0 or more or known:
        return more
    remedy = f"See that `{_commands.module(source, 'dom0.xen.domain_info')}` succeeds."
    return [Finding(NO_FACTS, ERROR, source, f"{source} did not tell of its domains.", remedy)]


def _place(
    request: MoveRequest,
    source: tuple[Info, HostFacts | None],
    destination: tuple[Info, HostFacts | None],
    domain: DomainFacts | None,
) -> tuple[Place, t.Any]:
    """Return a place, and the plan."""
    known, here, there = request.inventory, source[1], destination[1]
    request = dataclasses.replace(
        request,
        source_trouble=trouble(request.source, source[0], known) if request.source else None,
        destination_trouble=trouble(request.destination, destination[0], known),
    )
    found = engine.findings(here, there, domain, request)
    planned = engine.plan(here, there, domain, request)
    arrived = planned is not None and planned.already_there
    possible = planned is not None and (arrived or not engine.errors(found))
    method, path = (planned.method, planned.path) if planned else (None, None)
    return Place(request.destination, possible, arrived, method, found, path), planned
