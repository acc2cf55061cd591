# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses a name has for this host (private to the collection)."""

from __future__ import annotations

import socket
import threading

# Name servers that are silent are waited for half a minute; what is not known by then is not needed.
LIMIT_S = 5.0


def addresses_of(name: str, limit_s: float = LIMIT_S) -> tuple[str, ...]:
    """Return the addresses that a connection to ``name`` would try, in that order, each once.

    An address is its own; for a name that nobody knows, or not within ``limit_s`` seconds, there are none.
    """
    found: list[str] = []

    def look_up() -> None:
        try:
            told = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(str(entry[4][0]) for entry in told)

    if name:
        # Not joined when it takes longer: nothing ends a lookup but the resolver itself.
        looking = threading.Thread(target=look_up, daemon=True)
        looking.start()
        looking.join(limit_s)
    return tuple(dict.fromkeys(found))
