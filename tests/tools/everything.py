# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All targets that need no Xen, two at a time; their whole output is kept in ``build/test``.

Arguments are for the unit tests.
"""

from __future__ import annotations

import os
import shlex
import sys

from ansible_collections.dom0.xen.tests.tools.checks import Check, run_all
from ansible_collections.dom0.xen.tests.tools.places import BUILD, ROOT

# The longest first, two at a time.
TARGETS = ("unit", "sanity", "molecule", "contract", "galaxy", "lint", "docs")
# The unit tests outlast all others together, and much of their time is waiting.
JOBS = {"unit": "2"}


def main() -> int:
    """Run the targets and return 0 when all of them passed."""
    env = dict(os.environ)
    # What make tells its children about its own jobs is not meant for these.
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "ARGS"):
        env.pop(name, None)
    arguments = {"unit": shlex.join(sys.argv[1:])}
    checks = [
        Check(
            name,
            ("make", "--no-print-directory", name),
            ROOT,
            {**env, "JOBS": JOBS.get(name, "1"), "ARGS": arguments.get(name, "")},
        )
        for name in TARGETS
    ]
    return run_all(checks, logs=BUILD / "test")


if __name__ == "__main__":
    sys.exit(main())
