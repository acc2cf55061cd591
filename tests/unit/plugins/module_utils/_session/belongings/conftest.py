# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts between which a domain moves."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.belongings.two_dom0s import Dom0


@pytest.fixture
def hosts(tmp_path: pathlib.Path) -> tuple[Dom0, Dom0]:
    """Two of them."""
    return Dom0(tmp_path / "xen1"), Dom0(tmp_path / "xen2")
