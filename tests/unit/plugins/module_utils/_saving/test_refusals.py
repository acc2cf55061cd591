# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the checks of a move forbids a save."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._records import (
    AutostartEntry,
    ClusterFacts,
    ClusterResource,
    DomainFacts,
    Problem,
)
from ansible_collections.dom0.xen.plugins.module_utils._saving import refusals
from ansible_collections.dom0.xen.plugins.module_utils._saving.errors import Refused
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    UUID,
    domain,
    host,
    session,
    with_config,
)

CLUSTER = ClusterFacts("pacemaker", True, (ClusterResource("centos", "ocf:heartbeat:Xen", "centos", UUID, True),))
STARTS = AutostartEntry("/etc/xen/auto/centos.cfg", "config", "centos", UUID)
CASES: list[tuple[str, dict[str, t.Any], DomainFacts]] = [
    ("vnuma", {}, with_config(b_info={"vnuma_nodes": [{"memkb": 1}]})),
    ("migration_disabled", {}, with_config(b_info={"disable_migrate": "True"})),
    ("nested_virtualisation", {}, with_config(b_info={"nested_hvm": "True"})),
    ("configuration_missing", {}, domain(config=None)),
    ("pci_passthrough", {}, with_config(pcidevs=[{"bus": 1, "dev": 0, "func": 0}])),
    ("usb_passthrough", {}, with_config(usbdevs=[{"devid": 1}])),
    ("vtpm", {}, with_config(vtpms=[{"devid": 0}])),
    ("cluster_managed", {"cluster": CLUSTER}, domain()),
    ("pyxs_missing", {"problems": (Problem("pyxs_missing", "There is no pyxs.", "Install it."),)}, domain()),
    ("session_running", {"sessions": (session(alive=True, phase="streaming"),)}, domain()),
]


@pytest.mark.parametrize(("code", "changes", "subject"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("after", ["shut_down", "checkpoint"])
def test_forbidden(code: str, changes: dict[str, t.Any], subject: DomainFacts, after: str) -> None:
    """The error has the check's code, the host and what to do."""
    found = refusals.findings(host("xen1", **changes), subject, "centos", after)
    with pytest.raises(Refused) as caught:
        refusals.require(found)
    assert (caught.value.code, caught.value.host) == (code, "xen1") and caught.value.remedy
    assert [each["code"] for each in caught.value.details["findings"]] == [code]


@pytest.mark.parametrize("kind", ["pcidevs", "dtdevs", "usbdevs", "vtpms"])
def test_what_is_in_no_image(kind: str) -> None:
    """Nothing about a move, which nobody asked for, nor about an xl that would refuse it: xl save does not."""
    (found,) = refusals.findings(host("xen1"), with_config(**{kind: [{"devid": 0}]}), "centos", "shut_down")
    text = found.message + found.remedy
    assert found.severity == "error" and "Shut it down instead" in text
    assert not [word for word in ("move", "refuses", "destination", "stays behind") if word in text]


QCOW2 = {"vdev": "xvda", "pdev_path": "/srv/centos.qcow2", "backend": "qdisk", "format": "qcow2", "readwrite": 1}


@pytest.mark.parametrize("kind", ["pv", "pvh"])
def test_images_that_qemu_keeps_parts_of(kind: str) -> None:
    """A copy of such a disk, which the guest's image is of use with, lacks what QEMU has not written; whoever ends QEMU
    has it write that. A raw one is whole to everybody on the host.
    """
    subject = dataclasses.replace(with_config(disks=[QCOW2]), type=kind)
    for after in ("checkpoint", "leave_paused"):
        (found,) = refusals.findings(host("xen1"), subject, "centos", after)
        assert (found.code, found.severity) == ("disk_not_raw", "error")
        assert "/srv/centos.qcow2" in found.message and "after: shut_down" in found.remedy
    assert refusals.findings(host("xen1"), subject, "centos", "shut_down") == ()
    for sound in ({"format": "raw"}, {"readwrite": 0}):
        subject = dataclasses.replace(with_config(disks=[{**QCOW2, **sound}]), type=kind)
        assert refusals.findings(host("xen1"), subject, "centos", "checkpoint") == ()


def test_nothing_speaks_against_it() -> None:
    """A host that lacks nothing, and a guest that runs."""
    found = refusals.findings(host("xen1"), domain(), "centos", "checkpoint")
    refusals.require(found)
    assert refusals.warnings(found) == []


def test_started_anew_at_the_next_boot() -> None:
    """Whoever saves a domain to restore it later wants to know; one that goes on is started anew as before."""
    facts = host("xen1", autostart=(STARTS,))
    assert "/etc/xen/auto/centos.cfg" in refusals.warnings(refusals.findings(facts, domain(), "centos", "shut_down"))[0]
    assert refusals.warnings(refusals.findings(facts, domain(), "centos", "checkpoint")) == []
