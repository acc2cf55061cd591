# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Having a domain shut down while no session works on it (private to the collection)."""

from __future__ import annotations

import contextlib
import dataclasses
import time

from ansible_collections.dom0.xen.plugins.module_utils._checks import guest, hosts, world
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import ERROR, Case, Finding, MoveRequest, Rule
from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._meant import means
from ansible_collections.dom0.xen.plugins.module_utils._places import SENDER
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    INCOMING,
    MIGRATED_AWAY,
    DomainFacts,
    DomainRow,
    HostFacts,
)
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import Runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl

_POLL_S = 0.5
# What means a shutdown as much as a move. A guest that is asked already, or has ended, is only waited for.
_RULES: tuple[Rule, ...] = (hosts.quiet, world.left_alone, world.unmanaged, guest.awake)
_ON_ITS_WAY = ("shutdown_pending", "domain_shut_down", "domain_dying")
_REMEDIES = {
    "cluster_managed": "Have the cluster stop it (pcs resource disable, crm resource stop).",
    "domain_suspended": (
        "Wait until what is under way has ended. If nothing is, dom0.xen.audit tells which copy is the good one."
    ),
}


class CopyOfAMove(Dom0XenError):
    """What was named is no domain of its own."""

    code = "leftover_copy"
    remedy = "Wait until the migration has ended. If none is under way, dom0.xen.audit tells what to do with it."


class NotNow(Dom0XenError):
    """A check speaks against it; nothing was touched. The code is that of the check. Details: ``findings``."""

    code = "refused"


class DomainAmbiguous(Dom0XenError):
    """The name means more than one domain, or none that may be shut down."""

    code = "domain_ambiguous"
    remedy = "Give the UUID of the domain."


class NotShutDown(Dom0XenError):
    """The guest is still there."""

    code = "not_shut_down"
    remedy = "Look at its console (xl console). It may shut down yet; if it must go, xl destroy takes it away."


def find(xl: Xl, wanted: str) -> DomainRow | None:
    """Return the domain of this name or UUID, None when there is none. Raises DomainAmbiguous."""
    found = [row for row in xl.domains() if means(wanted, row.uuid, row.name)]
    if len(found) > 1 or any(row.domid == 0 for row in found) or wanted.isdigit():
        raise DomainAmbiguous(f"{wanted!r} does not mean one domain that can be shut down")
    return found[0] if found else None


def findings(host: HostFacts, domain: DomainFacts) -> tuple[Finding, ...]:
    """Return what forbids to shut the domain down now (pure)."""
    case = Case(host, host, domain, MoveRequest(domain=domain.uuid, source=host.hostname, destination=host.hostname))
    return tuple(
        dataclasses.replace(finding, remedy=_REMEDIES.get(finding.code, finding.remedy))
        for rule in _RULES
        for finding in rule(case)
        if finding.severity == ERROR and finding.code not in _ON_ITS_WAY
    )


def require_free(host: HostFacts, row: DomainRow, domain: DomainFacts | None) -> None:
    """See that it is a domain of its own, and that nobody else has a hand on it.

    Raises CopyOfAMove for what an ``xl migrate`` receives or leaves behind (tools/xl/xl_migrate.c names it so), and
    NotNow for a session, another xl, a cluster manager, or a guest that cannot answer.
    """
    if row.name.endswith((INCOMING, MIGRATED_AWAY)):
        raise CopyOfAMove(f"{row.name} is a copy that a migration makes, or has left", host=host.hostname)
    if domain is None:
        raise NotNow(f"{row.name} was there, and could not be looked at", host=host.hostname, remedy="Run this again.")
    found = findings(host, domain)
    if found:
        first = found[0]
        refused = NotNow(
            first.message, host=first.host, remedy=first.remedy, findings=[finding.to_result() for finding in found]
        )
        refused.code = first.code
        raise refused


def shut_down(xl: Xl, run: Runner, domain: DomainRow, runtime: str, timeout_s: float) -> float:
    """Shut it down; return the seconds that it took.

    Raises NotShutDown when it is still there, DomainBusy when a session has it, and what ``xl`` raises.
    """
    begun = time.monotonic()
    lock = DomainLock(runtime, domain.uuid, SENDER)
    try:
        asked = run(xl.shutdown_argv(domain.domid))
        while time.monotonic() - begun < timeout_s:
            state = _state(xl, domain)
            if state is None:
                return time.monotonic() - begun
            if state in ("shut_down", "suspended"):
                raise NotShutDown(
                    f"{domain.name} has ended and is still there: its configuration keeps what has ended, or nobody"
                    " looks after it",
                    remedy=f"Take it away with xl destroy {domain.domid}.",
                )
            time.sleep(_POLL_S)
        why = (asked.stderr.strip().splitlines() or ["the guest has not shut down"])[-1]
        raise NotShutDown(f"{domain.name} is still there after {timeout_s:.0f} s: {why}")
    finally:
        with contextlib.suppress(OSError):
            lock.release()


def _state(xl: Xl, domain: DomainRow) -> str | None:
    """Return the word for its state, None when it is gone; one that has ended is given a moment to be destroyed."""
    word: str | None = None
    for dummy in range(10):
        word = next((row.state.word for row in xl.domains() if row.domid == domain.domid), None)
        if word not in ("shut_down", "suspended"):
            return word
        time.sleep(_POLL_S)
    return word
