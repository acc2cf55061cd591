# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``molecule test`` over a copy of the collection: all scenarios that need no Xen, or those that are named."""

from __future__ import annotations

import subprocess
import sys

from ansible_collections.dom0.xen.tests.tools import tree
from ansible_collections.dom0.xen.tests.tools.places import BUILD, environment

# Scenarios whose name begins so run over real Xen.
LAB = "lab"


def main(arguments: list[str]) -> int:
    """Run the scenarios and return the exit code of molecule."""
    copied = tree.copy("molecule")
    scenarios = sorted(path.parent.name for path in copied.glob("extensions/molecule/*/molecule.yml"))
    if not scenarios:
        print("there are no scenarios in extensions/molecule")
        return 1
    if arguments:
        chosen = [f"--scenario-name={name}" for name in arguments]
    else:
        chosen = ["--all", *(f"--exclude={name}" for name in scenarios if name.startswith(LAB))]
    env = environment("molecule", ANSIBLE_COLLECTIONS_PATH=str(BUILD / "molecule"), NO_COLOR="1", ANSIBLE_NOCOLOR="1")
    return subprocess.run(
        ["molecule", "test", "--no-command-borders", *chosen],
        cwd=copied,
        env=env,
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
