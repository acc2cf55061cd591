# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killing the controller never harms a migration."""

from __future__ import annotations

import time

from .conftest import Record
from .plays import A_RUN_S, wait_until
from .world import World, same_guest


def test_killed_in_mid_stream(home: World, record: Record) -> None:
    """SIGKILL to the whole run: the migration completes on its own, and a second run reports it without a change."""
    with home.lab.observe(everywhere=True) as watch:
        run = home.start()
        status = home.mid_stream(home.source, 10_000_000)
        killed = run.kill()
        assert len(killed) > 1, "nothing but the main process was found"
        assert status["phase"] == "streaming" and status["owner"] == "source"
        wait_until("the guest on xen2 alone", lambda: home.lab.guest.where() == ["xen2"], A_RUN_S)
        home.require("xen2")
        watch.wait_answer()
    seen = same_guest(watch.observation)
    again = home.migrate()
    assert again.status == 0, again.output
    assert again.changed == 0
    assert (again.result["owner"], again.result["end_state"]) == ("destination", "moved")
    record.note(total_ms=again.result["total_ms"], stop_ms=again.result["stop_ms"], gap_ms=seen.gap_ms)


def test_adopted_in_mid_stream(home: World, record: Record) -> None:
    """After SIGKILL the next run finds the migration under way and watches it to its end, with its figures."""
    with home.lab.observe(everywhere=True) as watch:
        home.lab.guest.set_rate(2000)
        run = home.start()
        home.mid_stream(home.source, 5_000_000)
        run.kill()
        began = time.monotonic()
        again = home.migrate()
        watch.wait_answer()
    assert again.status == 0, again.output
    seen = same_guest(watch.observation)
    home.require("xen2")
    assert again.result["end_state"] == "moved", f"{time.monotonic() - began:.0f} s after the kill"
    record.note(total_ms=again.result["total_ms"], stop_ms=again.result["stop_ms"], gap_ms=seen.gap_ms)
