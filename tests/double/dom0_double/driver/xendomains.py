# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host does with its domains when it boots: ``xendomains start`` (Debian's /etc/init.d/xendomains)."""

from __future__ import annotations

import pathlib
import typing as t

from ..paths import HostPaths
from ..xl.config import BadConfig, parse


class Done(t.Protocol):
    """How a command ended."""

    @property
    def status(self) -> int:
        """Its exit status."""


Run = t.Callable[..., Done]


def install(paths: HostPaths) -> None:
    """Make the folders, and the settings that name them."""
    for folder in (paths.default, paths.auto, paths.save):
        folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    text = f'XENDOMAINS_SAVE="{paths.save}"\nXENDOMAINS_RESTORE=true\nXENDOMAINS_AUTO="{paths.auto}"\n'
    (paths.default / "xendomains").write_text(text)


def start(paths: HostPaths, run: Run) -> None:
    """Restore every image, which then is removed; start every configuration whose domain is not there, by its name."""
    restored: dict[str, bool] = {}
    for image in _star(paths.save):
        if image.is_file():
            restored[image.name] = run("xl", "restore", str(image)).status == 0
            if restored[image.name]:
                image.unlink()
    for file in _star(paths.auto):
        name = _name(file)
        # What could not be restored is not started either.
        if name not in restored and run("xl", "domid", name).status:
            run("xl", "create", "--quiet", str(file))


def _star(folder: pathlib.Path) -> list[pathlib.Path]:
    """Return what a shell's ``*`` gives: nothing that begins with a dot."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _name(file: pathlib.Path) -> str:
    try:
        return str(parse(file.read_text())["c_info"]["name"])
    except (OSError, UnicodeDecodeError, BadConfig):
        return ""
