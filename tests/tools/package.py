# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection, install the package into an empty folder, and look whether everything is in it, and works.

That is asked of a virtual environment that has ansible-core and nothing else, as a user has it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import shutil
import subprocess
import sys

from ansible_collections.dom0.xen.tests.tools import venvs
from ansible_collections.dom0.xen.tests.tools.places import BUILD

# Nothing outside these may be needed at run time, and none of the test benches belongs into the package.
UNWANTED = ("build", ".ci", ".git", ".venv", "tests/lab", "tests/double", "tests/bench", "tests/scale")
# Folders of plugins, and what ansible-doc calls what is in them.
DOCUMENTED = {"modules": "module", "callback": "callback", "connection": "connection", "inventory": "inventory"}

DIST = BUILD / "dist"


def _run(*command: str) -> str:
    # Only what has been installed from the package may answer; Ansible looks for collections along PYTHONPATH as well.
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    env["ANSIBLE_COLLECTIONS_PATH"] = str(DIST)
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env).stdout


def main() -> int:
    """Return 0 when the package holds all plugins and roles, each with documentation, and nothing it should not."""
    here = pathlib.Path.cwd()
    shutil.rmtree(DIST, ignore_errors=True)
    _run("ansible-galaxy", "collection", "build", "--output-path", str(DIST))
    (package,) = DIST.glob("dom0-xen-*.tar.gz")
    programs = venvs.prepare("package", [f"ansible-core=={importlib.metadata.version('ansible-core')}"]) / "bin"
    galaxy, doc = str(programs / "ansible-galaxy"), str(programs / "ansible-doc")
    _run(galaxy, "collection", "install", "--offline", "--collections-path", str(DIST), str(package))
    installed = DIST / "ansible_collections" / "dom0" / "xen"

    problems = [f"{name} is in the package" for name in UNWANTED if (installed / name).exists()]
    for folder, kind in DOCUMENTED.items():
        there = {f"dom0.xen.{path.stem}" for path in (here / "plugins" / folder).glob("[!_]*.py")}
        listed = set(json.loads(_run(doc, "--type", kind, "--list", "--json", "dom0.xen")))
        problems += [f"{name} ({kind}) has no documentation" for name in sorted(there - listed)]
        shown = json.loads(_run(doc, "--type", kind, "--json", *sorted(there)))
        problems += [f"{name} ({kind}) is not shown by ansible-doc" for name in sorted(there - shown.keys())]
    roles = {f"dom0.xen.{path.name}" for path in (here / "roles").iterdir()}
    shown = json.loads(_run(doc, "--type", "role", "--json", *sorted(roles)))
    problems += [f"the role {name} is not shown by ansible-doc" for name in sorted(roles - shown.keys())]
    for kind in ("roles", "playbooks"):
        for path in sorted((here / kind).glob("*")):
            if not (installed / kind / path.name).exists():
                problems.append(f"{kind}/{path.name} is not in the package")
    playbooks = [f"dom0.xen.{path.stem}" for path in sorted((here / "playbooks").glob("*.yml"))]
    for playbook in playbooks:
        _run(str(programs / "ansible-playbook"), "--syntax-check", playbook)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
