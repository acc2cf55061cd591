# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running guest moves, and everything that is said of it is true."""

from __future__ import annotations

from proof import figures

from . import search
from .conftest import Record
from .world import BUSY_PAGES_PER_S, World, same_guest

MODULES = 8
RESIDENT_KIB = 64 * 1024


def test_live_move_as_root(fresh: World, record: Record) -> None:
    """The guest arrives unharmed, and the result says how; few modules, little memory, no key anywhere."""
    with (
        search.no_key(fresh, "root", pipelining=True) as (spy, how),
        fresh.counting_modules() as modules,
        fresh.lab.observe(everywhere=True) as watch,
    ):
        outcome = fresh.migrate(**how)
        watch.wait_answer()
    assert outcome.status == 0, outcome.output
    seen, result = same_guest(watch.observation), outcome.result
    record.note(total_ms=result["total_ms"], stop_ms=result["stop_ms"], gap_ms=seen.gap_ms)
    fresh.require("xen2")
    assert (result["owner"], result["end_state"]) == ("destination", "moved")
    assert (result["method"], result["transport"]) == ("live", "tls")
    assert result["bytes"] > 64 * 2**20
    assert result["rounds"][-1]["kind"] == "final" and len(result["rounds"]) >= 2
    assert all({"pages", "dirty_pages_per_s", "bytes", "duration_ms"} <= set(entry) for entry in result["rounds"])
    # The guest has 32768 pages of memory, and a few that xl adds (ring pages, start info); the first round has all.
    assert 20_000 < result["rounds"][0]["pages"] <= 32_768 + 64
    assert 0 < result["stop_ms"] <= result["total_ms"]
    assert result["stop_measured"] == "source_suspended_to_destination_running"
    assert result["xl_stderr"]["source"] and result["xl_stderr"]["destination"]
    assert outcome.changed >= 1
    # What was counted is what ran: the ones that must have run are there.
    ran = [module.rpartition(".")[2] for module in modules]
    assert ran.count("host_info") == 2 and ran.count("migration_receive") == ran.count("migration_send") == 1, modules
    record.check(figures.at_most("module runs on both hosts", len(modules), MODULES))
    for role in ("sender", "receiver"):
        record.check(figures.at_most(f"resident memory of the {role}, KiB", spy.peak_kib.get(role), RESIDENT_KIB))


def test_second_run_changes_nothing(world: World) -> None:
    """The same command again reports the domain where it is, and changes nothing."""
    if world.lab.guest.where() != ["xen2"]:
        assert world.migrate().status == 0
    journals = world.journals()
    outcome = world.migrate()
    assert outcome.status == 0, outcome.output
    assert outcome.changed == 0
    assert (outcome.result["owner"], outcome.result["end_state"]) == ("destination", "moved")
    assert outcome.result["total_ms"] is not None, "the session that moved it is not reported"
    after = world.require("xen2")
    assert {name: left.journals for name, left in after.items()} == journals


def test_back_again_as_a_user_who_needs_no_password(world: World, record: Record) -> None:
    """A domain that has moved can move back to where it came from; modules travel as files."""
    if world.lab.guest.where() != ["xen2"]:
        assert world.migrate().status == 0
    with (
        search.no_key(world, "operator-nopass", pipelining=False) as (dummy, how),
        world.lab.observe(everywhere=True) as watch,
    ):
        outcome = world.migrate(destination="xen1", **how)
        watch.wait_answer()
    assert outcome.status == 0, outcome.output
    seen = same_guest(watch.observation)
    record.note(total_ms=outcome.result["total_ms"], stop_ms=outcome.result["stop_ms"], gap_ms=seen.gap_ms)
    world.require("xen1")


def test_busy_guest_as_a_user_with_a_password(home: World, record: Record) -> None:
    """A guest that rewrites its memory as fast as it can loses none of it."""
    usual = home.lab.guest.ask()["rate"]
    home.lab.guest.set_rate(BUSY_PAGES_PER_S)
    with (
        search.no_key(home, "operator", pipelining=True) as (dummy, how),
        home.lab.observe(everywhere=True) as watch,
    ):
        outcome = home.migrate(**how)
        watch.wait_answer()
    assert outcome.status == 0, outcome.output
    seen = same_guest(watch.observation)
    record.note(total_ms=outcome.result["total_ms"], stop_ms=outcome.result["stop_ms"], gap_ms=seen.gap_ms)
    home.require("xen2")
    for side in outcome.result["path"].values():
        # Both hosts' variables say which address it is, and the bridge that has it must have counted the bytes.
        assert side["shown"] and {way["interface"] for way in side["connections"]} == {"xenbr0"}, side
        assert side["planned_interface"] == "xenbr0"
    # It was busy: what it dirtied while the first round went over had to be sent again.
    assert outcome.result["rounds"][1]["pages"] > 1000
    home.lab.guest.set_rate(usual)


def test_check_mode(home: World) -> None:
    """--check runs the checks and tells the plan; neither host notices."""
    journals = home.journals()
    with home.lab.observe(everywhere=True) as watch:
        outcome = home.migrate(options=["--check"])
    assert outcome.status == 0, outcome.output
    same_guest(watch.observation)
    assert (
        "centos can be moved from xen1 to xen2 (live, over TLS from 10.77.0.1 on xenbr0 to 10.77.0.2 on xenbr0)"
        in outcome.output
    )
    assert outcome.changed == 1, "the move that would be made is not told as a change"
    assert not outcome.result, "a result was written"
    after = home.require("xen1", 1)
    assert {name: left.journals for name, left in after.items()} == journals
