# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary says no when anything is wrong."""

from __future__ import annotations

import typing as t

import pytest
from dom0_faults.judge import FAILURES, MISSED
from dom0_faults.run import Outcome
from dom0_faults.summary import summary

GOOD = [Outcome(f"fault{number}", (), (), 1.0) for number in range(100)]


def _summary(outcomes: list[Outcome], **more: t.Any) -> dict[str, t.Any]:
    return summary(outcomes, **{"seconds": 1.0, "listed": 3000, "vanished": [], "chosen": 0, **more})


@pytest.mark.parametrize("name", FAILURES)
def test_one_failure_is_one_too_many(name: str) -> None:
    """Each kind of failure alone, and its name is in the list."""
    found = _summary([*GOOD, Outcome("bad", (name,), ("why",), 1.0)])
    assert not found["ok"] and found[name] == 1
    assert [one["name"] for one in found["failing"]] == ["bad"]


def test_all_good_is_ok() -> None:
    """No false alarm."""
    assert _summary(GOOD)["ok"]


@pytest.mark.parametrize("more", [{"listed": 2999}, {"vanished": ["x"]}, {"chosen": 3000}])
def test_a_campaign_that_has_shrunk_is_not_ok(more: dict[str, t.Any]) -> None:
    """Fewer faults than promised, points that vanished, runs that are missing."""
    assert not _summary(GOOD, **more)["ok"]


def test_faults_that_do_not_happen_are_counted() -> None:
    """A campaign whose faults miss shows nothing."""
    missed = [Outcome(f"missed{number}", (MISSED,), (), 1.0) for number in range(10)]
    assert not _summary([*GOOD, *missed])["ok"]
