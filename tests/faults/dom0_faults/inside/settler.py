# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does on a host what ``migration_settle`` and ``host_info`` do there, request by request, with points put into it.

A request and an answer are a line of JSON each; the first request has ``code``, the path of the collection.
"""

from __future__ import annotations

import json
import pathlib
import sys

_TESTS = pathlib.Path(__file__).resolve().parents[3]
for _folder in ("double", "faults"):
    sys.path.append(str(_TESTS / _folder))
sys.path.insert(0, json.loads(sys.stdin.readline())["code"])

# Found only now: this file is started by its path, with no path of the tests or the collection.
from dom0_double.faults import Faults  # noqa: E402
from dom0_double.paths import HostPaths  # noqa: E402

from dom0_faults.inside.asked import answer  # noqa: E402
from dom0_faults.inside.wraps import wrap_settler  # noqa: E402

_PATHS = HostPaths.from_environment()
_FAULTS = Faults(_PATHS, lambda: None)


def main() -> None:
    """Answer requests until there are none."""
    wrap_settler(_PATHS.root, lambda point: void(_FAULTS.hit(point)))
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def void(dummy: object) -> None:
    """Return nothing."""


main()
