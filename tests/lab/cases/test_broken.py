# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Something breaks in the middle of the stream: the guest runs on where it is, and the other host is clean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from . import search
from .conftest import Record
from .plays import Outcome
from .world import World, same_guest

# The guest is not suspended in mid-stream; what is allowed is what a busy, emulated host needs to schedule it.
GAP_MS = 4000


def kill_xl(world: World) -> None:
    """xl migrate-receive dies without a word."""
    world.destination.run("pkill -KILL -f '[m]igrate-receive'")


def kill_receiver(world: World) -> None:
    """The receiver dies without a word."""
    world.destination.run("pkill -KILL -f '[_]session.daemon.* receiver '")


def kill_sender(world: World) -> None:
    """The sender dies without a word."""
    world.source.run("pkill -KILL -f '[_]session.daemon.* sender '")


def cut(world: World) -> None:
    """The network between the hosts goes away, and stays away until the run is over."""
    world.lab.cut()


BREAKS: dict[str, tuple[Callable[[World], None], str]] = {
    "xl migrate-receive killed": (kill_xl, "xen2"),
    "receiver killed": (kill_receiver, "xen2"),
    "sender killed": (kill_sender, "xen1"),
    "network cut": (cut, "xen2"),
}


def require_one_message(outcome: Outcome, host: str) -> None:
    """The run failed once, and its message names the cause, the host and the remedy."""
    assert outcome.status != 0, "a failed migration was reported as a success"
    assert outcome.failures == 1, outcome.recap
    assert host in outcome.message, outcome.message
    assert "Remedy: " in outcome.message, outcome.message
    assert outcome.output.count(outcome.message) >= 1
    error = outcome.result["error"]
    assert error["msg"] and error["host"] and error["remedy"], error


@pytest.mark.parametrize("name", BREAKS)
def test_in_mid_stream(home: World, record: Record, name: str) -> None:
    """The guest stays, runs on without a pause, nothing is left, and one message says all."""
    breaks, host = BREAKS[name]
    with home.lab.observe(everywhere=True) as watch:
        run = home.start(migrate_link_timeout=5)
        home.mid_stream(home.source)
        breaks(home)
        outcome = run.wait()
        home.lab.mend()
        home.require("xen1")
    seen = same_guest(watch.observation, GAP_MS)
    record.note(gap_ms=seen.gap_ms)
    require_one_message(outcome, host)
    assert (outcome.result["owner"], outcome.result["end_state"]) == ("source", "stayed")


def test_the_next_run_moves_it(home: World, record: Record) -> None:
    """After a sender that was killed, which leaves Xen keeping track of the guest's writes, the same command works."""
    run = home.start()
    home.mid_stream(home.source)
    kill_sender(home)
    assert run.wait().status != 0
    with (
        search.no_key(home, "operator", pipelining=False) as (dummy, how),
        home.lab.observe(everywhere=True) as watch,
    ):
        again = home.migrate(**how)
        watch.wait_answer()
    assert again.status == 0, again.output
    seen = same_guest(watch.observation)
    home.require("xen2")
    record.note(total_ms=again.result["total_ms"], stop_ms=again.result["stop_ms"], gap_ms=seen.gap_ms)
