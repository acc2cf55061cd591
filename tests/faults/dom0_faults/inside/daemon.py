# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts what ``_session/launch.py`` starts, with points put into it: the interpreter of the daemons in a campaign.

Called like the interpreter: ``-I -c CODE ROLE FOLDER DESCRIPTOR CODE_PATH``.
"""

from __future__ import annotations

import pathlib
import sys

_TESTS = pathlib.Path(__file__).resolve().parents[3]
for _folder in ("double", "faults"):
    sys.path.append(str(_TESTS / _folder))

# Found only now: this file is started by its path, with no path of the tests or the collection.
from dom0_double.faults import Faults  # noqa: E402
from dom0_double.paths import HostPaths  # noqa: E402

from dom0_faults.inside.wraps import wrap  # noqa: E402


def main() -> None:
    """Run the daemon's own code."""
    isolated, dash_c, code, *arguments = sys.argv[1:]
    if (isolated, dash_c) != ("-I", "-c"):
        raise SystemExit(f"not how a session is started: {sys.argv[1:]}")
    paths = HostPaths.from_environment()
    faults = Faults(paths, lambda: None)
    role = arguments[0]

    def hit(point: str) -> None:
        faults.hit(point)

    sys.path.insert(0, arguments[3])
    wrap(role, paths.root, hit)
    sys.argv = ["-c", *arguments]
    hit(f"{role}.begin")
    exec(compile(code, "<launch>", "exec"), {"__name__": "__main__"})
    hit(f"{role}.end")


main()
