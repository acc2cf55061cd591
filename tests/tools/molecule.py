# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``molecule test`` over a copy of the collection: all scenarios that need no Xen, or those that are named."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess
import sys

from ansible_collections.dom0.xen.tests.tools import tree
from ansible_collections.dom0.xen.tests.tools.places import BUILD, environment

# Scenarios whose name begins so run over real Xen.
LAB = "lab"
HOME = "molecule"


def _interrupted(number: int, dummy: object) -> None:
    raise SystemExit(128 + number)


def _lab_cache() -> pathlib.Path:
    """Return the folder of the lab's images, which is found by way of the home that molecule does not get."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("DOM0_XEN_LAB_CACHE") or pathlib.Path(base, "dom0-xen-lab"))


def _clear(copied: pathlib.Path) -> None:
    """Remove what an interrupted run has left: hosts, whose processes outlive molecule, and its notes on them."""
    double, state = copied / "tests" / "double" / "double", copied / "build" / "double"
    if double.exists() and state.exists():
        subprocess.run([double, "down", "--state", state], capture_output=True, check=False)
        shutil.rmtree(state, ignore_errors=True)
    lab, state = copied / "tests" / "lab" / "lab", copied / "build" / "lab"
    if lab.exists() and state.exists():
        subprocess.run([lab, "down"], capture_output=True, check=False)
    shutil.rmtree(BUILD / "home" / HOME / ".ansible" / "tmp", ignore_errors=True)


def _molecule(copied: pathlib.Path, env: dict[str, str], *arguments: str) -> int:
    """Run molecule and return its exit code; when this process is to end, end molecule's whole group first."""
    process = subprocess.Popen(
        ["molecule", *arguments], cwd=copied, env=env, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        raise


def main(arguments: list[str]) -> int:
    """Run the scenarios and return the exit code of molecule."""
    copied = tree.copy(HOME)
    scenarios = sorted(path.parent.name for path in copied.glob("extensions/molecule/*/molecule.yml"))
    if not scenarios:
        print("there are no scenarios in extensions/molecule")
        return 1
    if arguments:
        chosen = [f"--scenario-name={name}" for name in arguments]
    else:
        chosen = ["--all", *(f"--exclude={name}" for name in scenarios if name.startswith(LAB))]
    env = environment(
        HOME,
        ANSIBLE_COLLECTIONS_PATH=str(BUILD / "molecule"),
        DOM0_XEN_LAB_CACHE=str(_lab_cache()),
        NO_COLOR="1",
        ANSIBLE_NOCOLOR="1",
    )
    signal.signal(signal.SIGTERM, _interrupted)
    _clear(copied)
    try:
        return _molecule(copied, env, "test", "--no-command-borders", *chosen)
    finally:
        _clear(copied)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
