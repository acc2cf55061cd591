# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The link between the hosts breaks again and again, and the migration goes on."""

from __future__ import annotations

import time

from proof import figures

from .conftest import Record
from .world import BUSY_PAGES_PER_S, World, same_guest

CUTS = 10
CUT_S = 1.0
# By how much the gaps of two moves without any cut differ on an emulated host.
SPREAD_MS = 1000
UP_AGAIN = (
    'until grep -Eqs \'"link": *."up": *true, *"losses": *NUMBER[^0-9]\' /run/dom0-xen/*.sender/status.json; '
    "do sleep 0.3; done"
)


def cut(world: World, number: int) -> None:
    """Take the network away and break the connection, bring the network back, and wait until the link is up again."""
    world.lab.cut()
    world.source.run(f"ss --kill --no-header state established dst {world.destination.address} dport ge :49152")
    time.sleep(CUT_S)
    world.lab.mend()
    world.source.run(["timeout", "60", "bash", "-c", UP_AGAIN.replace("NUMBER", str(number))])


def test_cut_ten_times(home: World, record: Record) -> None:
    """The guest notices none of it: its gap is that of a move without cuts, since no cut falls into the stop time."""
    usual = home.lab.guest.ask()["rate"]
    home.lab.guest.set_rate(BUSY_PAGES_PER_S)
    with home.lab.observe(everywhere=True) as plain:
        assert home.migrate().status == 0
        plain.wait_answer()
    home.require("xen2")
    without = same_guest(plain.observation)
    home.lab.reset()
    home.lab.guest.set_rate(BUSY_PAGES_PER_S)
    home.name += "-cut"
    with home.lab.observe(everywhere=True) as watch:
        run = home.start()
        home.mid_stream(home.source, 2_000_000)
        for number in range(1, CUTS + 1):
            cut(home, number)
        outcome = run.wait()
        watch.wait_answer()
    assert outcome.status == 0, outcome.output[-3000:]
    home.require("xen2")
    seen = same_guest(watch.observation)
    home.lab.guest.set_rate(usual)
    assert outcome.result["link_losses"] == CUTS
    record.note(gap_ms=seen.gap_ms, total_ms=outcome.result["total_ms"], stop_ms=outcome.result["stop_ms"])
    record.check(figures.at_most("gap_ms, 10 cuts", seen.gap_ms, without.gap_ms + SPREAD_MS))
