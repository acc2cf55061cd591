# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Be the transport of an xl migrate that goes nowhere: write what xl sends to the file of argument 1.

xl waits for an answer when it has sent the domain; it gets none, and resumes the guest (tools/xl/xl_migrate.c).
"""

from __future__ import annotations

import os
import select
import sys

BANNER = b"xl migration receiver ready, send binary domain data.\n"
# Between two rounds xl may be silent for a while, and before the configuration there is nothing yet.
SILENT_S, LEAST = 30, 1 << 20

os.write(1, BANNER)
size = 0
with open(sys.argv[1], "wb") as file:
    while select.select([0], [], [], SILENT_S)[0] or size < LEAST:
        data = os.read(0, 1 << 20)
        if not data:
            break
        file.write(data)
        size += len(data)
