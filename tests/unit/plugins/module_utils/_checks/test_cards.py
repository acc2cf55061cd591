# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the destination's network has for a card is looked at before the card is attached to it."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import findings
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Finding
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import Card, ConfigFile
from ansible_collections.dom0.xen.plugins.module_utils._records import Address, DomainFacts, HostFacts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    CONFIG,
    DOM0,
    EQUIPMENT,
    OTHER,
    UUID,
    domain,
    host,
    request,
    row,
    with_config,
)

CARD: dict[str, t.Any] = CONFIG["nics"][0]
MAC = CARD["mac"]
ROUTED = {**CARD, "script": "/etc/xen/scripts/vif-route"}
OWN = {**CARD, "script": "/etc/xen/scripts/vif-route-own", "gatewaydev": "eth9"}
# The interfaces with an IPv4 address of any kind, by the facts: eth7 with one of the link.
IPV4 = ("lo", "eth7")


def equipped(name: str, addresses: t.Iterable[Address] | None = None, **changes: t.Any) -> HostFacts:
    """The host of the examples with another network."""
    equipment, scripts = dataclasses.replace(EQUIPMENT, **changes), (*EQUIPMENT.scripts, "vif-route6", "vif-route-own")
    network = {"addresses": tuple(addresses)} if addresses is not None else {}
    equipment = dataclasses.replace(equipment, scripts=scripts)
    return host(name, equipment=equipment, bridges=("xenbr0", "br-lan"), **network)


def found(destination: HostFacts, subject: DomainFacts | None = None, **asked: t.Any) -> list[Finding]:
    """Check the move from a host whose bridges have usual frames."""
    source = equipped("xen1", mtus={"xenbr0": 1500})
    return list(findings(source, destination, subject or domain(), request(**asked)))


def codes(*asked: t.Any, **more: t.Any) -> list[str]:
    """Return the codes of what is found."""
    return [finding.code for finding in found(*asked, **more)]


@pytest.mark.parametrize(
    ("card", "addresses", "expected"),
    [
        ({**ROUTED, "gatewaydev": "eth1"}, [Address("eth1", "192.0.2.9")], []),
        ({**ROUTED, "gatewaydev": "eth1"}, [Address("eth0", "192.0.2.9")], ["gateway_missing"]),
        ({**ROUTED, "gatewaydev": "eth1"}, [Address("eth1", "2001:db8::9")], ["gateway_missing"]),
        # What the script takes where none is named.
        (ROUTED, [Address("eth0", "192.0.2.9")], []),
        (ROUTED, [Address("eth1", "192.0.2.9")], ["gateway_missing"]),
        ({**ROUTED, "script": "vif-route"}, [Address("eth1", "192.0.2.9")], ["gateway_missing"]),
        ({**CARD, "gatewaydev": "eth1"}, [Address("eth0", "192.0.2.9")], []),
        # Any IPv4 address does for the script: eth7 has one of the link.
        ({**ROUTED, "gatewaydev": "eth7"}, [Address("eth1", "192.0.2.9")], []),
        # What a script of one's own needs is not known: perhaps a gateway fe80::1.
        ({**ROUTED, "script": "/etc/xen/scripts/vif-route6"}, [Address("eth1", "192.0.2.9")], []),
        (OWN, [Address("eth1", "192.0.2.9")], ["gateway_unchecked"]),
        ({**OWN, "script": "/usr/local/sbin/vif-route"}, [Address("eth1", "192.0.2.9")], ["gateway_unchecked"]),
        (OWN, [Address("eth9", "192.0.2.9")], []),
        ({**OWN, "gatewaydev": "eth7"}, [Address("eth1", "192.0.2.9")], []),
        ({**ROUTED, "backend_domname": "Domain-0"}, [Address("eth1", "192.0.2.9")], []),
        (ROUTED, [], ["gateway_missing"]),
    ],
)
def test_a_routed_card_needs_a_gateway(card: dict[str, t.Any], addresses: list[Address], expected: list[str]) -> None:
    """With an IPv4 address, which the script gives to the card's end on dom0."""
    subject = with_config(nics=[card])
    assert codes(equipped("xen2", ipv4=IPV4, addresses=addresses), subject) == expected


def test_facts_without_addresses_of_the_link_refuse_nothing() -> None:
    """As an older host_info, and one that could not read them, has told."""
    (told,) = found(equipped("xen2", ipv4=(), addresses=[Address("eth1", "192.0.2.9")]), with_config(nics=[ROUTED]))
    assert (told.code, told.severity) == ("gateway_unchecked", "warning") and "169.254.0.0/16" in told.message
    for addresses in ([Address("eth0", "192.0.2.9")], []):
        assert codes(equipped("xen2", ipv4=(), addresses=addresses), with_config(nics=[ROUTED])) == []


def test_what_cannot_be_seen_of_a_script_is_told() -> None:
    """Whose it is, and what becomes of the domain if it fails."""
    there = equipped("xen2", ipv4=IPV4, addresses=[Address("eth1", "192.0.2.9")])
    (told,) = found(there, with_config(nics=[OWN]))
    assert "what the script vif-route-own needs of eth9 is not known" in told.message
    assert "as on xen1" in told.remedy and "centos stays where it is" in told.remedy


def test_a_gateway_that_comes_later_can_be_waived() -> None:
    """The message names what is there."""
    there = equipped("xen2", ipv4=IPV4, addresses=[Address("eth1", "192.0.2.9")])
    (told,) = found(there, with_config(nics=[ROUTED]), waive=("gateway_missing",))
    assert told.severity == "waived" and "over eth0 of dom0" in told.message and "192.0.2.9 at eth1" in told.message


@pytest.mark.parametrize(
    ("mtus", "card", "asked", "expected"),
    [
        ({"xenbr0": 1400}, CARD, {}, ["mtu_smaller"]),
        ({"xenbr0": 1500}, CARD, {}, []),
        ({"xenbr0": 9000}, CARD, {}, []),
        ({}, CARD, {}, []),
        # libxl writes down what it gives a card without one; only another one counts for itself.
        ({"xenbr0": 1400}, {**CARD, "mtu": 1492}, {}, ["mtu_smaller"]),
        ({"xenbr0": 1400}, {**CARD, "mtu": 1300}, {}, []),
        ({"xenbr0": 1400, "br-lan": 1500}, CARD, {"map_bridges": {"xenbr0": "br-lan"}}, []),
        ({"xenbr0": 1500, "br-lan": 1400}, CARD, {"map_bridges": {"xenbr0": "br-lan"}}, ["mtu_smaller"]),
        ({"xenbr0": 1400}, {**CARD, "script": "vif-openvswitch"}, {}, []),
    ],
)
def test_frames_that_fit_here_must_fit_there(
    mtus: dict[str, int], card: dict[str, t.Any], asked: dict[str, t.Any], expected: list[str]
) -> None:
    """A card has the MTU of its bridge, which is another one there, perhaps under another name."""
    assert codes(equipped("xen2", mtus=mtus), with_config(nics=[card]), **asked) == expected


def test_a_guest_that_is_started_anew_learns_the_mtu() -> None:
    """So that it does not matter to one that is shut down for the move."""
    subject = domain(config_files=(ConfigFile("/etc/xen/centos.cfg", "centos", UUID),))
    assert codes(equipped("xen2", mtus={"xenbr0": 1400}), subject, method="cold") == []


@pytest.mark.parametrize(
    ("rows", "card", "expected"),
    [
        ((row("web", 7, OTHER),), Card(7, MAC.upper()), ["mac_taken"]),
        ((row("web", 7, OTHER),), Card(7, "00:16:3e:5e:00:02"), []),
        # Of a domain that has gone since.
        ((), Card(7, MAC), []),
    ],
)
def test_an_address_is_one_cards(rows: t.Any, card: Card, expected: list[str]) -> None:
    """However it is written; a person is told whose it is."""
    there = dataclasses.replace(equipped("xen2", cards=(card,)), domains=(DOM0, *rows))
    seen = found(there)
    assert [finding.code for finding in seen] == expected
    assert not expected or "one of web on xen2" in seen[0].message


def test_a_copy_of_the_domain_has_its_address() -> None:
    """That there is one is a finding of its own."""
    there = dataclasses.replace(equipped("xen2", cards=(Card(7, MAC),)), domains=(DOM0, row("other", 7)))
    assert codes(there) == ["uuid_taken"]


def test_within_one_host_the_network_is_the_same() -> None:
    """Its own card is seen there."""
    one = equipped("xen1", cards=(Card(3, MAC),), mtus={"xenbr0": 1400})
    assert findings(one, one, domain(), request(destination="xen1", allow_same_host=True)) == ()
