# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else has a say over the domain: other processes, a cluster, the next boot? (pure; private to the collection)"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands as commands
from ansible_collections.dom0.xen.plugins.module_utils._checks import another
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding
from ansible_collections.dom0.xen.plugins.module_utils._records import AutostartEntry, DomainFacts, HostFacts


def left_alone(case: Case) -> t.Iterator[Finding]:
    """Nobody else saves, sends, stops or renames the domain at this moment.

    Another xl would take the suspend of the move for its own and resume the domain (tools/xl/xl_migrate.c).
    """
    if case.domain is None or case.domain.domid == 0 or case.source is None or case.session_running:
        return
    for hand in case.source.hands:
        if not hand.works_on(case.domain.domid, case.domain.name):
            continue
        what = "all domains" if hand.target is None else f"{case.domain.name} (`{hand.command} {hand.target}`)"
        yield case.error(
            "foreign_hand",
            case.source_name,
            f"process {hand.pid}, {hand.command}, works on {what}.",
            f"Wait until it has ended, or end it (`kill {hand.pid}`) if it was forgotten; then run this again.",
            pid=hand.pid,
            command=hand.command,
            target=hand.target,
        )
        return  # xl and its helper are two processes and one cause


def unmanaged(case: Case) -> t.Iterator[Finding]:
    """No cluster manager on either host starts the domain again when it misses it."""
    if case.domain is None or case.domain.domid == 0:
        return
    name = case.domain.name
    hosts = [(case.source_name, case.source)]
    if not case.same_host:
        hosts.append((case.request.destination, case.destination))
    for host, facts in hosts:
        cluster = facts.cluster if facts else None
        if cluster is None:
            continue
        if not cluster.known:
            yield case.warning(
                "cluster_unknown",
                host,
                f"{cluster.manager} runs on {host}, and which domains it looks after could not be read.",
                f"See that it does not look after {name} (`pcs resource`, `crm status`): it would start a second copy.",
                manager=cluster.manager,
            )
            continue
        for resource in cluster.resources:
            if resource.managed and resource.keeps(case.domain.uuid, name):
                yield case.error(
                    "cluster_managed",
                    host,
                    f"{cluster.manager} looks after {name} as resource {resource.id} ({resource.agent}); it would start"
                    f" {name} a second time when it misses it.",
                    f"Let the cluster move it (`pcs resource move {resource.id}`, `crm resource move {resource.id}`),"
                    f" or take it out of its hands first (`pcs resource unmanage {resource.id}`,"
                    f" `crm resource unmanage {resource.id}`).",
                    manager=cluster.manager,
                    resource=resource.id,
                    agent=resource.agent,
                )
                return  # the hosts of a cluster share its configuration


def open_to_arrivals(case: Case) -> t.Iterator[Finding]:
    """The destination takes domains: nobody empties it at this moment, or is about to restart it."""
    mark = case.destination.closed if case.destination else None
    if mark is None or case.domain is None or case.domain.domid == 0 or case.same_host or case.session_running:
        return
    host, since = case.request.destination, f" since {mark['since']}" if mark.get("since") else ""
    yield case.error(
        "closed_to_arrivals",
        host,
        f"{host} is closed to arrivals{since}, by {mark.get('by') or 'somebody'}:"
        f" {mark.get('reason') or 'no reason was given'}.",
        f"Name another destination. When {host} may take domains again:"
        f" `{commands.module(host, 'dom0.xen.host_arrivals', 'state=open')}`",
        **mark,
    )


def config_named_alike(case: Case) -> t.Iterator[Finding]:
    """The domain's configuration can have its own name at the destination: it goes with the domain."""
    source, destination, domain = case.source, case.destination, case.domain
    if source is None or destination is None or domain is None or case.same_host or not case.request.follow_config:
        return
    mine = {_file_name(entry.path) for entry in source.configs if entry.uuid == domain.uuid or _by_name(entry, domain)}
    given = another.named(case)
    mine = mine or ({_file_name(given.path)} if given else set())
    for entry in destination.configs:
        if _file_name(entry.path) in mine and entry.uuid != domain.uuid and not _by_name(entry, domain):
            yield case.warning(
                "config_name_taken",
                case.request.destination,
                f"{entry.path} is there already and configures {entry.name}: the configuration that goes with"
                f" {domain.name} will have .dom0-xen-SESSION behind its name.",
                f"Give one of the two files another name, or set migrate_follow_config to false if {domain.name}'s is"
                " looked after in another way.",
                path=entry.path,
            )


def _by_name(entry: AutostartEntry, domain: DomainFacts) -> bool:
    return entry.uuid is None and entry.name == domain.name


def _file_name(path: str) -> str:
    """Return the last part of a path of a dom0."""
    return path.rpartition("/")[2]


def autostart(case: Case) -> tuple[AutostartEntry, ...]:
    """Return what would make a second copy of the domain when the source boots after the move."""
    if case.domain is None or case.source is None or case.same_host:
        return ()
    return starting(case.source, case.domain)


def starting(host: HostFacts, domain: DomainFacts) -> tuple[AutostartEntry, ...]:
    """Return what makes a copy of the domain when the host boots."""
    return tuple(entry for entry in host.autostart if entry.set_aside is None and entry.makes(domain.uuid, domain.name))
