# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method ``suspend`` on real Xen: the guest is paused here, runs there, or is let go again."""

from __future__ import annotations

from pathlib import Path

from .conftest import Record
from .world import World, same_guest

GATE = Path(__file__).parent / "gate"


def test_a_guest_is_suspended_for_the_whole_of_the_transfer(home: World, record: Record) -> None:
    """It stands still from xl save to its start at the destination, which has made its domain before."""
    with home.lab.observe(everywhere=True) as watch:
        outcome = home.migrate(migrate_method="suspend")
        watch.wait_answer()
    assert outcome.status == 0, outcome.output
    seen, result = same_guest(watch.observation), outcome.result
    record.note(total_ms=result["total_ms"], stop_ms=result["stop_ms"], gap_ms=seen.gap_ms)
    home.require("xen2")
    assert (result["owner"], result["end_state"], result["method"]) == ("destination", "moved", "suspend")
    assert [one["kind"] for one in result["rounds"]] == ["final"]


def test_a_refusal_at_the_gate_takes_the_pause_away(home: World, record: Record) -> None:
    """The destination's copy is gone, and the guest goes on where it was."""
    gate = {"migrate_gate": "controller", "migrate_gate_tasks": str(GATE / "fail.yml")}
    with home.lab.observe(everywhere=True) as watch:
        outcome = home.migrate(migrate_method="suspend", **gate, migrate_gate_undo_tasks=str(GATE / "undo.yml"))
        watch.wait_answer()
    assert outcome.status != 0
    seen = same_guest(watch.observation)
    record.note(gap_ms=seen.gap_ms)
    home.require("xen1")
    assert (outcome.result["owner"], outcome.result["end_state"]) == ("source", "stayed")
