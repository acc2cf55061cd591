# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a domain is to be at the destination, on real Xen: paused, of the same number, of another description, on a
bridge or a disk of another name; and the network that it takes.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator

import pytest
from dom0lab import Host, LabError, Observation, lun
from dom0lab.guest_disk import GuestSpec, guest_config

from .circumstances import bridge_renamed, second_network
from .conftest import Record
from .plays import Outcome
from .world import World, same_guest

SILENT_S = 6.0
FILE = "/run/lab-arrives.cfg"
START_S = 600


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


def guest_on(host: Host) -> dict[str, t.Any]:
    """What xl says of the guest on this host: ``domid`` and ``config``."""
    domain: dict[str, t.Any]
    (domain,) = (
        each for each in json.loads(host.run("xl list -l").stdout) if each["config"]["c_info"].get("name") == "centos"
    )
    return domain


def bridge_of_guest(host: Host) -> str:
    """The bridge in the guest's configuration on this host; its card is required to be on it."""
    domain = guest_on(host)
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


def moved(outcome: Outcome, seen: Observation | None, record: Record, method: str) -> dict[str, t.Any]:
    """Require that this was a move in this way, which the guest came through; returns the result."""
    assert outcome.status == 0, outcome.output[-3000:]
    seen, result = same_guest(seen), outcome.result
    assert (result["owner"], result["end_state"], result["method"]) == ("destination", "moved", method)
    record.note(total_ms=result["total_ms"], stop_ms=result["stop_ms"], gap_ms=seen.gap_ms)
    return result


def carried(result: dict[str, t.Any], interface: str) -> None:
    """Require that both hosts have counted the bytes where they were planned to go, and nowhere else."""
    for side in result["path"].values():
        assert side["shown"] and side["planned_interface"] == interface, side
        assert {way["interface"] for way in side["connections"]} == {interface}, side


@pytest.mark.parametrize("method", ["live", "suspend"])
def test_its_number_its_description_and_its_network(fresh: World, record: Record, method: str) -> None:
    """It keeps its domid, arrives as a file describes it, and comes over the network that was asked for."""
    hosts, lab = fresh.lab.hosts.values(), fresh.lab
    before = guest_on(fresh.source)
    assert before["config"].get("on_reboot") != "preserve"
    # What is libxl's own default, such as destroy, xl leaves out of its list.
    fresh.source.run(f"cat > {FILE}", stdin=guest_config() + 'on_reboot = "preserve"\n')
    asked = {"migrate_method": method, "migrate_config": FILE, "migrate_preserve_domid": True}
    # What the inventory has as an address would contradict the network.
    inventory = fresh.inventory(drop=["dom0_xen_address"])
    with second_network(hosts) as (network, interface):
        options = ["-e", json.dumps({"migrate_network": [network]})]
        with lab.observe(everywhere=True) as watch:
            outcome = fresh.migrate(source="xen1", inventory=inventory, options=options, **asked)
            watch.wait_answer()
    result = moved(outcome, watch.observation, record, method)
    fresh.require("xen2")
    after = guest_on(fresh.destination)
    assert (after["domid"], result["domid"], result["keep_domid"]) == (before["domid"],) * 3
    assert after["config"]["on_reboot"] == "preserve"
    assert "config_arrives" in {finding["code"] for finding in result["findings"]}
    carried(result, interface)


@pytest.fixture
def pv_on_a_lun(world: World) -> Iterator[World]:
    """Hosts that share a LUN, which they call differently, and a PV guest on xen1 that writes to it all the time."""
    world.stale = True
    world.lab.reset()
    world.lab.guest.stop()
    path = lun.attach(world.lab.hosts.values(), world.lab.folder)
    lun.write(path)
    world.lab.guest.start(world.source, GuestSpec(type="pv", disk=lun.DEVICE), timeout=START_S)
    yield world
    world.lab.guest.stop()


def test_a_disk_of_another_name(pv_on_a_lun: World, record: Record) -> None:
    """It is suspended, which ``auto`` chooses for a PV guest here, and writes to one disk, under two names."""
    world, lab = pv_on_a_lun, pv_on_a_lun.lab
    there = world.destination.run(["readlink", "-f", lun.DEVICE]).stdout.strip()
    assert there.startswith("/dev/vd")
    ways = (("xen1", "xen2", lun.DEVICE, there), ("xen2", "xen1", there, lun.DEVICE))
    for source, destination, old, new in ways:
        world.name = f"disk-of-another-name-{destination}"
        with lab.observe(everywhere=True) as watch:
            options = ["-e", json.dumps({"migrate_map_disks": {old: new}})]
            outcome = world.migrate(source=source, destination=destination, migrate_method="auto", options=options)
            watch.wait_answer()
        result = moved(outcome, watch.observation, record, "suspend")
        assert result["mapped"] == [{"what": "disk", "from": old, "to": new}]
        assert lab.guest.where() == [destination]
        assert [disk["pdev_path"] for disk in guest_on(lab.hosts[destination])["config"]["disks"]] == [new]
    seen = lun.judge(lab.folder / lun.FILE, lab.guest.ask(verify=True))
    assert not seen.problem, f"of {seen.count} stamps: {seen.problem}"
