# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions of ``antsibull-nox.toml`` over a copy of the collection; each has an environment of its own.

Arguments are those of nox: ``--list``, or ``--session NAME`` for some of them.
"""

from __future__ import annotations

import os
import subprocess
import sys

from ansible_collections.dom0.xen.tests.tools import tree, venvs
from ansible_collections.dom0.xen.tests.tools.places import BUILD, environment

NAME = "nox"
REQUIREMENTS = ("nox>=2025.2.9", "antsibull-nox>=1.10")


def main(arguments: list[str]) -> int:
    """Run the sessions that need no container, or what the arguments name; return the exit status of nox."""
    venv = venvs.prepare(NAME, REQUIREMENTS)
    copied = tree.copy(NAME)
    # In CI a session that formats says what it would change, and changes nothing.
    env = environment(NAME, interpreters=True, CI="true", NO_COLOR="1", ANSIBLE_NOCOLOR="1")
    env["PATH"] = os.pathsep.join([str(venv / "bin"), env["PATH"]])
    command = [str(venv / "bin" / "python"), "-m", "nox", "--envdir", str(BUILD / NAME / "sessions"), *arguments]
    return subprocess.run(command, cwd=copied, env=env, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
