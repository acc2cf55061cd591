# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a domain is to be at the destination, on real Xen: paused, or on a bridge of another name."""

from __future__ import annotations

import json

import pytest
from dom0lab import Host, LabError

from .circumstances import bridge_renamed
from .conftest import Record
from .world import World, same_guest

SILENT_S = 6.0


def stands_still(world: World) -> None:
    """Require that the guest is on xen2, paused, has never run there, and answers nobody."""
    state = world.require("xen2")["xen2"].domains["centos"]["state"]
    assert "p" in state, state
    with pytest.raises(LabError, match="did not answer"):
        world.lab.guest.ask(timeout=SILENT_S)
    used = world.destination.run("xl list centos").stdout.split()[-1]
    assert float(used) == 0.0, f"it has used {used} s of a processor"


def test_left_paused_until_somebody_starts_it(home: World, record: Record) -> None:
    """It arrives and stands still, which the same run again finds right; then it goes on from where it was."""
    with home.lab.observe(everywhere=True) as watch:
        outcome = home.migrate(migrate_leave_paused=True)
        assert outcome.status == 0, outcome.output[-3000:]
        stands_still(home)
        home.name += "-again"
        again = home.migrate(migrate_leave_paused=True)
        assert (again.status, again.changed) == (0, 0), again.output[-3000:]
        stands_still(home)
        home.destination.run("xl unpause centos")
        watch.wait_answer()
    seen, result = same_guest(watch.observation), outcome.result
    record.note(total_ms=result["total_ms"], gap_ms=seen.gap_ms)
    assert (result["owner"], result["end_state"], result["leave_paused"]) == ("destination", "moved", True)
    assert result["stop_ms"] is None
    assert (again.result["owner"], again.result["end_state"]) == ("destination", "moved")
    assert "p" not in home.require("xen2")["xen2"].domains["centos"]["state"]


def mapped(**bridges: str) -> list[str]:
    """Options for a run in which the destination calls bridges by other names; ``_`` stands for ``-``."""
    names = {old.replace("_", "-"): new.replace("_", "-") for old, new in bridges.items()}
    return ["-e", json.dumps({"migrate_map_bridges": names})]


def bridge_of_guest(host: Host) -> str:
    """The bridge in the guest's configuration on this host; its card is required to be on it."""
    (domain,) = (
        each for each in json.loads(host.run("xl list -l").stdout) if each["config"]["c_info"].get("name") == "centos"
    )
    bridge: str = domain["config"]["nics"][0]["bridge"]
    assert f"vif{domain['domid']}.0" in host.run(["ls", f"/sys/class/net/{bridge}/brif"]).stdout.split()
    return bridge


def test_a_bridge_of_another_name(home: World, record: Record) -> None:
    """There and back: the guest is on the bridge that each host has, and reachable."""
    with bridge_renamed(home.destination, "xenbr0", "br-lan"), home.lab.observe(everywhere=True) as watch:
        outcome = home.migrate(options=mapped(xenbr0="br_lan"))
        assert outcome.status == 0, outcome.output[-3000:]
        watch.wait_answer()
        home.require("xen2")
        assert bridge_of_guest(home.destination) == "br-lan"
        home.name += "-back"
        back = home.migrate(destination="xen1", options=mapped(br_lan="xenbr0"))
        assert back.status == 0, back.output[-3000:]
        watch.wait_answer()
    seen, result = same_guest(watch.observation), outcome.result
    record.note(total_ms=result["total_ms"], stop_ms=result["stop_ms"], gap_ms=seen.gap_ms)
    assert result["mapped"] == [{"what": "bridge", "from": "xenbr0", "to": "br-lan"}]
    assert back.result["mapped"] == [{"what": "bridge", "from": "br-lan", "to": "xenbr0"}]
    home.require("xen1")
    assert bridge_of_guest(home.source) == "xenbr0"
