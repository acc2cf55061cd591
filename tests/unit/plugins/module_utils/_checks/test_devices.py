# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices that cannot go along, or that the destination does not have, speak against a move."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    host,
    request,
    with_config,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.finding import (
    require,
)

CASES: list[tuple[str, str, dict[str, t.Any], list[str]]] = [
    # code, host, what is different, words that the message or the remedy must hold
    ("bridge_missing", "xen2", {"destination": host("xen2", bridges=("br9", "lan"))}, ["'xenbr0'", "br9, lan"]),
    ("bridge_missing", "xen2", {"destination": host("xen2", bridges=())}, ["'xenbr0'", "none"]),
    ("bridge_missing", "xen2", {"request": request(map_bridges={"xenbr0": "br7"})}, ["'br7'", "xenbr0"]),
    ("pci_passthrough", "xen1", {"domain": with_config(pcidevs=[{"bus": 3}])}, ["PCI", "pci-detach"]),
    ("dt_passthrough", "xen1", {"domain": with_config(dtdevs=[{"path": "/a"}])}, ["device tree"]),
    ("usb_passthrough", "xen1", {"domain": with_config(usbdevs=[{"ctrl": 0}])}, ["USB"]),
    (
        "usb_passthrough",
        "xen1",
        {"domain": with_config(b_info={"type.hvm": {"usbdevice_list": ["tablet", "host:1.2"]}})},
        ["host:1.2"],
    ),
    ("vtpm", "xen1", {"domain": with_config(vtpms=[{"devid": 0}])}, ["TPM"]),
    (
        "driver_domain",
        "xen1",
        {"domain": with_config(nics=[{"devid": 0, "bridge": "xenbr0", "backend_domid": 7}])},
        ["network card", "domain 7"],
    ),
    (
        "driver_domain",
        "xen1",
        {"domain": with_config(disks=[{"pdev_path": "/dev/a", "backend_domid": 7, "backend_domname": "store"}])},
        ["store", "no domain of that name"],
    ),
    ("driver_domain", "xen1", {"domain": with_config(p9s=[{"tag": "a", "backend_domid": 7}])}, ["9p file system"]),
    ("driver_domain", "xen1", {"domain": with_config(vfbs=[{"backend_domname": "ui"}])}, ["frame buffer", "ui"]),
]


@pytest.mark.parametrize(("code", "where", "given", "words"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_what_speaks_against_a_move_is_found(code: str, where: str, given: dict[str, t.Any], words: list[str]) -> None:
    """One cause gives one error, on the right host, with a remedy."""
    require(code, where, given, words)
