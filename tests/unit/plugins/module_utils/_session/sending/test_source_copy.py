# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session begins with the one domain of its UUID, and with no other that has come to its number since the check."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.copies.number import DomidChanged
from ansible_collections.dom0.xen.plugins.module_utils._session.sending.source_copy import SourceCopy
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import DomainVanished
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import AWAY, UUID, Make
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.sending.test_described import settings


def test_there_is_one_domain_to_begin_with(make: Make, tmp_path: pathlib.Path) -> None:
    """None, or a second copy beside it: nobody knows what would be moved; a number that changed is not kept."""
    dom0 = make()

    def find(keep_domid: int = 0) -> int:
        return SourceCopy(dom0.xl, dom0.store, settings(tmp_path, uuid=UUID, keep_domid=keep_domid)).find()

    with pytest.raises(DomainVanished, match=f"0 domains have the UUID {UUID}"):
        find()
    domid = dom0.start()
    assert find() == find(keep_domid=domid) == domid
    with pytest.raises(DomidChanged, match=f"had the domid {domid + 1}, which it was to keep, and has {domid} now"):
        find(keep_domid=domid + 1)
    dom0.xl.rename(domid, AWAY)
    dom0.restored()
    with pytest.raises(DomainVanished, match="2 domains"):
        find()
