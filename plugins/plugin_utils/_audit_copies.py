# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domains have other copies than one that runs under its own name (pure; private to the collection)."""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import ERROR, WARNING
from ansible_collections.dom0.xen.plugins.module_utils._ownership import RUNNING_TWICE
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER
from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, Hand, SessionDomain, SessionSeen
from ansible_collections.dom0.xen.plugins.module_utils._releases import RESUME_SINCE, RESUMES_ANEW
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import PAUSED, SUSPENDED
from ansible_collections.dom0.xen.plugins.plugin_utils._audit_records import (
    INFO,
    CopySeen,
    Finding,
    Findings,
    Fleet,
    own_name,
    settle,
)

Copies = t.Sequence[CopySeen]
Sides = t.Sequence[tuple[str, SessionSeen]]


def judge_copies(fleet: Fleet) -> Findings:
    """Yield what is wrong with the copies of each domain, or what explains that they look so."""
    for uuid, copies in fleet.copies.items():
        yield from _judge(fleet, SessionDomain(uuid, own_name(copies[0].name)), copies)
    for uuid, sides in fleet.moving.items():
        if uuid not in fleet.copies:
            yield _moving(fleet, SessionDomain(uuid, sides[0][1].domain.name), [], sides)


def _judge(fleet: Fleet, domain: SessionDomain, copies: Copies) -> Findings:
    sides = fleet.moving.get(domain.uuid or "")
    running = [copy for copy in copies if copy.runs]
    if len(running) > 1:
        yield _twice(fleet, domain, running, copies, sides or ())
    elif sides:
        yield _moving(fleet, domain, copies, sides)
    elif len(copies) == 1 and not copies[0].moving_name:
        yield from _single(fleet, domain, copies[0])
    else:
        at_work = [hand for copy in copies for hand in _at_work(fleet, copy)]
        if at_work:
            yield _others(domain, copies, at_work)
        else:
            yield from _left_over(fleet, domain, copies)


def _single(fleet: Fleet, domain: SessionDomain, copy: CopySeen) -> Findings:
    at_work = _at_work(fleet, copy)
    if copy.state in (PAUSED, SUSPENDED) and at_work:
        yield _others(domain, [copy], at_work)
    elif copy.state == SUSPENDED:
        yield _suspended(fleet, domain, copy)
    elif copy.state == PAUSED:
        yield _paused(fleet, domain, copy)


def _twice(fleet: Fleet, domain: SessionDomain, running: Copies, copies: Copies, sides: Sides) -> Finding:
    seen = f"{domain.name} runs on {_and(running)}"
    # While the source still ran it, its sender was at work; one that has ended only sees to what comes after that.
    moves = any(session.role == SENDER and session.phase != "ended" for dummy, session in sides)
    if moves and _goes_on(fleet, sides) and len({copy.host for copy in running}) > 1:
        return _finding(
            "seen_on_both",
            WARNING,
            domain,
            copies,
            f"{seen}, while session {sides[0][1].session} moves it: hosts are not looked at in the same moment.",
            "Run the audit again in a minute. If this comes again, take it for running twice.",
        )
    pause = "; ".join(_on(copy, "xl pause") for copy in running)
    return _finding(
        RUNNING_TWICE,
        ERROR,
        domain,
        copies,
        f"{seen}: two copies of one domain, which write to the same disks.",
        f"Stop all of them at once: {pause}. Find out which one serves its users; keep it with xl unpause, end the "
        "other with xl destroy, both by the domid above. Then check the file systems of its disks.",
    )


def _moving(fleet: Fleet, domain: SessionDomain, copies: Copies, sides: Sides) -> Finding:
    hosts = tuple(dict.fromkeys([*(host for host, dummy in sides), *(copy.host for copy in copies)]))
    session = sides[0][1].session
    if _goes_on(fleet, sides):
        message = f"Session {session} moves {domain.name} at this moment."
        return Finding("move_under_way", INFO, hosts, domain, message, "", tuple(copies))
    message = (
        f"Session {session} of {domain.name} waits: it cannot come to its end by itself. {_stands(domain, copies)}"
    )
    return Finding("session_waits", ERROR, hosts, domain, message, f"Settle it: {settle(domain)}.", tuple(copies))


def _stands(domain: SessionDomain, copies: Copies) -> str:
    """Say what its users have of a domain whose session waits."""
    running = [copy for copy in copies if copy.runs]
    if running:
        return f"{domain.name} runs on {_and(running)}."
    return f"{domain.name} runs nowhere" + (f": it is on {_and(copies)}." if copies else ".")


def _goes_on(fleet: Fleet, sides: Sides) -> bool:
    return bool(sides) and not any(session.waits or fleet.is_left_alone(session) for dummy, session in sides)


def _others(domain: SessionDomain, copies: Copies, at_work: t.Sequence[str]) -> Finding:
    return _finding(
        "others_at_work",
        INFO,
        domain,
        copies,
        f"{' and '.join(dict.fromkeys(at_work))} is at work on {domain.name}; so it stands still or has two copies.",
    )


def _left_over(fleet: Fleet, domain: SessionDomain, copies: Copies) -> Findings:
    """Yield what is wrong with several copies, or with one that has a name it should not keep."""
    for copy in copies:
        if copy.moving_name:
            code = "incoming_left" if copy.name.endswith(INCOMING) else "migratedaway_left"
            yield _extra(fleet, code, domain, copy, copies)
    proper = [copy for copy in copies if not copy.moving_name]
    standing = [copy for copy in proper if not copy.runs]
    # Where none runs, any of them may be the one that counts: then one finding tells of all.
    for copy in standing[: None if len(standing) < len(proper) else 1] if len(proper) > 1 else ():
        yield _extra(fleet, "second_copy", domain, copy, copies)


def _extra(fleet: Fleet, code: str, domain: SessionDomain, copy: CopySeen, copies: Copies) -> Finding:
    running = next((other for other in copies if other.runs), None)
    seen = f"{copy} is left of a migration" if copy.moving_name else f"{copy} is a second copy"
    if running is copy:
        message = f"{copy} runs under a name that it had only while it moved."
        remedy = _on(copy, "xl rename", own_name(copy.name)) + "."
        if len(copies) > 1:
            remedy += " Then run the audit again."
    elif running is not None:
        message = f"{seen}; {domain.name} runs on {running}. If this copy ran too, it would run twice."
        remedy = f"{_on(copy, 'xl list -v')}; if it is still that copy: `xl destroy {copy.domid}`."
    else:
        others = f", as are {_and([other for other in copies if other is not copy])}" if len(copies) > 1 else ""
        message = f"{seen}{others}, and {domain.name} is not seen running anywhere."
        remedy = f"Run {settle(domain)}, which finds out which copy counts. Before that, do not touch any of them."
    return _finding(
        code, ERROR, domain, [copy, *(o for o in copies if o is not copy)], message, _ask_first(fleet, remedy)
    )


def _suspended(fleet: Fleet, domain: SessionDomain, copy: CopySeen) -> Finding:
    xen = fleet.hosts[copy.host].xen
    if domain.uuid in fleet.in_doubt:
        remedy = f"Run {settle(domain)}, which finds out whether it may be resumed here."
    elif xen is not None and (xen.major, xen.minor) >= RESUME_SINCE:
        remedy = _on(copy, "xl resume") + "."
    else:
        remedy = _on(copy, "xl save -c", "/dev/null") + " (it takes a minute, and its monitor process is lost)."
        if xen is not None and (xen.major, xen.minor) in RESUMES_ANEW:
            remedy = f"An HVM guest: {remedy} A PV or PVH guest does not survive that on Xen {xen.major}.{xen.minor}:"
            remedy += f" {_on(copy, 'xl destroy')}, and xl create with its configuration file."
    message = f"{copy} stands still: it has suspended itself, and no process is seen that would resume it."
    return _finding("suspended", ERROR, domain, [copy], message, _ask_first(fleet, remedy))


def _paused(fleet: Fleet, domain: SessionDomain, copy: CopySeen) -> Finding:
    if copy.cpu_time_s > 0:
        message = f"{copy} is paused after it has run, as somebody does on purpose."
        return _finding("paused", INFO, domain, [copy], message)
    message = f"{copy} is paused and has never run there: a copy that was received or restored, or one started with -p."
    if domain.uuid in fleet.in_doubt:
        return _finding("never_run", ERROR, domain, [copy], message, _ask_first(fleet, f"Settle it: {settle(domain)}."))
    remedy = f"If it was not started so on purpose, and runs nowhere else: {_on(copy, 'xl unpause')}."
    return _finding("never_run", WARNING, domain, [copy], message, _ask_first(fleet, remedy))


def _at_work(fleet: Fleet, copy: CopySeen) -> list[str]:
    """Return the processes, of no session, that explain that this copy stands still or has this name."""
    facts = fleet.hosts[copy.host]
    found = [_process(copy.host, hand) for hand in facts.hands if _works_on(hand, copy)]
    if copy.state == PAUSED:
        making = (monitor for monitor in facts.monitors if not monitor.watching)
        found += [f"{monitor.command} (pid {monitor.pid} on {copy.host})" for monitor in making]
    return found


def _works_on(hand: Hand, copy: CopySeen) -> bool:
    return hand.target is not None and hand.works_on(copy.domid, own_name(copy.name))


def _process(host: str, hand: Hand) -> str:
    return f"{hand.command} (pid {hand.pid} on {host})"


def _ask_first(fleet: Fleet, remedy: str) -> str:
    """Put in front that a host which is not known may have the copy that counts."""
    if not fleet.silent:
        return remedy
    return f"First see that it does not run on {_names(fleet.silent)}, which did not tell its domains. {remedy}"


def _finding(
    code: str, severity: str, domain: SessionDomain, copies: Copies, message: str, remedy: str = ""
) -> Finding:
    hosts = tuple(dict.fromkeys(copy.host for copy in copies))
    return Finding(code, severity, hosts, domain, message, remedy, tuple(copies))


def _on(copy: CopySeen, command: str, *behind: str) -> str:
    return f"on {copy.host}: `{shlex.join([*command.split(), str(copy.domid), *behind])}`"


def _and(copies: Copies) -> str:
    return " and on ".join(str(copy) for copy in copies)


def _names(hosts: t.Sequence[str], most: int = 5) -> str:
    more = f" and {len(hosts) - most} more" if len(hosts) > most else ""
    return ", ".join(hosts[:most]) + more
