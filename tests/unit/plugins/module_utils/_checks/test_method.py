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


@pytest.mark.parametrize(
    ("release", "subject", "asked", "told"),
    [
        ((4, 14), domain(), "live", True),
        ((4, 13), PV, "suspend", True),
        ((4, 14), with_config(c_info={"type": "hvm"}), "live", False),
        ((4, 15), domain(), "live", False),
        ((4, 12), domain(), "live", False),
        ((4, 14), domain(), "cold", False),
    ],
)
def test_a_guest_that_this_xl_cannot_resume_is_told_of(
    release: tuple[int, int], subject: DomainFacts, asked: str, told: bool
) -> None:
    """It is moved all the same: what the finding is about are the moves that come to nothing."""
    version = "{}.{}.6".format(*release)
    xen = dataclasses.replace(XEN, major=release[0], minor=release[1], version=version)
    found = findings(host("xen1", xen=xen), host("xen2"), subject, request(method=asked))
    mine = [finding for finding in found if finding.code == "resume_broken"]
    expected = [("warning", "xen1", True)] if told else []
    assert [(one.severity, one.host, version in one.message) for one in mine] == expected
