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
    known = described(home)
    assert (known["uuid"], known["name"], "start_time" in known) == (home.lab.guest.uuid, "centos", True)


def test_within_one_host_twice(home: World) -> None:
    """What libxl keeps by UUID is there after each move, and the domain can be moved as ever."""
    before = described(home)
    for number in ("first", "second"):
        home.name = f"within-{number}"
        outcome = home.migrate(source="xen1", destination="xen1", allow_same_host="true")
        assert outcome.status == 0, outcome.output
        assert described(home).keys() == before.keys()
    assert home.source.run("xl uptime centos").stdout.count("centos") == 1


def described(world: World) -> dict[str, str]:
    """Nodes below /vm/UUID with their values."""
    lines = world.source.run(["xenstore-ls", f"/vm/{world.lab.guest.uuid}"]).stdout.splitlines()
    return dict(line.strip().replace('"', "").split(" = ") for line in lines)
