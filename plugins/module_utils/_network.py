# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridges and addresses of a dom0 (private to the collection)."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import os
import socket
import struct
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._records import Address
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import Runner

SYS_NET = "/sys/class/net"
IF_INET6 = "/proc/net/if_inet6"

# What ip(8) calls the interfaces that the scripts of Xen can put a network card on.
_BRIDGES = ("bridge", "openvswitch")
_SIOCGIFADDR = 0x8915


@dataclasses.dataclass(frozen=True)
class Network:
    """Names of bridges, and addresses that other hosts can reach: neither loopback nor link-local."""

    bridges: tuple[str, ...]
    addresses: tuple[Address, ...]


def network(run: Runner, ip: str | None) -> Network:
    """Return the network of this host, from one call of ip(8), or from /sys and /proc where that is not to be had.

    ``ip`` is the path of the program, or None. An ip(8) without JSON (busybox) counts as not to be had.
    """
    if ip is not None:
        result = run([ip, "-details", "-json", "address", "show"])
        if result.rc == 0:
            try:
                return parse_ip(result.stdout)
            except (ValueError, TypeError, KeyError, AttributeError):
                return from_kernel()
    return from_kernel()


def parse_ip(text: str) -> Network:
    """Read the output of ``ip -details -json address show``; raises ValueError or KeyError when it is not that."""
    bridges: list[str] = []
    addresses: list[Address] = []
    for link in json.loads(text):
        if not link:
            continue  # some releases of ip print empty objects for links that a filter left out
        name = link["ifname"]
        if link.get("linkinfo", {}).get("info_kind") in _BRIDGES:
            bridges.append(name)
        addresses.extend(
            Address(name, entry["local"])
            for entry in link.get("addr_info", ())
            if "local" in entry and _reachable(entry["local"])
        )
    return Network(tuple(sorted(bridges)), tuple(addresses))


def from_kernel(sys_net: str = SYS_NET, if_inet6: str = IF_INET6) -> Network:
    """Return bridges, the first IPv4 address of each interface, and IPv6 addresses, without any program."""
    names = sorted(os.listdir(sys_net)) if os.path.isdir(sys_net) else []
    bridges = tuple(name for name in names if os.path.isdir(os.path.join(sys_net, name, "bridge")))
    found = [(name, _ipv4(name)) for name in names] + list(_ipv6(if_inet6))
    return Network(bridges, tuple(Address(name, address) for name, address in found if address and _reachable(address)))


def _reachable(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_multicast)


def _ipv4(interface: str) -> str | None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # struct ifreq of netdevice(7): the name, then a sockaddr_in whose address is at its fifth byte.
            reply = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
        except OSError:
            return None
    return socket.inet_ntoa(reply[20:24])


def _ipv6(if_inet6: str) -> t.Iterator[tuple[str, str]]:
    try:
        with open(if_inet6, encoding="ascii") as file:
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        fields = line.split()
        yield fields[5], str(ipaddress.IPv6Address(bytes.fromhex(fields[0])))
