# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets to be audited, and what was found of them."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._records import DomainRow, HostFacts, Monitor
from ansible_collections.dom0.xen.plugins.plugin_utils._audit_records import Finding
from ansible_collections.dom0.xen.plugins.plugin_utils._auditing import Answer, Audit, audit
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import DOM0, host, session

SUSPENDED: dict[str, t.Any] = {"shutdown": True, "reason": "suspend"}
PAUSED: dict[str, t.Any] = {"paused": True}
AWAY = "centos--migratedaway"
COMING = "centos--incoming"
UNSETTLED = session(owner="unsettled", end_state="unsettled")
DEAD = session(owner="source", end_state=None, phase="streaming")
SENDING = session(end_state=None, phase="streaming", alive=True)
RECEIVING = dataclasses.replace(SENDING, role="receiver")


def fresh(copy: DomainRow) -> DomainRow:
    """The domain when it has used no processor time."""
    return dataclasses.replace(copy, cpu_time_s=0.0)


def dom0(name: str, *domains: DomainRow, **changes: t.Any) -> HostFacts:
    """A dom0 with these domains, each watched unless it has suspended."""
    watched = [Monitor(1000 + d.domid, "xl create", True, d.domid, d.name) for d in domains if not d.state.suspended]
    return host(name, domains=(DOM0, *domains), **{"monitors": tuple(watched), **changes})


def judge(*hosts: HostFacts | None, **more: Answer) -> Audit:
    """Audit hosts that are called xen1, xen2, and so on; with None one does not answer."""
    answers = {f"xen{number}": Answer(facts, facts is not None) for number, facts in enumerate(hosts, 1)}
    return audit({**answers, **more}, [*answers, *more])


def found(result: Audit) -> dict[str, str]:
    """Return severities by code; no code may come twice with two severities."""
    return {finding.code: finding.severity for finding in result.findings}


def one(result: Audit) -> Finding:
    """Return the only finding."""
    (finding,) = result.findings
    return finding
