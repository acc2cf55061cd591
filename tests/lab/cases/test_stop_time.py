# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a guest may stand still, on real Xen, whose ``xl`` wants to suspend it whenever it likes."""

from __future__ import annotations

import pytest
from dom0lab import TimelineWatch

from .conftest import Record
from .world import BUSY_PAGES_PER_S, World, same_guest

# 12 MB a second are written, and 3 carried at most: what was written while a round was sent is all that the guest ever
# writes, 18 MB, and takes longer than what may be, however busy the machine is that emulates all this.
RATE_LIMIT_MBIT = 24
BUDGET_MS = 5000
SILENT_MS = 3000


@pytest.mark.timeout(3000)
def test_a_guest_that_writes_faster_than_the_link_is_never_suspended(home: World, record: Record) -> None:
    """The move is given up when the last live round was sent: nobody asks the guest to suspend, and it answers on."""
    usual = home.lab.guest.ask()["rate"]
    home.lab.guest.set_rate(BUSY_PAGES_PER_S)
    with TimelineWatch(home.source, home.destination) as store, home.lab.observe(everywhere=True) as watch:
        outcome = home.migrate(
            migrate_max_stop_ms=BUDGET_MS, migrate_rate_limit=RATE_LIMIT_MBIT, migrate_compression="none"
        )
        watch.wait_answer()
    home.lab.guest.set_rate(usual)
    result = outcome.result
    record.note(total_ms=result["total_ms"], gap_ms=same_guest(watch.observation, SILENT_MS).gap_ms)
    assert outcome.status != 0, "a move that was given up was reported as a success"
    assert (result["owner"], result["end_state"]) == ("source", "stayed")
    assert result["error"]["code"] == "stop_over_budget", outcome.message
    told = result["stop_prediction"]
    assert told["over_budget"] and told["predicted_ms"] > told["budget_ms"] == BUDGET_MS
    # It was not refused for what is known of the destination: the last live round was seen.
    assert len(result["rounds"]) == 5 and told["pages"] is not None
    never_asked(store, home)
    home.require("xen1")


def never_asked(store: TimelineWatch, world: World) -> None:
    """Nothing was written where a guest on the source is asked to suspend."""
    source = [each for each in store.timeline("centos").events if each["host"] == world.source.name]
    assert not [each for each in source if each["event"] == "shutdown"], source


@pytest.mark.timeout(3000)
def test_a_move_that_is_rehearsed(home: World, record: Record) -> None:
    """This xl starts our program in place of its helper, is never asked for the suspend, and ends; then it is moved.

    How far the prediction was off is noted, and not judged: two moves of an emulated host differ by a second and more.
    """
    with TimelineWatch(home.source, home.destination) as store, home.lab.observe(everywhere=True) as watch:
        outcome = home.migrate(migrate_rehearse=True)
        watch.wait_answer()
    assert outcome.status == 0, outcome.output[-3000:]
    same_guest(watch.observation, SILENT_MS)
    result = outcome.result
    assert (result["owner"], result["end_state"], result["rehearsed"]) == ("source", "stayed", True)
    assert any("suspend() failed" in line for line in result["xl_stderr"]["source"]), result["xl_stderr"]
    never_asked(store, home)
    home.require("xen1")
    home.name += "-move"
    moved = home.migrate()
    assert moved.status == 0, moved.output[-3000:]
    record.note(
        total_ms=moved.result["total_ms"],
        stop_ms=moved.result["stop_ms"],
        predicted_ms=result["stop_prediction"]["predicted_ms"],
        predicted_total_ms=result["stop_prediction"]["predicted_total_ms"],
    )
    home.require("xen2")
