# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of the double."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from dom0_double.driver.fixture import MakeSite, make_site

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import Dom0, Make

__all__ = ["make_site"]


@pytest.fixture(name="make")
def make_dom0(make_site: MakeSite, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Make]:
    """Return a function that makes a host with a release of Xen, and settings of the double."""
    made: list[Dom0] = []

    def make(release: tuple[int, int] = (4, 17), **values: t.Any) -> Dom0:
        site = make_site("xen1", xen_major=release[0], xen_minor=release[1], **values)
        made.append(Dom0(site["xen1"], tmp_path))
        monkeypatch.setenv("XENSTORED_PATH", made[-1].socket)
        return made[-1]

    yield make
    for dom0 in made:
        dom0.store.close()
