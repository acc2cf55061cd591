# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest that XenStore does not show standing still, since nobody asks it, is moved like any other."""

from __future__ import annotations

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig

from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session import two_hosts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.two_hosts import BUSY, UUID

__all__ = ["make_site"]

pytestmark = pytest.mark.timeout(900)

# All of its 8 MiB, which it writes again in each round, take two seconds this way.
RATE = 4e6


def test_no_rate_holds_while_an_hvm_guest_without_drivers_stands_still(make_site: MakeSite) -> None:
    """Others wait for the network then, and not the guest."""
    site = make_site("xen1", "xen2")
    behaviour = {**BUSY, "suspend": "outside"}
    site["xen1"].start_guest(GuestConfig(kind="hvm", memory_mib=8, compact=True, behaviour=behaviour))
    result = two_hosts.begin(site, "live", compression="none", rate_limit=RATE).result()
    assert result["end_state"] == "moved", result["error"]
    assert result["stop_ms"] is None
    before, last = result["rounds"][-2:]
    assert last["kind"] == "final" and last["bytes"] > 0.9 * before["bytes"]
    assert before["duration_ms"] > 800 * before["bytes"] / RATE
    assert last["duration_ms"] < 0.6 * before["duration_ms"]
    assert len(site.running(UUID)) == 1
