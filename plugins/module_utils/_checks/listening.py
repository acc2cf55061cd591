# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which address of the destination does the receiver listen? (pure; private to the collection)"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import identity
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, listed
from ansible_collections.dom0.xen.plugins.module_utils._transports import SSH

ANY_IPV4 = "0.0.0.0"
ANY_IPV6 = "::"

_IpAddress = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


def address(case: Case, to: str) -> str:
    """Return the address to listen on when the source connects to ``to``.

    What the caller says; else that very address if the host has it, and for a name the one of its addresses, as the
    source looks it up, that the host has. Else, as behind a translation of addresses, any of their kind.
    """
    if case.request.listen_address:
        return case.request.listen_address
    wanted, here = _wanted(case, to)
    if len(here) == 1:
        return here[0]
    # On all IPv6 addresses a receiver is not reached over IPv4 everywhere (net.ipv6.bindv6only).
    return ANY_IPV6 if wanted and all(found.version == 6 for found in wanted) else ANY_IPV4


def narrow(case: Case) -> t.Iterator[Finding]:
    """It is one address, and not all that the host has: whoever reaches another one has no business with the move.

    Over ssh it is the loopback one, and in a network that was asked for the host's own. What a name means is told only
    where the source has looked it up.
    """
    request, host = case.request, case.request.destination
    to, named = request.destination_address, _parsed(request.destination_address) is None
    if not to or request.transport == SSH or request.networks or request.listen_address:
        return
    if case.destination is None or identity.already_there(case) is not None or (named and request.looked_up is None):
        return
    if address(case, to) not in (ANY_IPV4, ANY_IPV6):
        return
    wanted, here = _wanted(case, to)
    own = [entry.address for entry in case.destination.addresses]
    if not wanted:
        why = f"{case.source_name} knows no address of the name {to}"
    elif here:
        why = f"the name {to} means several of them on {case.source_name} ({listed(here)})"
    else:
        why = f"{case.source_name} connects to {listed(wanted)}, and {host} has {listed(own)}"
    yield case.warning(
        "listens_on_all",
        host,
        f"the receiver listens on all addresses of {host} while the move lasts: {why}.",
        f"Set migrate_listen_address to the address of {host} at which the source's connections arrive; or give"
        f" {host} the variable dom0_xen_address with one of its own, if {case.source_name} reaches that.",
        address=to,
        addresses=own,
    )


def _wanted(case: Case, to: str) -> tuple[list[_IpAddress], list[str]]:
    """Return the addresses that the source may connect to, and those of them that the destination has."""
    named = _parsed(to)
    looked_up = case.request.looked_up if to == case.request.destination_address else None
    wanted = [named] if named else [found for found in map(_parsed, looked_up or ()) if found]
    own = {entry.address for entry in case.destination.addresses} if case.destination else set()
    return wanted, [str(found) for found in wanted if found.is_loopback or str(found) in own]


def _parsed(text: str) -> _IpAddress | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
