# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done about a refusal can be done for an image, whose domain nobody can change or move first."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Finding
from ansible_collections.dom0.xen.plugins.module_utils._image.description import Description, Memory, Policies
from ansible_collections.dom0.xen.plugins.module_utils._restoring.refusals import findings
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import Manifest
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import CONFIG, UUID, XEN, host
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._saving.test_pair import OLD

MANIFEST = dataclasses.replace(OLD, uuid=UUID)


def image(**build: t.Any) -> Description:
    """What an image tells of a domain that was started with this."""
    config = {**CONFIG, "nics": [], "b_info": {**CONFIG["b_info"], **build}}
    empty: t.Any = {field.name: None for field in dataclasses.fields(Description)}
    return Description(**{**empty, "config": config, "memory": t.cast(Memory, None), "policies": Policies()})


def found(seen: Description, manifest: Manifest = MANIFEST, **xen: t.Any) -> dict[str, Finding]:
    """Return the errors about restoring it on a host with this Xen, by their codes."""
    there = host("xen2", xen=dataclasses.replace(XEN, **xen))
    told = findings(there, manifest, seen, "/srv/centos.xen", None)
    return {finding.code: finding for finding in told if finding.severity == "error"}


@pytest.mark.parametrize(
    ("build", "virt_caps", "words"),
    [
        (
            {"vpmu": "True"},
            ("hvm", "hap"),
            ("boot Xen with vpmu=1,", "a host that has vpmu,", "without what is missing"),
        ),
        ({}, ("pv",), ("virtualisation on in the machine's firmware", "a host that has hvm, hap,")),
        ({"max_grant_version": 2}, ("hvm", "hap", "gnttab-v1"), ("Xen without gnttab=max-ver:1", "has gnttab-v2,")),
        ({"vmtrace_buf_kb": 64}, ("hvm", "hap"), ("Restore it on a host that has vmtrace,",)),
    ],
)
def test_what_xen_here_lacks(build: dict[str, t.Any], virt_caps: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Each word that is missing with what brings it; there is no destination to be named."""
    remedy = found(image(**build), virt_caps=virt_caps)["capability_missing"].remedy
    assert all(each in remedy for each in words), remedy
    assert "xl create" in remedy and "destination" not in remedy and ("vpmu" in remedy) == ("vpmu" in build)


def test_fewer_frames_than_where_it_was_saved() -> None:
    """The option and its number, and on whose word it may be restored all the same."""
    manifest = dataclasses.replace(MANIFEST, xen_commandline="placeholder gnttab_max_maptrack_frames=2048")
    remedy = found(image(), manifest)["grant_limits"].remedy
    assert remedy.startswith("Boot this host with gnttab_max_maptrack_frames=2048 on Xen's command line, or restore it")
    assert "no more than 1024: -e restore_waive=grant_limits" in remedy and "start the domain" not in remedy


@pytest.mark.parametrize(
    ("key", "option"),
    [("max_grant_frames", "gnttab_max_frames"), ("max_maptrack_frames", "gnttab_max_maptrack_frames")],
)
def test_a_limit_that_is_in_the_image(key: str, option: str) -> None:
    """It cannot be taken out of it: an older Xen refuses it, whatever the guest uses; one from 4.18 on does not."""
    told = found(image(**{key: 4096}), minor=17, commandline=f"{option}=32")
    remedy = told["grant_limits"].remedy
    assert f"Boot this host with {option}=4096 on Xen's command line" in remedy and "or Xen 4.18 or newer" in remedy
    assert f"(xl create), there with {key}=32." in remedy and "waive" not in remedy
    assert found(image(**{key: 4096}), minor=18, commandline=f"{option}=32") == {}
