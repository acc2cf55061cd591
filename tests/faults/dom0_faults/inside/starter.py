# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts one side of a session as its module does; runs on a host with the interpreter of modules.

Reads a request of :mod:`asked` and ``code``, the path of the collection. Writes what the daemon told.
"""

from __future__ import annotations

import json
import pathlib
import sys

document = json.load(sys.stdin)
sys.path[:0] = [document["code"], str(pathlib.Path(__file__).resolve().parents[2])]

# Found only now: this file is started by its path, with no path of the tests or the collection.
from dom0_faults.inside.asked import answer  # noqa: E402

print(json.dumps(answer({"do": "start", **document})))
