# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts what ``_session/launch.py`` starts, with points put into it: the interpreter of the daemons in a campaign.

Called like the interpreter: ``-I -c CODE ROLE FOLDER DESCRIPTOR CODE_PATH``; and ``-I -c CODE CODE_PATH ...`` by the
daemons, for what stands for ``xl`` in a session.
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

from dom0_faults.inside.wraps import STAND_INS, wrap, wrap_stand_in  # noqa: E402


def main() -> None:
    """Run the process' own code."""
    isolated, dash_c, code, *arguments = sys.argv[1:]
    if (isolated, dash_c) != ("-I", "-c"):
        raise SystemExit(f"not how a session is started: {sys.argv[1:]}")
    paths = HostPaths.from_environment()
    faults = Faults(paths, lambda: None)

    def hit(point: str) -> None:
        faults.hit(point)

    name = next((name for name in STAND_INS if f"_session.stand_ins.{name} import" in code), None)
    if name is None:
        name = arguments[0]
        sys.path.insert(0, arguments[3])
        wrap(name, paths.root, hit)
    else:
        sys.path.insert(0, arguments[0])
        wrap_stand_in(name, paths.root, hit)
    sys.argv = ["-c", *arguments]
    hit(f"{name}.begin")
    try:
        exec(compile(code, "<launch>", "exec"), {"__name__": "__main__"})
    finally:
        hit(f"{name}.end")


main()
