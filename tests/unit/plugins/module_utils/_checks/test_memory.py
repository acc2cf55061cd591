# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that the destination does not have speaks against a move, or is told."""

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
    require_warnings,
)

CASES: list[tuple[str, str, dict[str, t.Any], list[str]]] = [
    # code, host, what is different, words that the message or the remedy must hold
    (
        "not_enough_memory",
        "xen2",
        {"destination": host("xen2", free_memory_mib=100)},
        ["132 MiB", "100 MiB are free", "32 MiB are missing"],
    ),
    ("not_enough_memory", "xen2", {"request": request(memory_reserve_mib=800)}, ["800 are to stay free"]),
]


@pytest.mark.parametrize(("code", "where", "given", "words"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_what_speaks_against_a_move_is_found(code: str, where: str, given: dict[str, t.Any], words: list[str]) -> None:
    """One cause gives one error, on the right host, with a remedy."""
    require(code, where, given, words)


WARNED: dict[str, tuple[dict[str, t.Any], list[str]]] = {
    "ballooned hvm": (
        {"domain": with_config(c_info={"type": "hvm"}, b_info={"target_memkb": 65536})},
        ["memory_below_maximum"],
    ),
}


@pytest.mark.parametrize("name", WARNED)
def test_what_a_person_should_know(name: str) -> None:
    """It does not stop the move."""
    require_warnings(*WARNED[name])
