# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain moves within its host, when that was asked for."""

from __future__ import annotations

from . import search
from .conftest import Record
from .world import World, same_guest


def test_within_one_host(home: World, record: Record) -> None:
    """Source and destination are one host: the guest gets a new domid and nothing else changes."""
    before = home.look()["xen1"].domains["centos"]["domid"]
    with (
        search.no_key(home, "root", [home.source], pipelining=False) as (dummy, how),
        home.lab.observe(everywhere=True) as watch,
    ):
        outcome = home.migrate(source="xen1", destination="xen1", allow_same_host="true", **how)
        watch.wait_answer()
    assert outcome.status == 0, outcome.output
    seen = same_guest(watch.observation)
    record.note(total_ms=outcome.result["total_ms"], stop_ms=outcome.result["stop_ms"], gap_ms=seen.gap_ms)
    assert home.require("xen1")["xen1"].domains["centos"]["domid"] > before
