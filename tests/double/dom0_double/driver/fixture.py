# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for pytest: ``pytest_plugins = ["dom0_double.driver.fixture"]``, or import them into a conftest.py."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import pytest

from .site import Site

MakeSite = t.Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: pathlib.Path) -> t.Iterator[MakeSite]:
    """Return a function that makes hosts, ``make_site("xen1", "xen2", suspend_timeout_s=1.0)``.

    At the end of the test every process is ended, and a process that should have ended by itself fails the test.
    """
    made: list[Site] = []

    def make(*names: str, python: str = sys.executable, **settings: t.Any) -> Site:
        site = Site(tmp_path / f"site{len(made)}")
        made.append(site)
        site.up(names, python, **settings)
        return site

    yield make
    left = [line for site in made for line in site.down()]
    if left:
        pytest.fail(f"processes were left: {left}")


@pytest.fixture
def two_hosts(make_site: MakeSite) -> Site:
    """Hosts ``xen1`` and ``xen2``, where a guest has a second to acknowledge a request to suspend."""
    return make_site("xen1", "xen2", suspend_timeout_s=1.0)
