# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs of AWX once more, with the oldest release of ansible-core that is supported, on the oldest Python for it.

``make unit`` runs them with the newest one. They are what a controller that is not new does differently, if anything:
ansible-runner, survey answers, events, artifacts, cancel. Arguments are for pytest; a file names other tests.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import typing as t

from ansible_collections.dom0.xen.tests.tools import venvs
from ansible_collections.dom0.xen.tests.tools.places import COLLECTIONS, ROOT, python_folders

NAME = "oldest"
PYTHON, CORE = "3.11", "ansible-core~=2.19.14"
# What these tests run, of what all tests run. The linters and the planner's solver are tried with the newest core.
NEEDED = (
    *("ansible-runner", "cryptography", "paramiko", "prometheus-client", "zstandard"),
    *("pytest", "pytest-timeout", "pytest-xdist", "pyxs"),
)
TESTS = ("tests/unit/playbooks/test_awx_jobs.py",)


def requirements(lines: t.Iterable[str]) -> list[str]:
    """Return what is to be installed, with the bounds that ``tests/requirements.txt`` has. Raises KeyError."""
    bounds = {re.split(r"[<>=~;\s]", line, maxsplit=1)[0]: line.strip() for line in lines if line[:1].isalpha()}
    return [CORE, *(bounds[name] for name in NEEDED)]


def interpreter() -> str:
    """Return the path of a Python of that version. Ends the program where there is none."""
    found = [pathlib.Path(folder) / f"python{PYTHON}" for folder in python_folders()]
    path = next((path for path in found if path.exists()), None)
    if path is None:
        raise SystemExit(f"{NAME}: there is no Python {PYTHON} with venv here. It is that of Debian 12.")
    return str(path)


def main(arguments: list[str]) -> int:
    """Run the tests and return the exit status of pytest."""
    lines = (ROOT / "tests" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    python = venvs.prepare(NAME, requirements(lines), interpreter()) / "bin" / "python"
    tests = [] if any(argument.startswith("tests/") for argument in arguments) else TESTS
    command = [str(python), "-m", "pytest", "-q", "-n", os.environ.get("JOBS", "2"), *tests, *arguments]
    env = {**os.environ, "PYTHONPATH": str(COLLECTIONS), "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
    told = subprocess.run(
        [str(python), "-m", "ansible.cli.adhoc", "--version"], check=True, capture_output=True, text=True, env=env
    )
    print(told.stdout.splitlines()[0], f"on Python {PYTHON}", flush=True)
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
