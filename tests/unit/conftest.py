# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``--share N``: of the tests that run playbooks one in N, for CI, where all of them take two thirds of an hour.

Which ones depends on the commit, so that N commits in a row have most likely run them all.
"""

from __future__ import annotations

import pathlib

import pytest
from proof import playbook

PLAYBOOKS = pathlib.Path(__file__).with_name("playbooks")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Called by pytest."""
    told = "run one in N of the tests that run playbooks, others with each commit"
    parser.addoption("--share", type=int, default=1, metavar="N", help=told)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Called by pytest."""
    share: int = config.getoption("--share")
    if share < 1:
        raise pytest.UsageError("--share takes a number above 0")
    if share == 1:
        return
    turn = playbook.turn() % share
    playbooks = [item for item in items if item.path.is_relative_to(PLAYBOOKS)]
    left_out = {item for position, item in enumerate(playbooks) if position % share != turn}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]
