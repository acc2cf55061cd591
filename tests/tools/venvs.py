# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments for tools that would disturb ``.venv``, such as by older releases of what is in it."""

from __future__ import annotations

import hashlib
import pathlib
import subprocess
import sys
import typing as t

from ansible_collections.dom0.xen.tests.tools.places import BUILD


def prepare(name: str, requirements: t.Sequence[str], interpreter: str = sys.executable) -> pathlib.Path:
    """Make ``build/NAME/venv`` with what pip takes as requirements, and return that folder. Quick when it is there.

    ``interpreter`` is a Python that can make virtual environments, as a rule the one that runs this. A failure ends
    the program with the last lines of pip.
    """
    folder = BUILD / name / "venv"
    # An interpreter is asked what it is: the same path may hold another one some day.
    release = subprocess.run([interpreter, "-VV"], check=True, capture_output=True, text=True).stdout
    wanted = hashlib.sha256("\n".join([interpreter, release, *requirements]).encode()).hexdigest()
    python, mark = folder / "bin" / "python", folder / ".requirements"
    if mark.exists() and mark.read_text(encoding="utf-8") == wanted and _works(python):
        return folder
    print(f"{name}: making {folder.relative_to(BUILD.parent)}", flush=True)
    subprocess.run([interpreter, "-m", "venv", "--clear", str(folder)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
    made = subprocess.run(install, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if made.returncode:
        raise SystemExit(f"{name}: pip has failed.\n" + "\n".join(made.stdout.splitlines()[-20:]))
    mark.write_text(wanted, encoding="utf-8")
    return folder


def _works(python: pathlib.Path) -> bool:
    try:
        return subprocess.run([python, "-c", "pass"], check=False).returncode == 0
    except OSError:
        return False
