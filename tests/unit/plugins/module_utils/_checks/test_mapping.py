# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names for the destination that fit nothing, or not each other, speak against a move."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import Disk
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    EQUIPMENT,
    host,
    request,
    with_config,
)
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.finding import (
    require,
)

CASES: list[tuple[str, str, dict[str, t.Any], list[str]]] = [
    # code, host, what is different, words that the message or the remedy must hold
    ("map_invalid", "xen2", {"request": request(map_bridges={"no such name": "xenbr0"})}, ["'no such name'"]),
    ("map_invalid", "xen2", {"request": request(map_disks={"lun7": "/dev/a"})}, ["'lun7'", "absolute path"]),
    ("map_unused", "xen1", {"request": request(map_bridges={"xenbr9": "xenbr0"})}, ["'xenbr9'", "has: xenbr0"]),
    ("map_unused", "xen1", {"request": request(map_disks={"/dev/a": "/dev/b"})}, ["'/dev/a'", "has: none"]),
    (
        "map_collides",
        "xen2",
        {
            "domain": with_config(disks=[{"pdev_path": "/dev/a"}, {"pdev_path": "/dev/b"}]),
            "request": request(map_disks={"/dev/a": "/dev/b"}),
        },
        ["all be /dev/b", "/dev/a, /dev/b"],
    ),
    (
        "map_collides",
        "xen2",
        {
            "domain": with_config(disks=[{"pdev_path": "/dev/a"}, {"pdev_path": "/dev/b"}]),
            "request": request(map_disks={"/dev/a": "/dev/mapper/c", "/dev/b": "/dev/dm-0"}),
            "destination": host(
                "xen2",
                equipment=dataclasses.replace(
                    EQUIPMENT, disks=(Disk("253:0", ("/dev/dm-0", "/dev/mapper/c"), 1024, {"lvm": "1"}),)
                ),
            ),
        },
        ["all be /dev/mapper/c", "/dev/a, /dev/b"],
    ),
]


@pytest.mark.parametrize(("code", "where", "given", "words"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_what_speaks_against_a_move_is_found(code: str, where: str, given: dict[str, t.Any], words: list[str]) -> None:
    """One cause gives one error, on the right host, with a remedy."""
    require(code, where, given, words)
