# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with hosts: sessions not brought to their end, domains without a monitor, autostart (pure; private)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import ERROR, WARNING
from ansible_collections.dom0.xen.plugins.module_utils._facts.monitors import KEPT, monitor_of, silent
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    MIGRATED_AWAY,
    AutostartEntry,
    DomainRow,
    HostFacts,
    Monitor,
    SessionDomain,
    SessionSeen,
)
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    DYING,
    SHUT_DOWN,
    SUSPENDED,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._audit_records import (
    INFO,
    Finding,
    Findings,
    Fleet,
    copy_of,
    newest,
    own_name,
    settle,
    unfinished,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._owed import claim, owed

# Domains that libxl and init-xenstore-domain make and nobody watches (tools/libs/light/libxl_dm.c
# libxl__stub_dm_name; tools/helpers/init-xenstore-domain.c).
_DEVICE_MODEL = "-dm"
_XENSTORE = "Xenstore"


def judge_sessions(fleet: Fleet) -> Findings:
    """Yield the sessions that have ended without a good result, each once, whichever sides are left of it."""
    sides: dict[str, list[tuple[str, SessionSeen]]] = {}
    for host, facts in fleet.hosts.items():
        for session in newest(facts):
            if unfinished(session):
                sides.setdefault(session.session, []).append((host, session))
    for identity, left in sides.items():
        yield _session(fleet, identity, left)


def _session(fleet: Fleet, identity: str, left: t.Sequence[tuple[str, SessionSeen]]) -> Finding:
    # A side of which only the journal is left does not tell its domain; the other one may.
    known = [session.domain for dummy, session in [*left, *fleet.sessions[identity]] if session.domain.uuid]
    domain = known[0] if known else None
    where = " and ".join(f"the {session.role} on {host}" for host, session in left)
    ended = all(session.end_state for dummy, session in left)
    code = "session_unsettled" if ended else "session_dead"
    how = "ended without knowing where the domain is" if ended else "is gone without having left a result"
    what = f"Session {identity}{f' of {domain.name}' if domain else ''}: {where} {how}."
    hosts = tuple(dict.fromkeys([*(host for host, dummy in left), *_places(fleet, domain)]))
    if domain is None:
        message = f"{what} Its domain is not known: read the journal, which names what was done."
        remedy = " ".join(
            f"On {host}: look at {session.session}.{session.role}/journal in the journal's folder (as a rule "
            "/var/lib/dom0-xen); when its domain is where it belongs, remove that folder."
            for host, session in left
        )
        return Finding(code, ERROR, hosts, None, message, remedy)
    if fleet.is_fine(domain.uuid or ""):
        copy = fleet.copies[domain.uuid or ""][0]
        message = f"{what} {domain.name} runs on {copy.host}, and no other copy is seen."
        return Finding(code, WARNING, hosts, domain, message, f"Put that on record: {settle(domain)}.", (copy,))
    copies = tuple(fleet.copies.get(domain.uuid or "", ()))
    if any(not fleet.is_left_alone(session) for dummy, session in fleet.moving.get(domain.uuid or "", ())):
        message = f"{what} Another look at {domain.name} is worth while when the session that moves it now has ended."
        return Finding(code, WARNING, hosts, domain, message, "Run the audit again in a while.", copies)
    message = f"{what} {domain.name} {'is not in order' if copies else 'is on no host that answered'}."
    return Finding(code, ERROR, hosts, domain, message, f"Settle it: {settle(domain)}.", copies)


def _places(fleet: Fleet, domain: SessionDomain | None) -> list[str]:
    return [copy.host for copy in fleet.copies.get(domain.uuid or "", ())] if domain else []


def judge_owed(fleet: Fleet) -> Findings:
    """Yield the sessions that are over, and whose caller's tasks after the move nobody has run."""
    for each in owed(fleet.hosts):
        domain = SessionDomain(each.uuid, each.name)
        remedy = (
            "If the run that began it has ended, run them:"
            f" {settle(domain, '-e migrate_after_tasks=/ABSOLUTE/PATH')}. Where you have done by hand what they do:"
            f" {settle(domain, '-e settle_after_done=true')}."
        )
        hosts = tuple(dict.fromkeys(host for host in (each.source, each.destination) if host in fleet.hosts))
        yield Finding("after_tasks_owed", WARNING, hosts, domain, claim(each), remedy)


def judge_monitors(fleet: Fleet) -> Findings:
    """Yield the domains that have no process to handle their reboot, crash or shutdown."""
    for host, facts in fleet.hosts.items():
        yield from _unwatched(fleet, host, facts)


def _unwatched(fleet: Fleet, host: str, facts: HostFacts) -> Findings:
    # One that is still being made, paused, has no monitor yet; one whose log does not tell its domain may be anybody's.
    making = any(not monitor.watching for monitor in facts.monitors)
    unknown = [monitor for monitor in facts.monitors if silent(monitor)]
    for row in facts.domains:
        if not _needs_monitor(row) or monitor_of(row.domid, own_name(row.name), facts.monitors) == KEPT:
            continue
        if row.uuid not in fleet.moving and not (making and row.state.paused):
            yield _monitor_missing(host, row, unknown)


def _needs_monitor(row: DomainRow) -> bool:
    """Say whether the domain should have one. Up to Xen 4.19 it leaves a domain that suspends."""
    if row.domid == 0 or row.state.word in (DYING, SUSPENDED) or row.name.endswith(MIGRATED_AWAY):
        return False
    return row.name != _XENSTORE and not row.name.endswith(_DEVICE_MODEL)


def _monitor_missing(host: str, row: DomainRow, unknown: t.Sequence[Monitor]) -> Finding:
    copy = copy_of(host, row)
    domain = SessionDomain(row.uuid, own_name(row.name))
    if copy.state == SHUT_DOWN and row.state.reason == "reboot":
        message = f"{copy} wants to reboot, and has no monitor process that would start it again."
        remedy = f"On {host}: `xl destroy {row.domid}`, then `xl create` with its configuration file."
        return Finding("monitor_missing", ERROR, (host,), domain, message, remedy, (copy,))
    message = f"{copy} has no monitor process: nothing restarts it after a reboot or cleans up when it ends."
    if unknown:
        seen = ", ".join(f"{monitor.command} with pid {monitor.pid}" for monitor in unknown)
        message = f"{copy} has no monitor process that tells so; {seen} may be it."
        return Finding("monitor_unknown", INFO, (host,), domain, message, "", (copy,))
    remedy = (
        "There is no command that gives it one. At a time that suits, shut the guest down from inside, then on "
        f"{host}: xl destroy {row.domid} if it is still there, and xl create with its configuration file."
    )
    return Finding("monitor_missing", WARNING, (host,), domain, message, remedy, (copy,))


def judge_autostart(fleet: Fleet) -> Findings:
    """Yield what would start a second copy of a domain at a host's next boot, and what a session has set aside."""
    for host, facts in fleet.hosts.items():
        for entry in facts.autostart:
            if entry.set_aside is None:
                yield from _autostart(fleet, host, entry)
            else:
                yield from _set_aside(fleet, host, entry)


def _homes(fleet: Fleet, entry: AutostartEntry) -> tuple[list[str], bool]:
    """Return the hosts that have the entry's domain, and whether that is certain: by its UUID, not by its name."""
    if entry.uuid is not None:
        return [copy.host for copy in fleet.copies.get(entry.uuid, ())], True
    return fleet.hosts_by_name.get(entry.name or "", []), False


def _autostart(fleet: Fleet, host: str, entry: AutostartEntry) -> Findings:
    homes, certain = _homes(fleet, entry)
    if not homes or host in homes or (entry.uuid in fleet.moving if entry.uuid else False):
        return
    what = "starts" if entry.kind == "config" else "restores"
    message = f"{host} {what} {entry.name} from {entry.path} at its next boot, and {entry.name} is on {homes[0]}"
    message += ": it would run twice." if certain else " (by its name alone: the file gives no UUID)."
    remedy = f"On {host}: move {entry.path} out of that folder, if it is the domain that now belongs to {homes[0]}."
    domain = SessionDomain(entry.uuid, entry.name)
    hosts = tuple(dict.fromkeys([host, *homes]))
    yield Finding("autostart_elsewhere", ERROR if certain else WARNING, hosts, domain, message, remedy)


def _set_aside(fleet: Fleet, host: str, entry: AutostartEntry) -> Findings:
    homes, dummy = _homes(fleet, entry)
    live = any(session.alive for dummy, session in fleet.sessions.get(entry.set_aside or "", ()))
    if host in homes and not live:
        message = f"{entry.name} is on {host} and is not started at its next boot: {entry.path} is still set aside."
        remedy = f"On {host}: give the file its name without the dot in front and .dom0-xen-{entry.set_aside} behind."
        if entry.kind == "image":
            message = f"{entry.name} is on {host}, and {entry.path}, set aside there, is an image older than its disks."
            remedy = f"On {host}: remove it."
        domain = SessionDomain(entry.uuid, entry.name)
        yield Finding("autostart_set_aside", WARNING, (host,), domain, message, remedy)
