# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try a TCP connection to each of the ports that follow the address; print what came of it, as JSON by port.

``open``; ``closed``, which its host has said; or ``silent``: nothing has come back.
"""

from __future__ import annotations

import json
import socket
import sys

PATIENCE_S = 5.0


def knock(address: str, port: int) -> str:
    """Try once."""
    try:
        with socket.create_connection((address, port), timeout=PATIENCE_S):
            return "open"
    except ConnectionRefusedError:
        return "closed"
    except TimeoutError:
        return "silent"


address, *ports = sys.argv[1:]
print(json.dumps({port: knock(address, int(port)) for port in ports}))
