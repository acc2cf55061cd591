# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection, install the package into an empty folder, and look whether everything is in it."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys

from ansible_collections.dom0.xen.tests.tools.places import BUILD

# Nothing outside these may be needed at run time, and none of the test benches belongs into the package.
UNWANTED = ("build", ".ci", ".git", ".venv", "tests/lab", "tests/double", "tests/bench")


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> int:
    """Return 0 when the package holds all modules and roles, each with documentation, and nothing it should not."""
    here = pathlib.Path.cwd()
    dist = BUILD / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    _run("ansible-galaxy", "collection", "build", "--output-path", str(dist))
    (package,) = dist.glob("dom0-xen-*.tar.gz")
    _run("ansible-galaxy", "collection", "install", "--offline", "--collections-path", str(dist), str(package))
    installed = dist / "ansible_collections" / "dom0" / "xen"

    problems = [f"{name} is in the package" for name in UNWANTED if (installed / name).exists()]
    modules = {f"dom0.xen.{path.stem}" for path in (here / "plugins" / "modules").glob("[!_]*.py")}
    if modules:
        listing = _run("ansible-doc", "--playbook-dir", str(dist), "--list", "--json", "dom0.xen")
        problems += [f"{name} has no documentation" for name in sorted(modules - set(json.loads(listing)))]
    for kind in ("roles", "playbooks"):
        for path in sorted((here / kind).glob("*")):
            if not (installed / kind / path.name).exists():
                problems.append(f"{kind}/{path.name} is not in the package")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
