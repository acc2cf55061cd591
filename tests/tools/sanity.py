# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``ansible-test sanity`` over a copy of the collection, with every Python of this machine and no ignore file."""

from __future__ import annotations

import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys

from ansible_collections.dom0.xen.tests.tools import tree
from ansible_collections.dom0.xen.tests.tools.places import BUILD, environment

HOME = "sanity"


def place_get_pip() -> None:
    """Put our stand-in where ansible-test would keep the script it downloads; its name carries the version of pip."""
    found = importlib.util.find_spec("ansible_test")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("ansible-test is not installed: make setup")
    source = pathlib.Path(found.submodule_search_locations[0]) / "_internal" / "python_requirements.py"
    cache = BUILD / "home" / HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    stand_in = pathlib.Path(__file__).with_name("get_pip.py")
    for version in set(re.findall(r"pip='([0-9.]+)'", source.read_text(encoding="utf-8"))):
        shutil.copyfile(stand_in, cache / f"get_pip_{version.replace('.', '_')}.py")


def main(arguments: list[str]) -> int:
    """Run the sanity tests named by ``arguments``, or all of them, and return the exit code of ansible-test."""
    copied = tree.copy("sanity")
    ignored = sorted((copied / "tests" / "sanity").glob("ignore*.txt"))
    if ignored:
        print(f"there must be no ignore files: {', '.join(path.name for path in ignored)}")
        return 1
    env = environment(HOME, interpreters=True)
    place_get_pip()
    command = ["ansible-test", "sanity", "--local", "--color", "no", *arguments]
    return subprocess.run(command, cwd=copied, env=env, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
