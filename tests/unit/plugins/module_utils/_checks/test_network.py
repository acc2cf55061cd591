# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network that is to carry a move is found on both hosts, or the move is refused; nothing is guessed."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks import network
from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import findings, plan
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    Finding,
    PlannedEnd,
    PlannedPath,
)
from ansible_collections.dom0.xen.plugins.module_utils._records import Address, HostFacts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    DOM0,
    domain,
    host,
    request,
    row,
)

NET, OTHER = "10.20.0.0/24", "10.30.0.0/24"


def having(name: str, *addresses: str, **changes: t.Any) -> HostFacts:
    """A host with a management address and these, each ``INTERFACE=ADDRESS``."""
    pairs = ("xenbr0=192.0.2.11", *addresses)
    found = tuple(Address(*pair.split("=")) for pair in pairs)
    return host(name, addresses=found, **changes)


HERE, THERE = having("xen1", "eth1=10.20.0.1"), having("xen2", "eth2=10.20.0.2")


def found(
    *networks: str, here: HostFacts = HERE, there: HostFacts = THERE, **asked: t.Any
) -> tuple[PlannedPath, tuple[Finding, ...]]:
    """Return the way of a move that nothing else speaks against, and what is found."""
    wanted = request(networks=networks, destination_address="192.0.2.12", **asked)
    planned = plan(here, there, domain(), wanted)
    assert planned is not None and planned.path is not None
    return planned.path, findings(here, there, domain(), wanted)


def way(path: PlannedPath) -> tuple[str, str]:
    """Return the addresses."""
    return path.source.address, path.destination.address


def told(findings_: t.Iterable[Finding]) -> list[tuple[str, str, str]]:
    """Return codes, severities and hosts."""
    return [(one.code, one.severity, one.host) for one in findings_]


def test_both_hosts_have_an_address_there() -> None:
    """It is taken whatever the controller calls the hosts, and the plan has both interfaces."""
    path, found_ = found(NET)
    assert found_ == ()
    assert path == PlannedPath(NET, PlannedEnd("10.20.0.1", "eth1"), PlannedEnd("10.20.0.2", "eth2"))
    assert network.sentence(path, "xen1") == "from 10.20.0.1 on eth1 to 10.20.0.2 on eth2"


def test_ipv6() -> None:
    """However it is written."""
    here, there = having("xen1", "eth1=fd00:20::1"), having("xen2", "eth1=fd00:20::2", "eth1=10.20.0.2")
    path, found_ = found("fd00:0020::/64", here=here, there=there)
    assert way(path) == ("fd00:20::1", "fd00:20::2") and found_ == ()
    named = found("fd00:20::/64", here=here, there=there, asked_address="fd00:20:0::2")
    assert way(named[0]) == way(path) and named[1] == ()


def test_the_first_network_that_both_are_in() -> None:
    """In the order in which they are given; one that only one host is in is passed over."""
    here = having("xen1", "eth1=10.20.0.1", "eth3=10.30.0.1")
    there = having("xen2", "eth2=10.20.0.2", "eth3=10.30.0.2")
    assert way(found(NET, OTHER, here=here, there=there)[0]) == ("10.20.0.1", "10.20.0.2")
    assert way(found(OTHER, NET, here=here, there=there)[0]) == ("10.30.0.1", "10.30.0.2")
    assert way(found("fd00::/8", OTHER, NET, here=HERE, there=there)[0]) == ("10.20.0.1", "10.20.0.2")


def test_a_host_without_an_address_there() -> None:
    """It is named, with the addresses that it has; both are, where both have none."""
    path, (one,) = found(NET, there=having("xen2"))
    assert told([one]) == [("network_no_address", "error", "xen2")] and path == PlannedPath()
    assert one.message == "xen2 has no address in 10.20.0.0/24; it has: 192.0.2.11 (xenbr0)."
    assert one.details["addresses"] == ["192.0.2.11"] and "migrate_network" in one.remedy
    assert told(found("10.99.0.0/16", OTHER)[1]) == [
        ("network_no_address", "error", "xen1"),
        ("network_no_address", "error", "xen2"),
    ]


def test_hosts_in_different_networks() -> None:
    """Each is in one of them, and that is not enough."""
    path, (one,) = found(NET, OTHER, there=having("xen2", "eth1=10.30.0.2"))
    assert told([one]) == [("network_no_address", "error", "xen2")] and path == PlannedPath()
    assert "xen1 has 10.20.0.1 (eth1), xen2 has 10.30.0.2 (eth1)" in one.message


def test_several_addresses_there() -> None:
    """The first that the host lists is taken, and told; its variable settles it."""
    there = having("xen2", "eth2=10.20.0.2", "eth2=10.20.0.3", "eth4=10.20.0.4")
    path, (one,) = found(NET, there=there)
    assert told([one]) == [("network_several_addresses", "warning", "xen2")]
    assert way(path) == ("10.20.0.1", "10.20.0.2")
    assert "The first that it lists is taken, 10.20.0.2." in one.message and "dom0_xen_address" in one.remedy
    path, found_ = found(NET, there=there, destination_host_address="10.20.0.4")
    assert path.destination == PlannedEnd("10.20.0.4", "eth4") and found_ == ()


def test_what_is_asked_for_goes_before_the_hosts_variable() -> None:
    """The variable that is not used may say what it likes."""
    there = having("xen2", "eth2=10.20.0.2", "eth2=10.20.0.3")
    path, found_ = found(NET, there=there, asked_address="10.20.0.3", destination_host_address="192.0.2.99")
    assert way(path) == ("10.20.0.1", "10.20.0.3") and found_ == ()


@pytest.mark.parametrize(
    ("asked", "host_name", "words"),
    [
        ({"asked_address": "192.0.2.11"}, "xen2", "migrate_destination_address gives, 192.0.2.11, is in none of"),
        ({"asked_address": "xen2.example.org"}, "xen2", "is no address, and a name is not looked up"),
        ({"destination_host_address": "10.20.0.77"}, "xen2", "is none of its own; it has: 192.0.2.11 (xenbr0)"),
        ({"source_host_address": "192.0.2.11"}, "xen1", "the host variable dom0_xen_address gives, 192.0.2.11,"),
        ({"listen_address": "0.0.0.0"}, "xen2", "migrate_listen_address is 0.0.0.0"),
    ],
)
def test_contradictions_are_refused(asked: dict[str, t.Any], host_name: str, words: str) -> None:
    """Nobody knows which of the two is meant; both are named."""
    dummy, (one,) = found(NET, **asked)
    assert told([one]) == [("network_contradicts", "error", host_name)]
    assert words in one.message and "migrate_network" in one.remedy


def test_the_receiver_may_be_told_to_listen_where_it_would() -> None:
    """That is no contradiction."""
    assert found(NET, listen_address="10.20.0.2")[1] == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10.20.0.1/24", "10.20.0.1/24 lies in 10.20.0.0/24"),
        ("10.20.0.0", "the length of its prefix is missing"),
        ("eth1", "such as 10.20.0.0/24"),
        ("10.20.0.0/33", "such as 10.20.0.0/24"),
        ("", "such as 10.20.0.0/24"),
    ],
)
def test_what_is_no_network(text: str, words: str) -> None:
    """It is refused with what may have been meant, and no waiver helps."""
    dummy, found_ = found(NET, text, waive=("network_several_addresses",))
    assert told(found_) == [("network_invalid", "error", "localhost")]
    assert words in found_[0].remedy


def test_within_one_host() -> None:
    """What it says to itself goes over its loopback interface, whatever the address."""
    path, found_ = found(NET, there=HERE, destination="xen1", allow_same_host=True)
    assert path == PlannedPath(NET, PlannedEnd("10.20.0.1", "lo"), PlannedEnd("10.20.0.1", "lo"))
    assert found_ == ()
    usual = plan(HERE, HERE, domain(), request(destination="xen1", destination_address="127.0.0.1"))
    assert usual is not None and usual.path is not None
    assert (usual.path.source.interface, usual.path.destination.interface) == ("lo", "lo")


def test_a_domain_that_is_there_needs_no_way() -> None:
    """The second run is not refused since a network is away."""
    asked = request(networks=(OTHER,))
    source, there = having("xen1", domains=(DOM0,)), having("xen2", domains=(DOM0, row()))
    planned = plan(source, there, None, asked)
    assert planned is not None and planned.already_there and planned.path is None
    assert findings(source, there, None, asked) == ()


def test_without_facts_nothing_is_said() -> None:
    """That a host gave none is a finding of its own."""
    wanted = request(networks=(NET,))
    assert not [one for one in findings(None, THERE, domain(), wanted) if one.code.startswith("network_")]


@pytest.mark.parametrize(
    ("asked", "source", "interface"),
    [
        ({}, "", None),
        ({"destination_host_address": "10.20.0.2"}, "", None),
        ({"source_host_address": "10.20.0.1"}, "", None),
        ({"source_host_address": "10.20.0.1", "destination_host_address": "10.20.0.2"}, "10.20.0.1", "eth1"),
        ({"source_host_address": "10.20.0.9", "destination_host_address": "10.20.0.2"}, "", None),
        ({"source_host_address": "fd00::1", "destination_host_address": "10.20.0.2"}, "", None),
        ({"source_host_address": "xen1", "destination_host_address": "10.20.0.2"}, "", None),
        (
            {
                "source_host_address": "10.20.0.1",
                "destination_host_address": "10.30.0.2",
                "asked_address": "10.20.0.2",
            },
            "",
            None,
        ),
    ],
)
def test_without_a_network_the_hosts_variables_decide(
    asked: dict[str, t.Any], source: str, interface: str | None
) -> None:
    """The source comes from its own only where the other end is the destination's, and where it has that address."""
    wanted = request(destination_address="10.20.0.2", **asked)
    planned = plan(HERE, THERE, domain(), wanted)
    assert planned is not None and planned.path is not None
    assert planned.path == PlannedPath("", PlannedEnd(source, interface), PlannedEnd("10.20.0.2", "eth2"))
    assert findings(HERE, THERE, domain(), wanted) == ()
    sentence = network.sentence(planned.path, "xen1")
    assert sentence == (
        "from 10.20.0.1 on eth1 to 10.20.0.2 on eth2"
        if source
        else "to 10.20.0.2 on eth2, from the address that xen1 chooses by its routes"
    )


def test_plans_travel() -> None:
    """As plain values, with everything that the role reads."""
    path, dummy = found(NET)
    assert path.to_result() == {
        "network": NET,
        "source": {"address": "10.20.0.1", "interface": "eth1"},
        "destination": {"address": "10.20.0.2", "interface": "eth2"},
    }
    assert PlannedPath.from_result(path.to_result()) == path
