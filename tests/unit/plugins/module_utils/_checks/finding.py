# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found of the possible move of the examples with some things given otherwise, and what must be."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import (
    errors,
    findings,
    warnings,
)
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    UNREACHABLE,
    Finding,
    HostTrouble,
)
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    ClusterFacts,
    ClusterResource,
    DomainFacts,
    HostFacts,
    SessionDomain,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    DOM0,
    OTHER,
    XEN,
    domain,
    host,
    request,
)

UNREACHED = HostTrouble(UNREACHABLE, "Connection refused")
OTHERS = SessionDomain(OTHER, "other")
PV = {"c_info": {"type": "pv"}, "b_info": {"shadow_memkb": 0}}
HVM = {"c_info": {"type": "hvm"}}
QCOW2 = {"pdev_path": "/srv/a.qcow2", "vdev": "xvda", "backend": "qdisk", "format": "qcow2"}


def find(**given: t.Any) -> tuple[Finding, ...]:
    """Check the possible move of the examples with some things given otherwise."""
    source: HostFacts | None = given.get("source", host("xen1"))
    destination: HostFacts | None = given.get("destination", host("xen2"))
    subject: DomainFacts | None = given.get("domain", domain())
    return findings(source, destination, subject, given.get("request", request()))


def rows_there(*rows: t.Any) -> HostFacts:
    """The destination with these domains."""
    return host("xen2", domains=(DOM0, *rows))


def rows_here(*rows: t.Any) -> HostFacts:
    """The source with these domains."""
    return host("xen1", domains=(DOM0, *rows))


def with_xen(**changes: t.Any) -> t.Any:
    """The Xen of the examples with some things otherwise."""
    return dataclasses.replace(XEN, **changes)


def clustered(**changes: t.Any) -> ClusterFacts:
    """A cluster that has the domain, with some things otherwise."""
    resource = ClusterResource("vm-centos", "ocf:heartbeat:Xen", "centos", None, True)
    return ClusterFacts("pacemaker", True, (dataclasses.replace(resource, **changes),))


def require(code: str, where: str, given: dict[str, t.Any], words: list[str]) -> None:
    """Require one error, on this host, with a remedy and these words."""
    found = errors(find(**given))
    assert [(finding.code, finding.host) for finding in found] == [(code, where)]
    assert found[0].remedy
    for word in words:
        assert word in f"{found[0].message} {found[0].remedy}"


def require_warnings(given: dict[str, t.Any], codes: list[str]) -> None:
    """Require warnings with these codes, and no error."""
    found = find(**given)
    assert [finding.code for finding in found] == codes
    assert warnings(found) == found and errors(found) == ()
    assert all(finding.remedy for finding in found)
