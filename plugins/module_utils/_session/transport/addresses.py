# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a name of the destination means on this host (private to the collection)."""

from __future__ import annotations

import contextlib
import socket

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError


class NameUnknown(Dom0XenError):
    """The destination was given by a name that this host does not know."""

    code = "name_unknown"
    remedy = (
        "Give the destination an address that the source reaches it at: the host variable dom0_xen_address, or"
        " migrate_destination_address. Or have the source know the name (getent hosts NAME)."
    )


def numeric(address: str) -> str:
    """Return an address as it is, and for a name the first one that it has. Raises :class:`NameUnknown`.

    IPv4 goes before IPv6: for a name the receiver listens on all addresses of that kind.
    """
    reasons = []
    with contextlib.suppress(OSError, UnicodeError):
        socket.getaddrinfo(address, None, flags=socket.AI_NUMERICHOST)
        return address
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return str(socket.getaddrinfo(address, None, family, socket.SOCK_STREAM)[0][4][0])
        except (OSError, UnicodeError) as exc:
            reasons.append(str(exc))
    raise NameUnknown(f"{address} is no address, and no name that is known here: {reasons[0]}")
