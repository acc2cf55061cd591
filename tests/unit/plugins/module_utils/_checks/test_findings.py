# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each thing that speaks against a move is found, named with its host and remedy, and nothing else is."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import (
    describe,
    errors,
)
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    Finding,
)
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    AutostartEntry,
    Hand,
    Problem,
    SessionDomain,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    OTHER,
    UUID,
    host,
    request,
    row,
    session,
    with_config,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.finding import (
    HVM,
    PV,
    QCOW2,
    clustered,
    find,
    require,
    require_warnings,
    rows_there,
    with_xen,
)


def test_possible_move_has_no_findings() -> None:
    """The examples are what all others differ from."""
    assert find() == ()


CASES: list[tuple[str, str, dict[str, t.Any], list[str]]] = [
    # code, host, what is different, words that the message or the remedy must hold
    (
        "no_shadow_paging",
        "xen1",
        {"domain": with_config(**PV), "request": request(method="live")},
        ["PV", "shadow", "migrate_method to suspend"],
    ),
    (
        "suspend_disk_cached",
        "xen1",
        {"domain": with_config(**HVM, disks=[QCOW2]), "request": request(method="suspend")},
        ["/srv/a.qcow2", "migrate_method: live"],
    ),
    ("disk_not_raw", "xen1", {"domain": with_config(disks=[QCOW2])}, ["xvda", "qcow2", "PVH"]),
]


@pytest.mark.parametrize(("code", "where", "given", "words"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_what_speaks_against_a_move_is_found(code: str, where: str, given: dict[str, t.Any], words: list[str]) -> None:
    """One cause gives one error, on the right host, with a remedy."""
    require(code, where, given, words)


WARNED: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "block device": (
        {"domain": with_config(disks=[{"pdev_path": "/dev/vg/a", "format": "raw", "backend": "phy"}])},
        ["disk_unchecked"],
    ),
    "file through a loop device": (
        {"domain": with_config(disks=[{"pdev_path": "/srv/a.img", "format": "raw", "backend": "phy"}])},
        ["disk_cached", "disk_unchecked"],
    ),
    "raw image through qemu": (
        {"domain": with_config(disks=[{"pdev_path": "/dev/vg/a", "format": "raw", "backend": "qdisk"}])},
        ["disk_cached", "disk_unchecked"],
    ),
    "image of an hvm domain": (
        {"domain": with_config(c_info={"type": "hvm"}, disks=[QCOW2])},
        ["disk_unchecked"],
    ),
    "memory from dom0": (
        {"destination": host("xen2", free_memory_mib=0, autoballoon=True, dom0_memory_mib=1024)},
        ["dom0_ballooned"],
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_a_person_should_know(name: str) -> None:
    """It does not stop the move."""
    require_warnings(*WARNED[name])


HARMLESS: dict[str, dict[str, t.Any]] = {
    "pv with shadow paging": {
        "domain": with_config(**PV),
        "source": host("xen1", xen=with_xen(virt_caps=("pv", "hvm", "hap", "shadow"))),
    },
    "newer xen": {"destination": host("xen2", xen=with_xen(version="4.20.5", minor=20))},
    "older patch of the same version": {"destination": host("xen2", xen=with_xen(version="4.17.2", extra=".2"))},
    "next major": {"destination": host("xen2", xen=with_xen(version="5.0.0", major=5, minor=0))},
    "same host when allowed": {
        "destination": host("xen1"),
        "request": request(destination="xen1", allow_same_host=True),
    },
    "routed network card": {
        "domain": with_config(
            nics=[{"bridge": "no", "script": "/etc/xen/scripts/vif-route", "gatewaydev": "xenbr0"}],
        ),
    },
    "vlan of a virtual switch": {
        "domain": with_config(nics=[{"bridge": "xenbr0.10", "script": "vif-openvswitch"}]),
    },
    "no network card": {"domain": with_config(nics=[])},
    "other domain of another name": {"destination": rows_there(row("web", 9, OTHER))},
    "other session": {
        "source": host("xen1", sessions=(session(alive=True, domain=SessionDomain(OTHER, "web")),)),
    },
    "old session": {"source": host("xen1", sessions=(session(),))},
    "session that was settled as down, or put elsewhere": {
        "source": host("xen1", sessions=(session(owner="source", end_state="down"),)),
        "destination": host("xen2", sessions=(session(owner="elsewhere", end_state="elsewhere"),)),
    },
    "journal without a name": {
        "source": host("xen1", sessions=(session(end_state=None, domain=SessionDomain(None, None)),)),
    },
    "interrupted before a good one": {
        "source": host("xen1", sessions=(session(), session(session="b" * 16, end_state=None))),
    },
    "empty drive": {
        "domain": with_config(disks=[{"vdev": "hdc", "format": "empty", "backend": "qdisk", "is_cdrom": 1}]),
    },
    "dom0 as the named backend": {
        "domain": with_config(nics=[{"bridge": "xenbr0", "backend_domid": 0}]),
    },
    "others at work on other domains": {
        "source": host("xen1", hands=(Hand(70, "xl save", "web"), Hand(71, "libxl-save-helper", "4"))),
        "destination": host("xen2", hands=(Hand(72, "xl save", "3"),)),
    },
    "cluster that looks after others, or was told to let go": {
        "source": host("xen1", cluster=clustered(managed=False)),
        "destination": host("xen2", cluster=clustered(id="centos", name="web", uuid=OTHER)),
    },
    "autostart, which is set aside": {
        "source": host("xen1", autostart=(AutostartEntry("/etc/xen/auto/centos", "config", "centos", None),)),
    },
    "affinity that partly fits": {"domain": with_config(b_info={"vcpu_hard_affinity": [[3, 4, 5]]})},
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_not_found(name: str) -> None:
    """A check that cries wolf is switched off."""
    assert find(**HARMLESS[name]) == ()


def test_everything_is_told_at_once() -> None:
    """Nobody wants to learn of the second obstacle after removing the first."""
    found = find(
        source=host("xen1", problems=(Problem("pyxs_missing", "no pyxs", "install it"),)),
        destination=rows_there(row("centos", 9, OTHER)),
        domain=with_config(nics=[{"bridge": "a"}, {"bridge": "b", "devid": 1}], pcidevs=[{"bus": 1}]),
        request=request(memory_reserve_mib=900),
    )
    codes = [finding.code for finding in errors(found)]
    assert codes == [
        *("pyxs_missing", "name_taken", "not_enough_memory", "pci_passthrough", "bridge_missing", "bridge_missing"),
    ]
    text = describe(found, request())
    first, second = text.splitlines()[:2]
    assert first == "centos cannot be moved from xen1 to xen2, for 6 reasons:"
    assert second == "1. xen1: pyxs_missing: no pyxs Remedy: install it"
    assert text.count("Remedy:") == 6


def test_one_reason_is_one_line() -> None:
    """And no reason is no text."""
    text = describe(find(request=request(memory_reserve_mib=900)), request())
    assert text.startswith("centos cannot be moved from xen1 to xen2. xen2: not_enough_memory: centos needs")
    assert describe((), request()) == ""
    assert describe(find(request=request(memory_reserve_mib=900)), request(domain=UUID), "centos") == text


def test_findings_can_travel() -> None:
    """They become the result of a task."""
    (finding,) = find(destination=host("xen2", bridges=()))
    assert Finding.from_result(finding.to_result()).code == "bridge_missing"
    assert finding.to_result()["details"] == {"bridge": "xenbr0", "bridges": []}
