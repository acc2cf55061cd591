# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait on the source until a stream has come as far as argument 1 (bytes); print the sender's status then."""

from __future__ import annotations

import glob
import json
import sys
import time

enough, deadline = int(sys.argv[1]), time.monotonic() + float(sys.argv[2])
while time.monotonic() < deadline:
    for path in glob.glob("/run/dom0-xen/*.sender/status.json"):
        try:
            with open(path) as file:
                status = json.load(file)
        except (OSError, ValueError):
            continue
        if status["phase"] == "streaming" and status["bytes"] >= enough:
            print(json.dumps(status))
            sys.exit(0)
        if status["phase"] not in ("starting", "admitted", "configuration", "streaming"):
            sys.exit("the stream was over before it was seen: {}".format(status["phase"]))
    time.sleep(0.1)
sys.exit("no stream was seen")
