# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bridges, addresses and counters of a dom0 (private to the collection)."""

from __future__ import annotations

import array
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
# The figures of /sys/class/net/INTERFACE/statistics for all interfaces at once, as this process's network has them.
NET_DEV = "/proc/net/dev"
LOOPBACK = "lo"

# What ip(8) calls the interfaces that the scripts of Xen can put a network card on.
_BRIDGES = ("bridge", "openvswitch")
_SIOCGIFCONF = 0x8912
# sizeof(struct ifreq) of netdevice(7): the name, and a union whose largest member is a struct ifmap.
_IFREQ = 40 if struct.calcsize("P") == 8 else 32
_IFREQS = 1024


@dataclasses.dataclass(frozen=True)
class Network:
    """Names of bridges, addresses that other hosts can reach (neither loopback nor link-local), each bridge's MTU.

    ``ipv4`` are the interfaces with an IPv4 address of any kind, so that the loopback one is among them.
    """

    bridges: tuple[str, ...]
    addresses: tuple[Address, ...]
    mtus: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    ipv4: tuple[str, ...] = ()


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
    mtus: dict[str, int] = {}
    ipv4: list[str] = []
    for link in json.loads(text):
        if not link:
            continue  # some releases of ip print empty objects for links that a filter left out
        name = link["ifname"]
        if link.get("linkinfo", {}).get("info_kind") in _BRIDGES:
            bridges.append(name)
            if isinstance(link.get("mtu"), int):
                mtus[name] = link["mtu"]
        found = [entry["local"] for entry in link.get("addr_info", ()) if "local" in entry]
        addresses.extend(Address(name, address) for address in found if _reachable(address))
        if any(ipaddress.ip_address(address).version == 4 for address in found):
            ipv4.append(name)
    return Network(tuple(sorted(bridges)), tuple(addresses), mtus, tuple(ipv4))


def from_kernel(sys_net: str = SYS_NET, if_inet6: str = IF_INET6) -> Network:
    """Return bridges and addresses without any program."""
    names = sorted(os.listdir(sys_net)) if os.path.isdir(sys_net) else []
    bridges = tuple(name for name in names if os.path.isdir(os.path.join(sys_net, name, "bridge")))
    with_ipv4 = [entry for entry in _ipv4() if entry[0] in names]
    found = with_ipv4 + list(_ipv6(if_inet6))
    addresses = tuple(Address(name, address) for name, address in found if _reachable(address))
    ipv4 = tuple(dict.fromkeys(name for name, dummy in with_ipv4))
    return Network(bridges, addresses, dict(_mtus(sys_net, bridges)), ipv4)


def _mtus(sys_net: str, names: t.Iterable[str]) -> t.Iterator[tuple[str, int]]:
    for name in names:
        try:
            with open(os.path.join(sys_net, name, "mtu"), encoding="ascii") as file:
                yield name, int(file.read())
        except (OSError, ValueError):
            continue


@dataclasses.dataclass(frozen=True)
class Look:
    """What a host's interfaces show at one moment: which one has an address, and the bytes that each has received and
    sent since it is there. Empty where it could not be read.
    """

    interfaces: t.Mapping[str, str]
    counters: t.Mapping[str, tuple[int, int]]

    def carries(self, local: str, peer: str) -> str | None:
        """Return the interface of a connection between these addresses, ``None`` when none has the one of this host.

        What a host says to itself goes over its loopback interface, whatever the addresses.
        """
        if peer in self.interfaces or ipaddress.ip_address(local).is_loopback:
            return LOOPBACK
        return self.interfaces.get(local)


def look(net_dev: str = NET_DEV) -> Look:
    """Look at this host's interfaces; runs no process, and raises nothing."""
    return Look({address: name for name, address in (*_ipv4(), *_ipv6(IF_INET6))}, dict(_counters(net_dev)))


def _counters(path: str) -> t.Iterator[tuple[str, tuple[int, int]]]:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        name, colon, figures = line.partition(":")
        fields = figures.split()
        # Two lines of headings have no colon.
        if colon and len(fields) >= 16:
            yield name.strip(), (int(fields[0]), int(fields[8]))


def _reachable(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_multicast)


def _ipv4() -> list[tuple[str, str]]:
    """Return every IPv4 address with its interface, those of each interface in the kernel's order."""
    import fcntl

    space = array.array("B", bytes(_IFREQ * _IFREQS))
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            request = struct.pack("iP", len(space), space.buffer_info()[0])
            (size,) = struct.unpack_from("i", fcntl.ioctl(probe.fileno(), _SIOCGIFCONF, request))
    except OSError:
        return []
    found, raw = [], space.tobytes()
    for start in range(0, size, _IFREQ):
        # An address may have a label, INTERFACE:LABEL. Behind 16 bytes is a sockaddr_in, its address at the fifth.
        name = raw[start : start + 16].partition(b"\0")[0].decode("ascii", "replace").partition(":")[0]
        found.append((name, socket.inet_ntoa(raw[start + 20 : start + 24])))
    return found


def _ipv6(if_inet6: str) -> t.Iterator[tuple[str, str]]:
    try:
        with open(if_inet6, encoding="ascii") as file:
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        fields = line.split()
        yield fields[5], str(ipaddress.IPv6Address(bytes.fromhex(fields[0])))
