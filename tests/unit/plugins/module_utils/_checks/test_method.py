# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way a domain is moved."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import findings, plan
from ansible_collections.dom0.xen.plugins.module_utils._checks.method import chosen
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    XEN,
    domain,
    host,
    request,
    with_config,
)

PV = with_config(c_info={"type": "pv"})
DISK = {"pdev_path": "/dev/vg/a", "vdev": "xvda", "backend": "qdisk", "format": "raw"}


@pytest.mark.parametrize(
    ("subject", "shadow", "asked", "method"),
    [
        (domain(), False, "auto", "live"),
        (PV, True, "auto", "live"),
        (PV, False, "auto", "suspend"),
        (PV, False, "live", "live"),
        (domain(), False, "suspend", "suspend"),
    ],
)
def test_the_best_that_can_be_had_unless_one_is_named(
    subject: DomainFacts, shadow: bool, asked: str, method: str
) -> None:
    """The plan says which, and why."""
    xen = XEN.__class__(**{**XEN.__dict__, "virt_caps": (*XEN.virt_caps, *(["shadow"] if shadow else []))})
    hosts = host("xen1", xen=xen), host("xen2")
    assert chosen(Case(*hosts, subject, request(method=asked)))[0] == method
    planned = plan(*hosts, subject, request(method=asked))
    assert planned is not None and planned.method == method and planned.method_reason


@pytest.mark.parametrize(
    ("disk", "refused"),
    [
        ({**DISK}, True),
        ({**DISK, "direct_io_safe": "True"}, False),
        ({**DISK, "direct_io_safe": "True", "format": "qcow2"}, True),
        ({**DISK, "backend": "phy"}, False),
        ({**DISK, "backend": "phy", "pdev_path": "/srv/a.img"}, True),
        ({**DISK, "backend": "phy", "pdev_path": "/srv/link"}, False),
        ({**DISK, "backend": "phy", "pdev_path": "rbd:pool/a"}, False),
        ({**DISK, "backend": "phy", "pdev_path": "/srv/x", "script": "block-iscsi"}, False),
        ({"vdev": "hdc", "format": "empty"}, False),
    ],
)
def test_an_hvm_guest_is_suspended_only_with_disks_that_nothing_keeps(disk: dict[str, t.Any], refused: bool) -> None:
    """xl save does not have QEMU let go of them, and the host caches a file; within one host it is one cache."""
    subject = with_config(c_info={"type": "hvm"}, disks=[disk])
    subject = dataclasses.replace(subject, links={"/srv/link": "/dev/dm-3"})
    found = findings(host("xen1"), host("xen2"), subject, request(method="suspend"))
    assert ("suspend_disk_cached" in [finding.code for finding in found]) is refused
    within = findings(
        host("xen1"), host("xen1"), subject, request(method="suspend", destination="xen1", allow_same_host=True)
    )
    assert ("suspend_disk_cached" in [finding.code for finding in within]) is (refused and disk["backend"] == "qdisk")
    live = findings(host("xen1"), host("xen2"), subject, request(method="live"))
    assert "suspend_disk_cached" not in [finding.code for finding in live]
