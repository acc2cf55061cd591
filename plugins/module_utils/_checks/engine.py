# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks at once, and the plan (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import (
    another,
    boot,
    cards,
    cold,
    devices,
    guest,
    hosts,
    identity,
    listening,
    mapping,
    memory,
    method,
    needs,
    network,
    number,
    processor,
    storage,
    transport,
    waivers,
    world,
)
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    ERROR,
    WAIVED,
    WARNING,
    Case,
    Finding,
    MoveRequest,
    Plan,
    PlannedDomain,
    Rule,
)
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, DomainRow, HostFacts

# In the order in which a person wants to read them: the question, hosts, then the domain, then what it needs.
RULES: tuple[Rule, ...] = (
    waivers.objections,
    mapping.names,
    hosts.reachable,
    hosts.complete,
    hosts.different,
    hosts.addressed,
    listening.narrow,
    network.agreed,
    hosts.clocks,
    transport.plain,
    transport.tools,
    identity.not_dom0,
    identity.not_a_domid,
    identity.known,
    hosts.quiet,
    world.left_alone,
    world.unmanaged,
    world.open_to_arrivals,
    identity.free_at_source,
    identity.free_at_destination,
    method.for_a_stream(number.kept),
    guest.awake,
    guest.configured,
    *(method.for_a_stream(rule) for rule in method.STREAM),
    method.for_a_stream(guest.drivers),
    another.for_arrival(guest.device_model),
    method.log_dirty,
    method.for_a_stream(method.comes_back),
    method.suspendable,
    cold.away,
    cold.as_in_its_file,
    cold.stays_down,
    cold.configuration,
    another.described,
    another.apart,
    another.for_arrival(guest.abilities),
    method.for_a_stream(another.for_arrival(guest.views)),
    method.for_a_stream(processor.features),
    method.for_a_stream(processor.rate),
    another.for_arrival(memory.enough),
    another.for_arrival(needs.dom0_memory),
    memory.populated,
    another.for_arrival(guest.processors),
    another.for_both(devices.own_devices),
    another.for_arrival(devices.bridges),
    another.for_arrival(cards.gateways),
    method.for_a_stream(cards.frames),
    another.for_arrival(cards.addresses),
    another.for_arrival(devices.driver_domains),
    another.disks_there(storage.disks),
    another.disks_there(storage.writable),
    *(another.for_arrival(rule) for rule in (needs.scripts, needs.device_model)),
    boot.files,
    method.for_a_stream(another.for_arrival(needs.emulator)),
    method.for_a_stream(another.for_arrival(needs.grants)),
    another.for_arrival(needs.grants_asked),
    another.for_arrival(needs.label),
    world.config_named_alike,
)


def findings(
    source: HostFacts | None, destination: HostFacts | None, domain: DomainFacts | None, request: MoveRequest
) -> tuple[Finding, ...]:
    """Return everything that speaks against the move, all at once; no error among them means that it may begin.

    ``source`` and ``destination`` are None when there are no facts; the request then says why. ``domain`` is None when
    the source does not have it. A domain that already runs at the destination is no error, see ``plan``.
    """
    case = Case(source, destination, domain, request)
    return waivers.apply((finding for rule in RULES for finding in rule(case)), request.waive)


def errors(found: t.Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that forbid the move."""
    return tuple(finding for finding in found if finding.severity == ERROR)


def warnings(found: t.Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that do not."""
    return tuple(finding for finding in found if finding.severity == WARNING)


def waived(found: t.Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that would forbid the move, had nobody taken them upon himself."""
    return tuple(finding for finding in found if finding.severity == WAIVED)


def plan(
    source: HostFacts | None, destination: HostFacts | None, domain: DomainFacts | None, request: MoveRequest
) -> Plan | None:
    """Return what would be done, or None when it is not even known which domain is meant.

    Only good for use when ``findings`` has no errors.
    """
    case = Case(source, destination, domain, request)
    there = identity.already_there(case)
    subject: DomainFacts | DomainRow | None = there or domain
    if subject is None:
        return None
    room = None if there else memory.room(another.arrival(case))
    file = None if there else another.file_of(case)
    named = None if there else another.named(case)
    way, why = method.chosen(case)
    return Plan(
        already_there=there is not None,
        source=request.source,
        destination=request.destination,
        same_host=case.same_host,
        method=way,
        method_reason=why,
        transport=request.transport,
        domain=PlannedDomain(
            uuid=subject.uuid,
            name=subject.name,
            domid=subject.domid,
            type=domain.type if domain else None,
            memory_max_kib=domain.memory_max_kib if domain else None,
        ),
        memory_needed_kib=room.needed if room else None,
        memory_free_kib=room.free if room else None,
        balloon_kib=room.balloon if room else 0,
        addresses=destination.addresses if destination else (),
        config_path="" if there else file.path if file else cold.config_path(case),
        config_digest=named.digest if named else "",
        autostart=() if there else tuple(entry.path for entry in world.autostart(case)),
        mapped=() if there else request.names.used_by(case.config).entries(),
        leave_paused=request.leave_paused,
        keep_domid=subject.domid if request.preserve_domid and there is None and way != COLD else 0,
        path=None if there else network.path(case),
    )


def describe(found: t.Iterable[Finding], request: MoveRequest, name: str | None = None) -> str:
    """Return one message for people that tells all errors, each with its host and remedy; empty without errors.

    ``name`` is the domain's, where it is known: people do not know UUIDs by heart.
    """
    reasons = errors(found)
    if not reasons:
        return ""
    origin = f" from {request.source}" if request.source else ""
    head = f"{name or request.domain} cannot be moved{origin} to {request.destination}"
    if len(reasons) == 1:
        return f"{head}. {line(reasons[0])}"
    lines = [f"{number}. {line(reason)}" for number, reason in enumerate(reasons, 1)]
    return "\n".join([f"{head}, for {len(reasons)} reasons:", *lines])


def line(finding: Finding) -> str:
    """Return a finding for people, with its host, its code, by which it is looked up and waived, and its remedy."""
    waived_as = " is waived" if finding.severity == WAIVED else ""
    return f"{finding.host}: {finding.code}{waived_as}: {finding.message} Remedy: {finding.remedy}"
