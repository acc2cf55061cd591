# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait on the source until the sender's gate says argument 1, ``waits`` or ``tasks_started``; argument 2: seconds.

One process that looks again and again costs an emulated host less than a new one for each look.
"""

from __future__ import annotations

import glob
import json
import sys
import time


def told() -> bool:
    """Whether a sender here says so."""
    for path in glob.glob("/run/dom0-xen/*.sender/status.json"):
        try:
            with open(path) as file:
                if json.load(file)["gate"][sys.argv[1]]:
                    return True
        except FileNotFoundError:
            continue
    return False


deadline = time.monotonic() + float(sys.argv[2])
while not told():
    # Nobody else ends it on the host when the run that it watches has ended.
    if time.monotonic() > deadline:
        sys.exit("the gate did not say so")
    time.sleep(0.5)
