# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of a move, from the plan to what has carried it, over two dom0s of the double.

All that travels here stays on this machine's loopback interface; facts never list its addresses, so a move that is to
begin is given facts that do.
"""

from __future__ import annotations

import json
import pathlib
import sys
import typing as t

import pytest
import yaml
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.reader import Reader
from ansible_collections.dom0.xen.tests.unit.playbooks.user import LIMIT_S, User, other, where
from ansible_collections.dom0.xen.tests.unit.sshd import Sshd

pytestmark = pytest.mark.timeout(600)

NETWORK = "127.0.0.0/28"
ADDRESSES = {"xen1": "127.0.0.11", "xen2": "127.0.0.12"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Two hosts, both also in a network of their own, the guest on xen1; the inventory has no address for moves."""
    site = Site(tmp_path_factory.mktemp("double"))
    for number, name in enumerate(("xen1", "xen2"), 1):
        addresses = [["lo", "127.0.0.1/8"], ["xenbr0", f"192.0.2.{number}/24"], ["eth0", f"10.20.0.{number}/24"]]
        site.up([name], python=sys.executable, addresses=addresses)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield site
    assert site.down() == []


@pytest.fixture
def user(site: Site, tmp_path: pathlib.Path) -> User:
    """Somebody with an empty folder."""
    name_addresses(site)
    return User(site, tmp_path)


def name_addresses(site: Site, **addresses: str) -> None:
    """Write what the inventory has as the hosts' addresses for moves."""
    inventory = yaml.safe_load(site.inventory.read_text())
    for name, variables in inventory["dom0"]["hosts"].items():
        variables.pop("dom0_xen_address", None)
        variables["ansible_host"] = "127.0.0.1"
        if name in addresses:
            variables["dom0_xen_address"] = addresses[name]
    site.inventory.write_text(yaml.safe_dump(inventory))


def seen(interface: str = "lo", **more: str) -> tuple[str, str]:
    """Return arguments with which the facts list addresses that a connection can be made between on this machine."""
    asked = {}
    for role in ("source", "destination"):
        addresses = [
            f"{{'interface': '{interface}', 'address': {json.dumps(ADDRESSES)}[dom0_move.{role}]}}",
            "{'interface': 'lo', 'address': '127.0.0.1'}",
        ]
        listed = f"{{'host': {{'addresses': [{', '.join(addresses)}]}}}}"
        facts = f"hostvars[dom0_move.{role}].dom0_xen_host_info"
        asked[f"migrate_{role}_info"] = f"{{{{ {facts} | combine({listed}, recursive=True) }}}}"
    return "-e", json.dumps({**asked, **more})


def fails(user: User, *arguments: str) -> str:
    """Run a move that must fail; return the log."""
    process = user.start("dom0.xen.migrate", *user.asking(other(user.site)), *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode != 0, log[-4000:]
    return " ".join(log.split())


def carried(user: User) -> dict[str, dict[str, t.Any]]:
    """Return what the result says of both sides; both have proven it."""
    path = user.result["path"]
    assert set(path) == {"source", "destination"}
    for side in path.values():
        assert side["shown"] is True and side["counters"]["lo"]["rx_bytes"] >= side["bytes"] > 1_000_000
    return t.cast("dict[str, dict[str, t.Any]]", path)


def test_the_network_of_the_guide(site: Site, tmp_path: pathlib.Path) -> None:
    """Typed as the guide has it: the plan names the address that each host has in that network, and nothing moves."""
    name_addresses(site)
    destination = other(site)
    log = Reader(site, tmp_path).type(
        "ansible-playbook -i hosts.ini dom0.xen.migrate -e domain=centos -e destination=xen2"
        " -e migrate_network=10.20.0.0/24 --check",
        "-e",
        f"destination={destination}",
    )
    source, there = (host.removeprefix("xen") for host in (where(site), destination))
    assert f"from 10.20.0.{source} on eth0 to 10.20.0.{there} on eth0" in log


def test_the_plan_has_addresses_and_interfaces(user: User) -> None:
    """Of both sides, with --check and before a move."""
    source, destination = where(user.site), other(user.site)
    log = user.move(destination, "--check", "-e", "migrate_network=10.99.0.0/24,10.20.0.0/24")
    ends = f"from 10.20.0.{source[-1]} on eth0 to 10.20.0.{destination[-1]} on eth0"
    assert f"centos can be moved from {source} to {destination} (live, over TLS {ends})." in " ".join(log.split())
    assert where(user.site) == source


def test_a_network_that_is_not_there(user: User) -> None:
    """Every host without an address in it is named, and nothing begins."""
    source, destination = where(user.site), other(user.site)
    log = fails(user, "-e", "migrate_network=10.99.0.0/24")
    for name in (source, destination):
        has = f"10.20.0.{name[-1]} (eth0), 192.0.2.{name[-1]} (xenbr0)"
        assert f"{name} has no address in 10.99.0.0/24; it has: {has}." in log
    assert {finding["code"] for finding in user.result["findings"]} == {"network_no_address"}
    assert "10.20.0.0/24" in fails(user, "-e", "migrate_network=10.20.0.7/24")
    assert where(user.site) == source


def test_an_address_that_says_otherwise(user: User) -> None:
    """The inventory and the network contradict each other: nobody guesses."""
    source, destination = where(user.site), other(user.site)
    name_addresses(user.site, **{source: f"192.0.2.{source[-1]}"})
    log = fails(user, "-e", "migrate_network=10.20.0.0/24")
    told = f"{source}: network_contradicts: the address of {source} that the host variable dom0_xen_address gives,"
    assert f"{told} 192.0.2." in log
    assert [finding["code"] for finding in user.result["findings"]] == ["network_contradicts"]
    name_addresses(user.site)
    log = fails(user, "-e", "migrate_network=10.20.0.0/24", "-e", "migrate_destination_address=192.0.2.2")
    told = f"{destination}: network_contradicts: the address of {destination} that migrate_destination_address gives,"
    assert f"{told} 192.0.2.2," in log


def test_a_move_over_a_network(user: User) -> None:
    """It comes from the source's address there to the destination's, and the result proves what carried it."""
    source, destination = where(user.site), other(user.site)
    here, there = ADDRESSES[source], ADDRESSES[destination]
    # Both have the address 127.0.0.1 there as well: the inventory says which.
    name_addresses(user.site, **ADDRESSES)
    log = user.move(destination, *seen(migrate_network=NETWORK))
    assert where(user.site) == destination
    assert f"over TLS from {here} on lo to {there} on lo" in " ".join(log.split())
    for side, (local, peer) in {"source": (here, there), "destination": (there, here)}.items():
        told = carried(user)[side]
        assert told["planned_interface"] == "lo"
        assert told["connections"] == [{"local": local, "peer": peer, "interface": "lo", "count": 1}]
    assert "MiB over lo, " in log and user.result["remarks"] == []
    # The second run changes nothing, and tells the same.
    before = user.result["path"]
    assert f"centos is already on {destination}" in user.move(destination, "-e", f"migrate_network={NETWORK}")
    assert user.result["path"] == before


def test_another_interface_than_planned(user: User) -> None:
    """The move succeeds, and a person is warned, with the host and the remedy; several addresses were told before."""
    source, destination = where(user.site), other(user.site)
    log = " ".join(user.move(destination, *seen("eth9", migrate_network=NETWORK)).split())
    assert where(user.site) == destination
    assert f"{source}: network_several_addresses: {source} has 2 addresses in {NETWORK}" in log
    assert [(one["code"], one["host"]) for one in user.result["remarks"]] == [
        ("path_other_interface", source),
        ("path_other_interface", destination),
    ]
    assert "was one of lo, not of eth9 as planned. Remedy: Look at the routes of this host: ip route get" in log


def test_addresses_of_the_inventory_alone(user: User) -> None:
    """Without a network the source comes from its own, too, where both hosts have one."""
    source, destination = where(user.site), other(user.site)
    name_addresses(user.site, **ADDRESSES)
    user.move(destination, *seen())
    (way,) = carried(user)["source"]["connections"]
    assert (way["local"], way["peer"]) == (ADDRESSES[source], ADDRESSES[destination])


def test_an_address_that_is_away(user: User) -> None:
    """What the facts have told is not true any more: one error with its remedy, and the guest runs on."""
    source = where(user.site)
    log = fails(user, "-e", "migrate_network=10.20.0.0/24")
    assert where(user.site) == source
    assert "10.20.0." in log and user.result["end_state"] == "stayed"


def test_over_ssh(user: User, sshd: Sshd) -> None:
    """It is the connection to sshd that is bound, and told of on both sides."""
    source, destination = where(user.site), other(user.site)
    # Where the one sshd listens that there is.
    name_addresses(user.site, **{source: ADDRESSES[source], destination: "127.0.0.1"})
    values = {"transport": "ssh", "ssh_port": str(sshd.port), "ssh_user": sshd.user, "sshd_config": str(sshd.config)}
    over = {f"migrate_{key}": value for key, value in values.items()}
    log = user.move(destination, *seen(migrate_network=NETWORK, **over))
    assert where(user.site) == destination
    assert f"over TLS inside SSH from {ADDRESSES[source]} on lo to 127.0.0.1 on lo" in " ".join(log.split())
    path, ends = carried(user), (ADDRESSES[source], "127.0.0.1")
    assert [(way["local"], way["peer"]) for way in path["source"]["connections"]] == [ends]
    assert [(way["peer"], way["local"]) for way in path["destination"]["connections"]] == [ends]
    assert f"Connection from {ADDRESSES[source]}" in sshd.log.read_text()


def ask(user: User, **question: str) -> tuple[int, str]:
    """Ask dom0.xen.check."""
    words = [word for key, value in question.items() for word in ("-e", f"{key}={value}")]
    process = user.start("dom0.xen.check", *words, "-e", f"check_result_path={user.result_path}")
    log = process.communicate(timeout=LIMIT_S)[0]
    return process.returncode, " ".join(log.split())


def test_the_check_asks_the_same(user: User) -> None:
    """For a domain with both ends, and for all domains of a host."""
    source, destination = where(user.site), other(user.site)
    status, log = ask(user, domain="centos", destination=destination, migrate_network="10.20.0.0/24")
    ends = f"from 10.20.0.{source[-1]} on eth0 to 10.20.0.{destination[-1]} on eth0"
    assert status == 0 and f"centos could go from {source} to {destination} (live, {ends})." in log
    (place,) = user.result["domains"][0]["places"]
    assert place["path"]["source"] == {"address": f"10.20.0.{source[-1]}", "interface": "eth0"}
    status, log = ask(user, source=source, migrate_network="10.20.0.0/24")
    assert status == 0, log[-4000:]
    status, log = ask(user, source=source, migrate_network="10.99.0.0/24")
    assert status == 2 and "network_no_address" in log
    name_addresses(user.site, **{source: "192.0.2.77"})
    status, log = ask(user, domain="centos", destination=destination, migrate_network="10.20.0.0/24")
    assert status == 2 and "is none of its own" in log
