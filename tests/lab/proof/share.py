# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pytest plugin for a run that has only so much time: no case starts after a moment, and each run begins elsewhere.

What was not run is called so in the results; it never counts as passed.
"""

from __future__ import annotations

import time
import typing as t
from collections.abc import Sequence

import pytest

NO_TIME = "no time left"
UNTRIED = "not tried on real Xen yet"
NO_QEMU = "the hosts of this lab have no QEMU"
# Why a case was not run: it is neither well nor bad.
REASONS = (NO_TIME, UNTRIED, NO_QEMU)
_Item = t.TypeVar("_Item")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the moment, and where to begin."""
    group = parser.getgroup("share")
    group.addoption("--until", type=float, help="no case starts after this moment (seconds since the epoch)")
    group.addoption("--untried", action="store_true", help="run those too that were never run on real Xen")
    group.addoption("--turn", type=int, default=0, help="a number that says at which case to begin")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin at another case; the order stays."""
    items[:] = turned(items, config.getoption("turn"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what there is no time for, and what nobody has tried here yet, before anything is set up for it."""
    until = item.config.getoption("until")
    if until is not None and time.time() > until:
        pytest.skip(NO_TIME)
    if item.get_closest_marker("untried") and not item.config.getoption("untried"):
        pytest.skip(UNTRIED)


def turned(items: Sequence[_Item], turn: int) -> list[_Item]:
    """Return the items from the one that ``turn`` falls on, and then those before it."""
    first = turn % len(items) if items else 0
    return [*items[first:], *items[:first]]
