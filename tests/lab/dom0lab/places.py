# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab keeps its files, and the names made from what goes into them."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

LAB_ROOT = Path(__file__).resolve().parent.parent
PROJECT_ROOT = LAB_ROOT.parent.parent


def cache_root() -> Path:
    """Folder for what is expensive to make: DOM0_XEN_LAB_CACHE, else the user's cache folder."""
    chosen = os.environ.get("DOM0_XEN_LAB_CACHE")
    if chosen:
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache").absolute() / "dom0-xen-lab"


def state_root() -> Path:
    """Folder of the running lab: DOM0_XEN_LAB_STATE, else build/lab of this checkout."""
    chosen = os.environ.get("DOM0_XEN_LAB_STATE")
    return Path(chosen).absolute() if chosen else PROJECT_ROOT / "build" / "lab"


def digest(parts: Iterable[str | bytes]) -> str:
    """16 hex digits that change when any part, or the border between two parts, changes."""
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        sha.update(len(data).to_bytes(8, "big") + data)
    return sha.hexdigest()[:16]


def folder_parts(folder: Path) -> list[bytes]:
    """Path, execute permission and content of every file below ``folder``, in a fixed order, as parts for digest."""
    parts: list[bytes] = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = str(path.relative_to(folder)).encode()
        parts += [name, b"x" if os.access(path, os.X_OK) else b"-", path.read_bytes()]
    return parts


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time; the others wait. The lock goes with the process that holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def mark_used(folders: Iterable[Path]) -> None:
    """Note in the folders' times that they are in use, for prune_cache."""
    for folder in folders:
        if folder.is_dir():
            os.utime(folder)


def prune_cache(days: float) -> list[str]:
    """Remove what has not been used for ``days`` (0: everything), and what killed builds left; returns the names."""
    removed: list[str] = []
    for folder in sorted(cache_root().glob("*")) if cache_root().is_dir() else []:
        unfinished = (
            folder.name.startswith(".building-") and not Path(f"/proc/{folder.name.rpartition('-')[2]}").exists()
        )
        old = not folder.name.startswith(".") and time.time() - folder.stat().st_mtime > days * 86400
        if folder.is_dir() and (old or unfinished):
            shutil.rmtree(folder)
            removed.append(folder.name)
    return removed
