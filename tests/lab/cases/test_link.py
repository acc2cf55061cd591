# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The link between the hosts breaks again and again, and the migration goes on."""

from __future__ import annotations

import time
from statistics import mean

from dom0lab import Host
from proof import figures

from .conftest import Record
from .world import BUSY_PAGES_PER_S, World, same_guest

CUTS = 10
CUT_S = 1.0
# The cuts of each move, there and back: on emulated hosts the gaps of two moves without any differ by a second and
# more, so the one with cuts is held against the mean of one before and one after it.
TURNS = (0, CUTS, 0)
SPREAD_MS = 1000
UP_AGAIN = (
    'until grep -Eqs \'"link": *."up": *true, *"losses": *NUMBER[^0-9]\' /run/dom0-xen/*.sender/status.json; '
    "do sleep 0.3; done"
)


def cut(world: World, source: Host, destination: Host, number: int) -> None:
    """Take the network away and break the connection, bring the network back, and wait until the link is up again."""
    world.lab.cut()
    source.run(f"ss --kill --no-header state established dst {destination.address} dport ge :49152")
    time.sleep(CUT_S)
    world.lab.mend()
    source.run(["timeout", "60", "bash", "-c", UP_AGAIN.replace("NUMBER", str(number))])


def moved(world: World, source: Host, destination: Host, cuts: int) -> int:
    """Move the guest with so many cuts while its memory is on the way; returns its longest silence, in ms."""
    with world.lab.observe(everywhere=True) as watch:
        run = world.start(destination=destination.name)
        world.mid_stream(source, 2_000_000)
        for number in range(1, cuts + 1):
            cut(world, source, destination, number)
        outcome = run.wait()
        watch.wait_answer()
    assert outcome.status == 0, outcome.output[-3000:]
    world.require(destination.name)
    assert outcome.result["link_losses"] == cuts
    return same_guest(watch.observation).gap_ms


def test_cut_ten_times(home: World, record: Record) -> None:
    """The guest notices none of it: its gap is that of a move without cuts, since no cut falls into the stop time."""
    usual = home.lab.guest.ask()["rate"]
    home.lab.guest.set_rate(BUSY_PAGES_PER_S)
    source, destination = home.source, home.destination
    gaps: dict[int, list[int]] = {0: [], CUTS: []}
    for number, cuts in enumerate(TURNS):
        home.name = f"cut-{number}"
        gaps[cuts].append(moved(home, source, destination, cuts))
        source, destination = destination, source
    home.lab.guest.set_rate(usual)
    print("gaps, by the number of cuts, in ms:", gaps, flush=True)
    (with_cuts,) = gaps[CUTS]
    record.note(gap_ms=with_cuts)
    record.check(figures.at_most(f"gap_ms, {CUTS} cuts", with_cuts, mean(gaps[0]) + SPREAD_MS))
