# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridges and addresses are found with ip(8), and without it."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts import network
from ansible_collections.dom0.xen.plugins.module_utils._records import Address
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import CommandResult, subprocess_runner

LINKS: list[dict[str, t.Any]] = [
    {"ifname": "lo", "addr_info": [{"local": "127.0.0.1"}, {"local": "::1"}]},
    {},
    {"ifname": "eth0", "linkinfo": {"info_slave_kind": "bridge"}, "addr_info": []},
    {
        "ifname": "xenbr1",
        "linkinfo": {"info_kind": "bridge"},
        "mtu": 9000,
        "addr_info": [{"local": "192.0.2.11"}, {"local": "fe80::1"}, {"local": "2001:db8::11"}],
    },
    {"ifname": "ovs0", "linkinfo": {"info_kind": "openvswitch"}, "mtu": None},
    {"ifname": "eth4", "addr_info": [{"local": "fe80::4"}]},
    {"ifname": "eth5", "addr_info": [{"local": "169.254.0.5"}]},
    {"ifname": "tun0", "linkinfo": {"info_kind": "tun"}, "addr_info": [{"address": "198.51.100.1"}]},
]


def test_ip_tells_bridges_and_addresses_at_once() -> None:
    """One process; a port of a bridge is no bridge, and what others cannot reach is no address."""
    found = network.parse_ip(json.dumps(LINKS))
    assert found.bridges == ("ovs0", "xenbr1")
    assert found.addresses == (Address("xenbr1", "192.0.2.11"), Address("xenbr1", "2001:db8::11"))
    assert found.mtus == {"xenbr1": 9000}
    assert found.ipv4 == ("lo", "xenbr1", "eth5")


def test_network_of_a_real_dom0() -> None:
    """As a host of the lab printed it, with the domain's vif on the bridge."""
    text = (pathlib.Path(__file__).resolve().parents[3] / "data" / "ip-address.json").read_text()
    found = network.parse_ip(text)
    assert found.bridges == ("xenbr0",)
    assert found.mtus == {"xenbr0": 1500}
    assert Address("xenbr0", "10.77.0.1") in found.addresses
    assert {entry.interface for entry in found.addresses} == {"eth0", "xenbr0"}


@pytest.mark.parametrize(
    "answer",
    [
        CommandResult(1, "", "ip: invalid option"),
        CommandResult(0, "1: lo: <LOOPBACK>", ""),
        CommandResult(0, "[1]", ""),
    ],
)
def test_ip_without_json_is_done_without(answer: CommandResult) -> None:
    """busybox has an ip that knows no JSON."""
    assert network.network(lambda argv: answer, "/sbin/ip") == network.from_kernel()


def test_no_ip_is_done_without() -> None:
    """No process is started then."""

    def run(argv: t.Sequence[str]) -> CommandResult:
        raise AssertionError(argv)

    assert network.network(run, None) == network.from_kernel()


def test_kernel_tells_bridges_and_addresses(tmp_path: pathlib.Path) -> None:
    """From /sys/class/net and /proc/net/if_inet6."""
    for name, mtu in (("xenbr0", "1400\n"), ("xenbr1", "")):
        (tmp_path / "net" / name / "bridge").mkdir(parents=True)
        (tmp_path / "net" / name / "mtu").write_text(mtu)
    (tmp_path / "net" / "eth9").mkdir()
    (tmp_path / "inet6").write_text(
        "fe800000000000005054 00fffe123456 02 40 20 80 xenbr0\n".replace(" ", "", 1)
        + "20010db8000000000000000000000011 02 40 00 80 xenbr0\n"
        + "00000000000000000000000000000001 01 80 10 80 lo\n"
    )
    found = network.from_kernel(str(tmp_path / "net"), str(tmp_path / "inet6"))
    assert (found.bridges, found.mtus) == (("xenbr0", "xenbr1"), {"xenbr0": 1400})
    assert found.addresses == (Address("xenbr0", "2001:db8::11"),)
    assert network.from_kernel(str(tmp_path / "x"), str(tmp_path / "y")) == network.Network((), ())


NET_DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 7998766516 2046489    0    0    0     0          0         0 7998766516 2046489    0    0    0     0       0          0
eth1.20:1692953349  100    0    0    0     0          0         0 18446744073709551615 55    0    0    0     0       0          0
"""  # noqa: E501  # as the kernel writes it


def test_what_interfaces_have_counted(tmp_path: pathlib.Path) -> None:
    """Received and sent, of all of them at once, as wide as the kernel counts."""
    path = tmp_path / "dev"
    path.write_text(NET_DEV)
    assert network.look(str(path)).counters == {
        "lo": (7998766516, 7998766516),
        "eth1.20": (1692953349, 18446744073709551615),
    }
    assert network.look(str(tmp_path / "none")).counters == {}


def test_what_this_machine_shows() -> None:
    """Its loopback interface has its address, and carries what it says to itself on any of them."""
    seen = network.look()
    assert seen.interfaces["127.0.0.1"] == "lo" and "lo" in seen.counters
    assert seen.carries("127.0.0.21", "127.0.0.22") == "lo"
    assert seen.carries("198.51.100.1", "198.51.100.2") is None


def test_which_interface_carries_a_connection() -> None:
    """The one that has the address of this end; the loopback one where the other end is here as well."""
    seen = network.Look({"10.20.0.1": "eth1", "192.0.2.1": "xenbr0"}, {})
    assert seen.carries("10.20.0.1", "10.20.0.2") == "eth1"
    assert seen.carries("10.20.0.1", "192.0.2.1") == seen.carries("10.20.0.1", "10.20.0.1") == "lo"


def test_both_ways_agree_on_this_machine() -> None:
    """The fallback finds what ip finds, where there is an ip at all."""
    try:
        found = network.network(subprocess_runner(), "ip")
    except FileNotFoundError:
        pytest.skip("there is no ip on this machine")
    kernel = network.from_kernel()
    assert set(kernel.bridges) <= set(found.bridges)
    assert kernel.mtus.items() <= found.mtus.items()
    assert set(kernel.addresses) == set(found.addresses)
