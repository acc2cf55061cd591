# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Over which network, and between which addresses, the bytes travel (pure; private to the collection).

Where networks were asked for, both hosts use an address that they have in the first of them that both are in. An
address that somebody has named for a host is taken, and must be one of those; nothing is guessed where the two differ.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import identity
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    Case,
    Finding,
    PlannedEnd,
    PlannedPath,
    listed,
)
from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import CONTROLLER
from ansible_collections.dom0.xen.plugins.module_utils._records import Address, HostFacts

# Whose word an address is.
_ASKED = "migrate_destination_address"
_HOST = "the host variable dom0_xen_address"
_LISTEN = "migrate_listen_address"

# What a host says to itself goes over it, whatever the addresses.
LOOPBACK = "lo"

_IpNetwork = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
_IpAddress = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


@dataclasses.dataclass(frozen=True)
class _Side:
    """One host: what it has, and the address that somebody has ``named`` for it, with his word for that (``by``)."""

    host: str
    addresses: tuple[Address, ...]
    named: str
    by: str


def agreed(case: Case) -> t.Iterator[Finding]:
    """Both hosts have an address in the network that was asked for, and nobody says otherwise."""
    if identity.already_there(case) is None:
        yield from _chosen(case)[1]


def path(case: Case) -> PlannedPath:
    """Return the way that the bytes are to take; empty where findings forbid it, or facts are missing."""
    return _chosen(case)[0] if case.request.networks else _usual(case)


def sentence(planned: PlannedPath, source: str) -> str:
    """Return a way for a sentence, such as "from 10.20.0.1 on eth1 to 10.20.0.2 on eth1"."""
    to = f"to {_shown(planned.destination)}"
    if planned.source.address:
        return f"from {_shown(planned.source)} {to}"
    return f"{to}, from the address that {source} chooses by its routes"


def _shown(end: PlannedEnd) -> str:
    return f"{end.address} on {end.interface}" if end.interface else end.address


def _usual(case: Case) -> PlannedPath:
    """Return the way where no network was asked for.

    The source comes from its own host variable's address only where the destination's is the other end: who gives the
    destination another address for one move has said nothing of the source.
    """
    request = case.request
    there = _parsed(request.destination_address)
    interface = _interface(case, case.destination, there)
    destination = PlannedEnd(request.destination_address, interface)
    here = _parsed(request.source_host_address)
    by_host_variables = bool(request.destination_host_address) and not request.asked_address
    if here is None or there is None or here.version != there.version or not by_host_variables:
        return PlannedPath("", PlannedEnd("", LOOPBACK if interface == LOOPBACK else None), destination)
    found = _interface(case, case.source, here)
    return PlannedPath("", PlannedEnd(str(here), found) if found else PlannedEnd("", None), destination)


def _chosen(case: Case) -> tuple[PlannedPath, list[Finding]]:
    request = case.request
    networks, found = _networks(case)
    if found or not networks or case.source is None or case.destination is None:
        return PlannedPath(), found
    asked, by = (request.asked_address, _ASKED) if request.asked_address else (request.destination_host_address, _HOST)
    source = _Side(case.source_name, case.source.addresses, request.source_host_address, _HOST)
    destination = _Side(request.destination, case.destination.addresses, asked, by)
    mine, found = _candidates(case, source, networks)
    theirs, more = _candidates(case, destination, networks)
    found += more
    if found:
        return PlannedPath(), found
    for network in networks:
        here, there = _within(mine, network), _within(theirs, network)
        if here and there:
            found = [*_several(case, source, here, network), *_several(case, destination, there, network)]
            found += _listens(case, there[0])
            end = PlannedPath(str(network), _end(case, here[0]), _end(case, there[0]))
            return end, found
    return PlannedPath(), [_apart(case, destination, mine, theirs)]


def _networks(case: Case) -> tuple[list[_IpNetwork], list[Finding]]:
    networks: list[_IpNetwork] = []
    found: list[Finding] = []
    for text in case.request.networks:
        network = _network(text) if "/" in text else None
        if network is not None:
            networks.append(network)
            continue
        found.append(
            case.error(
                "network_invalid",
                CONTROLLER,
                f"{text!r} is no network.",
                f"Give migrate_network as networks, such as 10.20.0.0/24 or fd00:20::/64{_meant(text)}.",
                network=text,
            )
        )
    return networks, found


def _network(text: str, strict: bool = True) -> _IpNetwork | None:
    try:
        return ipaddress.ip_network(text, strict)
    except ValueError:
        return None


def _meant(text: str) -> str:
    """Return what may have been meant by a text that is no network, for the end of a sentence; empty where unknown."""
    near = _network(text, strict=False)
    if near is None:
        return ""
    return f"; {text} lies in {near}" if "/" in text else "; the length of its prefix is missing"


def _candidates(case: Case, side: _Side, networks: list[_IpNetwork]) -> tuple[list[Address], list[Finding]]:
    """Return the host's addresses in the networks; only the one that is named, where one is."""
    inside = list(dict.fromkeys(each for network in networks for each in _within(side.addresses, network)))
    if not side.named:
        return inside, [] if inside else [_none(case, side, networks)]
    wanted = _parsed(side.named)
    own = next((each for each in side.addresses if _parsed(each.address) == wanted), None)
    if wanted is None:
        why = "is no address, and a name is not looked up"
    elif own is None:
        why = f"is none of its own; it has: {_all(side.addresses)}"
    elif own not in inside:
        why = f"is in none of the networks that were asked for: {listed(networks)}"
    else:
        return [own], []
    return [], [
        case.error(
            "network_contradicts",
            side.host,
            f"the address of {side.host} that {side.by} gives, {side.named}, {why}.",
            f"Leave out {side.by} or migrate_network for this move, or let them agree.",
            address=side.named,
            networks=list(map(str, networks)),
            addresses=[each.address for each in side.addresses],
        )
    ]


def _none(case: Case, side: _Side, networks: list[_IpNetwork]) -> Finding:
    return case.error(
        "network_no_address",
        side.host,
        f"{side.host} has no address in {_any(networks)}; it has: {_all(side.addresses)}.",
        f"Give {side.host} an address there, or name in migrate_network one that both hosts are in.",
        networks=list(map(str, networks)),
        addresses=[each.address for each in side.addresses],
    )


def _apart(case: Case, side: _Side, mine: list[Address], theirs: list[Address]) -> Finding:
    return case.error(
        "network_no_address",
        side.host,
        f"none of the networks that were asked for has an address of both hosts: {case.source_name} has {_all(mine)},"
        f" {side.host} has {_all(theirs)}.",
        f"Give {side.host} an address in a network of {case.source_name}, or name in migrate_network one that both"
        " hosts are in.",
        networks=list(case.request.networks),
        addresses=[each.address for each in theirs],
    )


def _several(case: Case, side: _Side, inside: list[Address], network: _IpNetwork) -> t.Iterator[Finding]:
    if len(inside) > 1:
        yield case.warning(
            "network_several_addresses",
            side.host,
            f"{side.host} has {len(inside)} addresses in {network}: {_all(inside)}. The first that it lists is taken,"
            f" {inside[0].address}.",
            f"Name the right one with the host variable dom0_xen_address of {side.host}.",
            network=str(network),
            addresses=[each.address for each in inside],
            taken=inside[0].address,
        )


def _listens(case: Case, there: Address) -> t.Iterator[Finding]:
    wanted = case.request.listen_address
    if wanted and _parsed(wanted) != _parsed(there.address):
        yield case.error(
            "network_contradicts",
            case.request.destination,
            f"{_LISTEN} is {wanted}, and with migrate_network {case.request.destination} listens on {there.address}.",
            f"Leave out {_LISTEN} or migrate_network for this move.",
            address=wanted,
            networks=list(case.request.networks),
            addresses=[there.address],
        )


def _end(case: Case, address: Address) -> PlannedEnd:
    return PlannedEnd(address.address, LOOPBACK if case.same_host else address.interface)


def _interface(case: Case, facts: HostFacts | None, address: _IpAddress | None) -> str | None:
    """Return the interface that carries what comes to an address of this host, ``None`` where none has it."""
    own = facts.addresses if facts is not None and address is not None else ()
    found = next((each.interface for each in own if _parsed(each.address) == address), None)
    local = found is not None or (address is not None and address.is_loopback)
    return LOOPBACK if local and case.same_host else found


def _within(addresses: t.Iterable[Address], network: _IpNetwork) -> list[Address]:
    return [each for each in addresses if _lies(_parsed(each.address), network)]


def _lies(address: _IpAddress | None, network: _IpNetwork) -> bool:
    return address is not None and address in network


def _parsed(text: str) -> _IpAddress | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _all(addresses: t.Iterable[Address]) -> str:
    return listed(f"{each.address} ({each.interface})" for each in addresses)


def _any(networks: list[_IpNetwork]) -> str:
    return str(networks[0]) if len(networks) == 1 else f"any of {listed(networks)}"
