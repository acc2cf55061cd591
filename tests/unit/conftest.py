# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Less than all tests, for CI. What is run depends on the commit, so that some commits in a row have run them all.

``--share N``: of the tests that run playbooks one in N, since all of them take two thirds of an hour. ``--minutes N``:
no test begins after N minutes, so that a slow machine runs fewer tests in place of none to the end.

A busy machine is no failure: hypothesis sets no deadline. For a long run of what it makes up:
``DOM0_XEN_EXAMPLES=5000 make unit ARGS="--timeout=0 tests/unit/plugins/module_utils/_link"``.
"""

from __future__ import annotations

import os
import pathlib
import time

import pytest
from hypothesis import settings
from proof import playbook
from proof.share import NO_TIME, turned

BEGUN = time.monotonic()
settings.register_profile("dom0_xen", deadline=None, max_examples=int(os.environ.get("DOM0_XEN_EXAMPLES", "100")))
settings.load_profile("dom0_xen")
PLAYBOOKS = pathlib.Path(__file__).with_name("playbooks")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Called by pytest."""
    told = "run one in N of the tests that run playbooks, others with each commit"
    parser.addoption("--share", type=int, default=1, metavar="N", help=told)
    told = "begin no test after N minutes, and with another test for each commit"
    parser.addoption("--minutes", type=float, metavar="N", help=told)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Called by pytest."""
    share: int = config.getoption("--share")
    if share < 1:
        raise pytest.UsageError("--share takes a number above 0")
    if share > 1:
        turn = playbook.turn() % share
        playbooks = [item for item in items if item.path.is_relative_to(PLAYBOOKS)]
        left_out = {item for position, item in enumerate(playbooks) if position % share != turn}
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
    if config.getoption("--minutes") is not None:
        items[:] = turned(items, playbook.turn())


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Called by pytest."""
    minutes: float | None = item.config.getoption("--minutes")
    if minutes is not None and time.monotonic() > BEGUN + 60 * minutes:
        pytest.skip(NO_TIME)
