# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between which addresses a connection runs, as its socket says (private to the collection)."""

from __future__ import annotations

import ipaddress
import socket
import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Ends:
    """The addresses of this host and of the peer, each as :mod:`ipaddress` writes it."""

    local: str
    peer: str


def of_socket(sock: socket.socket) -> Ends | None:
    """Return the ends of a connected TCP socket, ``None`` for another kind, or when the peer has gone already."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        return between(sock.getsockname(), sock.getpeername())
    except OSError:
        return None


def between(local: t.Sequence[t.Any], peer: t.Sequence[t.Any]) -> Ends:
    """Return the ends of a connection between two addresses as the socket module writes them."""
    return Ends(_plain(local[0]), _plain(peer[0]))


def _plain(address: str) -> str:
    # Python 3.8 knows no zones, and a socket that listens on "::" sees IPv4 as ::ffff:192.0.2.1.
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)
