# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is each of the two hosts fit to take part? (pure; private to the collection)"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    NOT_IN_INVENTORY,
    UNREACHABLE,
    Case,
    Finding,
    HostTrouble,
    listed,
)
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts, SessionSeen


def reachable(case: Case) -> t.Iterator[Finding]:
    """Both hosts are in the inventory, answer, and have given their facts."""
    request = case.request
    for host, facts, trouble in (
        (request.source, case.source, request.source_trouble),
        (request.destination, case.destination, request.destination_trouble),
    ):
        if host is not None and (trouble is not None or facts is None):
            yield _no_facts(case, host, trouble)
        if request.source == request.destination:
            return


def _no_facts(case: Case, host: str, trouble: HostTrouble | None) -> Finding:
    why = f" ({trouble.message.rstrip('.')})" if trouble and trouble.message else ""
    if trouble and trouble.code == NOT_IN_INVENTORY:
        known = listed(case.request.inventory)
        return case.error(
            NOT_IN_INVENTORY,
            host,
            f"{host} is not among the dom0s of the inventory{why}; these are: {known}.",
            f"Add {host} to the group of the dom0s, or name one of those."
            if case.request.inventory
            else "Give an inventory whose group of the dom0s has hosts: `-i hosts.ini` (another group than dom0:"
            " `-e dom0_group=NAME`).",
            known=list(case.request.inventory),
        )
    if trouble and trouble.code == UNREACHABLE:
        return case.error(
            UNREACHABLE,
            host,
            f"{host} cannot be reached from the controller{why}.",
            f"See that `{_commands.module(host, 'ansible.builtin.ping')}` succeeds.",
        )
    return case.error(
        trouble.code if trouble else "host_without_facts",
        host,
        f"there are no facts of {host}{why}.",
        f"See that `{_commands.module(host, 'dom0.xen.host_info')}` succeeds.",
    )


def different(case: Case) -> t.Iterator[Finding]:
    """Source and destination are two hosts, unless one was asked for."""
    if not case.same_host or case.request.allow_same_host:
        return
    source, destination = case.source_name, case.request.destination
    seen = "" if source == destination else f" ({source} and {destination} are names of the same machine)"
    yield case.error(
        "same_host",
        destination,
        f"the destination is the host that the domain is on{seen}.",
        "Name another destination, or set allow_same_host to true to move the domain within its host.",
        source=source,
        destination=destination,
    )


def complete(case: Case) -> t.Iterator[Finding]:
    """Nothing is missing on either host: Xen, xl, root, pyxs, a folder in memory."""
    for host, facts in _both(case):
        for problem in facts.problems:
            yield case.error(problem.code, host, problem.message, problem.remedy)


def addressed(case: Case) -> t.Iterator[Finding]:
    """The address that the source is to connect to is the destination's, as far as can be told without trying it.

    A name is not looked up: what counts is what it means on the source. Facts leave out link-local addresses. Where a
    network was asked for, it is one of its own.
    """
    host, text = case.request.destination, case.request.destination_address
    if case.destination is None or case.same_host or case.request.networks:
        return
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return
    own = [entry.address for entry in case.destination.addresses]
    if address.is_loopback:
        why = "means the source itself when the source connects to it"
    elif own and str(address) not in own and not address.is_link_local:
        why = f"is none of its own ({listed(own)}), which is right only where addresses are translated"
    else:
        return
    yield case.warning(
        "address_doubtful",
        host,
        f"the address {text} at which {case.source_name} is to reach {host} {why}.",
        _readdress(case, own),
        address=text,
        addresses=own,
    )


def _readdress(case: Case, own: t.Sequence[str]) -> str:
    """Return what to change for another address: what gave this one."""
    host, request = case.request.destination, case.request
    such = f" one that {case.source_name} can reach" + (f", such as {own[0]}." if own else ".")
    if request.asked_address:
        return f"Leave out migrate_destination_address, or let it be{such}"
    if request.destination_host_address:
        return f"Let the variable dom0_xen_address of {host} in the inventory be{such}"
    return f"Give {host} the variable dom0_xen_address in the inventory:{such} Without it, it is what Ansible goes to."


def not_older(case: Case) -> t.Iterator[Finding]:
    """Xen at the destination is not older: a stream goes up, not down (docs/process/xen-release-management.pandoc)."""
    old = case.source.xen if case.source else None
    new = case.destination.xen if case.destination else None
    if old is None or new is None or (new.major, new.minor) >= (old.major, old.minor):
        return
    yield case.error(
        "xen_older",
        case.request.destination,
        f"Xen {new.version} is older than the Xen {old.version} that the domain runs on.",
        f"Upgrade Xen on {case.request.destination} to {old.major}.{old.minor} or newer, name another destination, or"
        " let its guest shut down for the move (migrate_method=cold).",
        source=old.version,
        destination=new.version,
    )


# What a guest that keeps time by itself gets over.
_APART_S = 2.0


def clocks(case: Case) -> t.Iterator[Finding]:
    """Both hosts have the same time, from which the guest takes its own when it wakes up.

    Each was read at a moment that is only known to lie between two readings of the controller's clock, seconds apart on
    a slow host: only what they differ by at least is told.
    """
    here, there = _ahead(case.source), _ahead(case.destination)
    if case.same_host or here is None or there is None:
        return
    least, most = there[0] - here[1], there[1] - here[0]
    apart = least if least > 0 else most if most < 0 else 0.0
    if abs(apart) > _APART_S:
        host, word = case.request.destination, "ahead of" if apart > 0 else "behind"
        yield case.warning(
            "clocks_differ",
            host,
            f"the clock of {host} is at least {abs(apart):.0f} s {word} that of {case.source_name}; that of the domain"
            " jumps as far when it wakes up there.",
            "Let both hosts keep time by NTP (chronyc tracking, timedatectl).",
            apart_s=round(apart, 1),
        )


def _ahead(host: HostFacts | None) -> tuple[float, float] | None:
    """Return by how much at least, and at most, the host's clock is ahead of the controller's."""
    if host is None or host.asked_s is None or host.answered_s is None:
        return None
    return host.clock_s - host.answered_s, host.clock_s - host.asked_s


def quiet(case: Case) -> t.Iterator[Finding]:
    """No other session works on the domain; one that was interrupted is worth a word."""
    for host, facts in _both(case):
        newest = True
        for session in facts.sessions:
            if not case.concerns(session):
                continue
            values = {"session": session.session, "role": session.role, "phase": session.phase}
            if session.alive:
                yield _running(case, host, session)
            elif newest and not session.over:
                yield case.warning(
                    "session_interrupted",
                    host,
                    f"session {session.session} of this domain ended without a known outcome (phase {session.phase}).",
                    "dom0.xen.migrate brings it to its end before it moves the domain. To see beforehand whether that"
                    f" can be done: {_commands.playbook('settle', f'-e domain={session.domain.uuid}')}.",
                    **values,
                )
            newest = False


def _running(case: Case, host: str, session: SessionSeen) -> Finding:
    """Tell of a session at work; a receiver whose sender was never started ends by itself."""
    name, role = session.session, session.role
    look = _commands.module(host, "dom0.xen.migration_info", f"session={name}")
    end = _commands.module(host, "dom0.xen.migration_cancel", f"session={name} role={role}")
    text = f"session {name} ({role}) moves this domain at this moment (phase {session.phase})"
    remedy = f"Wait until it has ended, then run this again. To look at it: `{look}`. To end it: `{end}`."
    if role == RECEIVER and session.phase == "starting":
        text += (
            "; it waits for its sender, and ends by itself when none has come within the migrate_admission_timeout of"
            " the run that started it (120 s unless set otherwise)"
        )
    return case.error("session_running", host, f"{text}.", remedy, session=name, role=role, phase=session.phase)


def _both(case: Case) -> t.Iterator[tuple[str, HostFacts]]:
    if case.source is not None:
        yield case.source_name, case.source
    if case.destination is not None and case.request.source != case.request.destination:
        yield case.request.destination, case.destination
