# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domain is it, where is it, and is its place at the destination free? (pure; private to the collection)"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    Case,
    Finding,
    listed,
)
from ansible_collections.dom0.xen.plugins.module_utils._meant import means
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    INCOMING,
    MIGRATED_AWAY,
    DomainRow,
    HostFacts,
)

DOM0_NAMES = ("0", "Domain-0")
# A copy that is in the way may be the last good one, as long as a migration was not brought to its end.
SETTLE_FIRST = "Let dom0.xen.settle bring an interrupted migration to its end; where that finds nothing, "


def already_there(case: Case) -> DomainRow | None:
    """Return the domain at the destination when it runs there and not at the source, else None."""
    if case.domain is not None or case.destination is None or case.same_host:
        return None
    if case.request.source is not None and (case.source is None or not _domains_seen(case.source)):
        return None  # nobody could look
    for row in case.destination.domains:
        if row.domid != 0 and means(case.request.domain, row.uuid, row.name) and _is_good(row, case):
            return row
    return None


def _domains_seen(host: HostFacts) -> bool:
    """Whether its domains were listed: ``xl list`` may fail where ``xl info`` did not."""
    return host.xen is not None and any(row.domid == 0 for row in host.domains)


def _is_good(row: DomainRow, case: Case) -> bool:
    """Whether a copy at the destination runs under its name, or is paused where that is asked for."""
    if not row.state.alive or row.name.endswith((INCOMING, MIGRATED_AWAY)):
        return False
    if not row.state.paused:
        return True
    # One that a migration has left half done has another copy, which is the good one as long as nobody has settled it.
    left = any(other.uuid == row.uuid for other in (case.source.domains if case.source else ()))
    return case.request.leave_paused and not left


def known(case: Case) -> t.Iterator[Finding]:
    """The domain is on the source, or has already arrived."""
    wanted = case.request.domain
    if (
        case.domain is not None
        or wanted in DOM0_NAMES
        or wanted.isdigit()
        or case.session_running
        or already_there(case) is not None
    ):
        return
    if case.request.source is not None and (case.source is None or case.source.xen is None):
        return  # nobody could look, and other findings say why
    parts = list(_remains(case, wanted))
    yield from parts
    if parts:
        return
    if case.request.source is None:
        yield case.error(
            "domain_unknown",
            case.request.destination,
            f"none of these dom0s has a domain {wanted!r}: {listed(case.request.inventory)}.",
            "Check the name (capitals count; `xl list` on each shows its domains), or give the domain's UUID.",
        )
        return
    rows = case.source.domains if case.source else ()
    if any(means(wanted, row.uuid, row.name) for row in rows):
        yield case.error(
            "domain_gone",
            case.source_name,
            f"{wanted} was on {case.source_name} a moment ago; then it was gone, or xl did not answer.",
            "Look with `xl list` there, and run this again.",
        )
        return
    names = [row.name for row in rows if row.domid != 0]
    yield case.error(
        "domain_unknown",
        case.source_name,
        f"there is no domain {wanted!r} on {case.source_name}; its domains are: {listed(names)}.",
        "Check the name (capitals count) and the host, or give the domain's UUID.",
        domains=names,
    )


def _remains(case: Case, wanted: str) -> t.Iterator[Finding]:
    """Tell of copies that are not in good order: left by a migration, or at the destination and not running."""
    seen = [(case.source_name, row) for row in (case.source.domains if case.source else ())]
    if not case.same_host:
        seen += [(case.request.destination, row) for row in (case.destination.domains if case.destination else ())]
    for host, row in seen:
        values = {"name": row.name, "domid": row.domid, "uuid": row.uuid}
        aside = row.name.endswith((INCOMING, MIGRATED_AWAY))
        if aside and (row.name in (wanted + INCOMING, wanted + MIGRATED_AWAY) or means(wanted, row.uuid, row.name)):
            yield case.error(
                "leftover_name",
                host,
                f"there is no domain {wanted!r}, but {row.name!r} (domid {row.domid}, {_words(row)}): a migration of it"
                " was interrupted.",
                f"{SETTLE_FIRST}find out which host has its last good copy, rename and resume that one, and destroy"
                " the other.",
                **values,
            )
        elif host == case.request.destination and row.domid != 0 and means(wanted, row.uuid, row.name):
            yield case.error(
                "domain_not_running_there",
                host,
                f"{wanted} is on {host} as {row.name!r} (domid {row.domid}), but it is {_words(row)}.",
                _let_go(row, host)
                or f"{SETTLE_FIRST}look at it with `xl list -v` there, and start or destroy it as is right.",
                **values,
            )


def _let_go(row: DomainRow, host: str) -> str:
    """Return what lets a paused copy go that has arrived under its name; empty for another one."""
    if not (row.state.alive and row.state.paused):
        return ""
    return (
        f"Where no other host has a copy of it, `xl unpause {row.domid}` on {host} lets it run. If it was moved there"
        " to be left paused, it has arrived: with migrate_leave_paused=true that is a success."
    )


def not_dom0(case: Case) -> t.Iterator[Finding]:
    """Dom0 is the host itself."""
    if case.request.domain in DOM0_NAMES or (case.domain is not None and case.domain.domid == 0):
        yield case.error(
            "domain_is_dom0",
            case.source_name,
            f"domain 0 is the host {case.source_name} itself and cannot be moved.",
            "Name one of the domains that run on it.",
        )


def not_a_domid(case: Case) -> t.Iterator[Finding]:
    """xl takes all digits for a domid (tools/xl/xl_utils.c find_domain); it is another one after each move."""
    wanted = case.request.domain
    if wanted.isdigit() and wanted not in DOM0_NAMES:
        yield case.error(
            "domain_is_domid",
            case.source_name,
            f"{wanted} is a domid, which means another domain on each host and after each move.",
            "Give the domain's name or UUID, as `xl list -v` shows them.",
        )


def free_at_source(case: Case) -> t.Iterator[Finding]:
    """The name that xl gives the source's copy is free, and there is one copy only."""
    if case.domain is None or case.domain.domid == 0:
        return
    host, domain = case.source_name, case.domain
    if domain.name.endswith((INCOMING, MIGRATED_AWAY)):
        yield case.error(
            "leftover_name",
            host,
            f"the domain is called {domain.name!r}: a migration of it was interrupted.",
            f"{SETTLE_FIRST}find out which host has its last good copy, and rename or destroy this one (domid"
            f" {domain.domid}).",
            name=domain.name,
            domid=domain.domid,
        )
    for row in case.others(case.source):
        if row.name == domain.name + MIGRATED_AWAY:
            yield case.error(
                "migratedaway_name_taken",
                host,
                f"a domain {row.name!r} (domid {row.domid}, {_words(row)}) is in the way: xl needs that name.",
                f"{SETTLE_FIRST}and it is not the good copy: `xl destroy {row.domid}` on {host}.",
                name=row.name,
                domid=row.domid,
            )
        elif row.uuid == domain.uuid and not (case.same_host and row.name == domain.name + INCOMING):
            yield case.error(
                "uuid_twice",
                host,
                f"domain {row.name!r} (domid {row.domid}, {_words(row)}) has the same UUID.",
                f"{SETTLE_FIRST}find out which of the two is the good copy, and destroy the other one by its domid.",
                name=row.name,
                domid=row.domid,
            )


def free_at_destination(case: Case) -> t.Iterator[Finding]:
    """No domain at the destination has the UUID, the name, or the name that xl gives to the copy that arrives."""
    if case.domain is None or case.domain.domid == 0:
        return
    host, domain = case.request.destination, case.domain
    for row in case.others(case.destination):
        where = f"on {host} (domid {row.domid}, {_words(row)})"
        values = {"name": row.name, "domid": row.domid, "uuid": row.uuid}
        if row.name == domain.name + INCOMING:
            yield case.error(
                "incoming_name_taken",
                host,
                f"there is already a domain {row.name!r} {where}.",
                f"{SETTLE_FIRST}and it is not the good copy: `xl destroy {row.domid}` on {host}.",
                **values,
            )
        elif row.uuid == domain.uuid and not case.same_host:
            yield case.error(
                "uuid_taken",
                host,
                f"the domain with this UUID is on both hosts; {row.name!r} is {where}.",
                f"{SETTLE_FIRST}find out which of the two is the good copy, and destroy the other one by its domid.",
                **values,
            )
        elif row.name == domain.name:
            yield case.error(
                "name_taken",
                host,
                f"another domain is called {row.name!r} {where}; its UUID is {row.uuid}.",
                "Rename one of the two with `xl rename`.",
                **values,
            )


def _words(row: DomainRow) -> str:
    state = row.state
    if state.dying:
        return "being torn down"
    if state.shutdown:
        return "suspended" if state.suspended else f"shut down ({state.reason})"
    return "paused" if state.paused else "running"
