# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Will the network that a card of the domain finds at the destination do? (pure; private to the collection)

That its bridge is there is told by :mod:`devices`. Which VLANs reach a bridge is nowhere to be seen on a host.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import another
from ansible_collections.dom0.xen.plugins.module_utils._checks.devices import bridge_of, script_of
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, listed

CardConfig = t.Mapping[str, t.Any]

# What tools/hotplug/Linux/vif-common.sh dom0_ip takes where no device is named.
# What Xen's own script takes where no gatewaydev is given (vif-common.sh dom0_ip), and where packages put that script.
_GATEWAY = "eth0"
_ROUTING = "vif-route"
_OWN_PLACES = ("", "/etc/xen/scripts")
# Values that libxl gives a card which was given none, up to 4.14 and since (libxl_nic.c libxl__device_nic_setdefault).
_NO_MTU = (None, 0, 1492, 1500)


def _elsewhere(case: Case) -> bool:
    return case.domain is not None and case.domain.domid != 0 and case.destination is not None and not case.same_host


def gateways(case: Case) -> t.Iterator[Finding]:
    """The device that a routed card's packets go over has an address there (vif-common.sh dom0_ip).

    Any IPv4 address does for Xen's own script, one of the link too; what somebody else's needs nobody knows.
    """
    if not _elsewhere(case) or case.destination is None:
        return
    host, addresses, ipv4 = case.request.destination, case.destination.addresses, case.destination.equipment.ipv4
    if not addresses and not ipv4:
        return
    name = case.domain.name if case.domain else ""
    for number, card in enumerate(case.arriving.get("nics") or ()):
        folder, dummy, script = str(card.get("script") or "").rpartition("/")
        xens = script == _ROUTING and folder in _OWN_PLACES
        device = str(card.get("gatewaydev") or (_GATEWAY if xens else ""))
        served = card.get("backend_domid") or card.get("backend_domname")
        if served or not device or not (xens or _own(script)):
            continue
        if device in ipv4 or any(entry.interface == device and "." in entry.address for entry in addresses):
            continue
        which = f"network card {card.get('devid', number)} of {name} is routed over {device} of dom0"
        has = listed(f"{entry.address} at {entry.interface}" for entry in addresses)
        found = {"gatewaydev": device, "addresses": [entry.to_result() for entry in addresses]}
        if xens and ipv4:
            yield case.error(
                "gateway_missing",
                host,
                f"{which}, at which {host} has no IPv4 address; it has {has}.",
                f"Give {device} on {host} its address, or start the domain with gatewaydev= of a device that all hosts"
                " have.",
                **found,
            )
        else:
            why = f"its facts do not tell addresses of the link (169.254.0.0/16) at {device}"
            if not xens:
                why = f"what the script {script} needs of {device} is not known here"
            yield case.warning(
                "gateway_unchecked",
                host,
                f"{which}; of IPv4 addresses that others can reach {host} has none there, and {why}.",
                f"See that {device} on {host} is as on {case.source_name} (`ip address show dev {device}`): if the"
                f" script fails, xl there cannot attach the card, and {name} stays where it is.",
                script=script,
                **found,
            )


def _own(script: str) -> bool:
    """Say whether a script is none of those that Xen brings along, of which only one looks at the gateway device."""
    return bool(script) and script not in ("vif-bridge", "vif-openvswitch", "vif-nat", "vif-setup", "colo-proxy-setup")


def frames(case: Case) -> t.Iterator[Finding]:
    """Its bridge takes frames as long as here: a card has the bridge's MTU (xen-network-common.sh set_mtu)."""
    if not _elsewhere(case) or case.source is None or case.destination is None:
        return
    before, after = case.source.equipment.mtus, case.destination.equipment.mtus
    running = {card.get("mac"): card for card in case.config.get("nics") or ()}
    for number, card in enumerate(another.arrival(case).arriving.get("nics") or ()):
        here = _own_mtu(before, running.get(card.get("mac")))
        there = _own_mtu(after, card)
        if here and there and there < here:
            yield case.warning(
                "mtu_smaller",
                case.request.destination,
                f"the bridge {card.get('bridge')} of {case.request.destination} has an MTU of {there}, and that of"
                f" {case.source_name} {here}: longer frames of network card {card.get('devid', number)} of"
                f" {case.domain.name if case.domain else ''} are lost there, since its guest goes on with what it had.",
                "Give both bridges the same MTU (`ip link set dev BRIDGE mtu NUMBER`, and in their configuration).",
                source=here,
                destination=there,
            )


def _own_mtu(mtus: t.Mapping[str, int], card: CardConfig | None) -> int | None:
    """Return the MTU that a card has from its bridge, None where that is another one's or not known."""
    if card is None or card.get("mtu") not in _NO_MTU or script_of(card) not in ("", "vif-bridge"):
        return None
    bridge = bridge_of(card)
    return mtus.get(bridge) if bridge else None


def addresses(case: Case) -> t.Iterator[Finding]:
    """No other domain there has the address of one of its cards."""
    if not _elsewhere(case) or case.destination is None or case.domain is None:
        return
    rows = {row.domid: row for row in case.destination.domains}
    for number, card in enumerate(case.config.get("nics") or ()):
        for seen in case.destination.equipment.cards:
            row = rows.get(seen.domid)
            # Copies of the domain itself are told as such.
            if row is None or row.uuid == case.domain.uuid or seen.mac.lower() != str(card.get("mac")).lower():
                continue
            yield case.warning(
                "mac_taken",
                case.request.destination,
                f"network card {card.get('devid', number)} of {case.domain.name} has the MAC address {seen.mac}, and so"
                f" has one of {row.name} on {case.request.destination}: in one network, either gets what is for the"
                " other.",
                "Unless they are in networks that do not meet, give one of them another address (mac= in its"
                " configuration file) and start it anew.",
                mac=seen.mac,
                domain=row.name,
                domid=row.domid,
            )
