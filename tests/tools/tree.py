# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the collection as a real folder, for tools that do not work in the checkout."""

from __future__ import annotations

import fcntl
import os
import pathlib
import subprocess

from ansible_collections.dom0.xen.tests.tools.places import BUILD, ROOT

# Where there is no git to ask (a release tarball), what .gitignore names.
UNWANTED = (".git", ".venv*", "build", ".ansible", "__pycache__", ".*_cache", ".cache", ".hypothesis")


def copy(name: str) -> pathlib.Path:
    """Copy what git tracks or would track to ``build/NAME/ansible_collections/dom0/xen`` and return that path.

    The copy is a repository of its own, without a commit: else tools ask the checkout's, which ignores ``build``.
    """
    _take_turns(name)
    destination = BUILD / name / "ansible_collections" / "dom0" / "xen"
    destination.mkdir(parents=True, exist_ok=True)
    command = [
        "rsync",
        "--archive",
        "--delete",
        "--delete-excluded",
        "--filter=P /build/",
        "--filter=P /.git/",
        "--exclude=/tests/output",
    ]
    command += ["--exclude=*.pyc"]
    if not (ROOT / ".git").exists():
        command += [f"--exclude={pattern}" for pattern in UNWANTED]
        subprocess.run([*command, f"{ROOT}/", f"{destination}/"], check=True)
        return _repository(destination)
    ask = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(ask, cwd=ROOT, check=True, capture_output=True).stdout
    present = [name for name in listing.split(b"\0") if name and (ROOT / name.decode()).exists()]
    # rsync deletes only inside folders it is told to copy, so the copy is made beside the old one and compared.
    staging = BUILD / name / "staging"
    subprocess.run(["rm", "-rf", str(staging)], check=True)
    stage = ["rsync", "--archive", "--from0", "--files-from=-", f"{ROOT}/", f"{staging}/"]
    subprocess.run(stage, check=True, input=b"\0".join(present))
    subprocess.run([*command, f"{staging}/", f"{destination}/"], check=True)
    subprocess.run(["rm", "-rf", str(staging)], check=True)
    return _repository(destination)


def _take_turns(name: str) -> None:
    """Wait for another run that uses the same copy; the lock goes with this process."""
    BUILD.mkdir(exist_ok=True)
    lock = os.open(BUILD / f"{name}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    fcntl.flock(lock, fcntl.LOCK_EX)


def _repository(path: pathlib.Path) -> pathlib.Path:
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(path)], check=True)
    return path
