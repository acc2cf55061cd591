# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the collection's playbooks against the lab, as a user would."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TRIED = ("plugins", "roles", "playbooks", "tests/lab", "tests/faults")
CONFIG = ROOT / "tests" / "lab" / "ansible.cfg"


@dataclass(frozen=True)
class Run:
    """A playbook run that has ended."""

    status: int
    output: str


def command(playbook: str, inventory: Path, variables: Mapping[str, str], options: Sequence[str] = ()) -> list[str]:
    """The command line, as it is shown and run."""
    extra = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
    return ["ansible-playbook", "-i", shown(inventory), playbook, *extra, *options]


def revision() -> str:
    """The commit that is checked out; empty outside a repository."""
    return _git("rev-parse", "HEAD")


def turn() -> int:
    """Return a number that changes with each commit; 0 outside a repository."""
    return int(revision()[:8] or "0", 16)


def tried() -> str:
    """What a run in the lab tries out, whatever else a commit changes: the names of the trees.

    Empty outside a repository, and where something in them is not committed: that has no name.
    """
    if _git("status", "--porcelain", "--", *TRIED):
        return ""
    return _git("rev-parse", *(f"HEAD:{folder}" for folder in TRIED))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def shown(path: Path) -> str:
    """A path as a person types it: from the top of the checkout."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def environment(**more: str) -> dict[str, str]:
    """The environment of a run: this checkout's collection and nobody else's, the lab's settings."""
    result = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    result.update(
        ANSIBLE_COLLECTIONS_PATH=str(ROOT / "build" / "collections"),
        ANSIBLE_CONFIG=str(CONFIG),
        ANSIBLE_HOME=str(ROOT / "build" / "home" / "ansible"),
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        LC_ALL="C.UTF-8",
    )
    result.update(more)
    return result


def start(argv: Sequence[str], **more: str) -> subprocess.Popen[str]:
    """Start a playbook; its output comes through ``stdout``."""
    return subprocess.Popen(
        argv,
        cwd=ROOT,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(argv: Sequence[str], *, echo: bool = False, **more: str) -> Run:
    """Run a playbook to its end, showing the output as it comes with ``echo``."""
    if echo:
        print(f"\n$ {shlex.join(argv)}\n", flush=True)
    process = start(argv, **more)
    lines: list[str] = []
    try:
        for line in process.stdout or ():
            lines.append(line)
            if echo:
                print(f"  {line}", end="", flush=True)
    except BaseException:
        process.terminate()
        raise
    finally:
        status = process.wait()
    return Run(status, "".join(lines))
