# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts' folders, and a domain whose files go from one to the other."""

from __future__ import annotations

import os
import pathlib

from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._mapping import Names
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.autostart import Autostart
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.leaving import Leaving
from ansible_collections.dom0.xen.plugins.module_utils._session.belongings.unpacking import Unpacking

UUID = "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
TEXT = f'name = "centos"\nuuid = "{UUID}"\nmemory = 512\n'
OTHERS = 'name = "web"\nuuid = "99999999-3f5d-4c65-9e1a-0123456789ab"\n'


class Dom0:
    """One host's folders."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.configs, self.auto, self.save = root / "etc/xen", root / "etc/xen/auto", root / "save"
        for folder in (self.auto, self.save):
            folder.mkdir(parents=True)

    @property
    def roots(self) -> autostart.Roots:
        """The folders that xendomains looks at."""
        return autostart.Roots(str(self.auto), str(self.save))

    def journal(self, session: str) -> str:
        """The folder of a session's journal."""
        path = self.root / "journals" / session
        path.mkdir(parents=True, exist_ok=True)
        return str(path)

    def leaving(self, session: str) -> Leaving:
        """The source's part, as a process that has just started has it."""
        return Leaving(self.journal(session), session, UUID, "centos", self.roots)

    def unpacking(self, session: str, names: Names | None = None) -> Unpacking:
        """The destination's part, the same way; ``names`` are its own."""
        return Unpacking(self.journal(session), session, UUID, "centos", self.roots, names)

    def write(self, text: str = TEXT, name: str = "centos.cfg", starts: bool = False) -> pathlib.Path:
        """Put a configuration there, with a link that starts it at boot."""
        path = self.configs / name
        path.write_text(text)
        if starts:
            (self.auto / name).symlink_to(f"../{name}")
        return path

    def files(self) -> dict[str, str]:
        """All of it: path, and what it holds or where it leads."""
        return {
            str(path.relative_to(self.configs)): os.readlink(path) if path.is_symlink() else path.read_text()
            for folder in (self.configs, self.auto)
            for path in folder.iterdir()
            if not path.is_dir()
        }


def session(number: int) -> str:
    """The identity of a session."""
    return f"{number:016x}"


def move(source: Dom0, destination: Dom0, number: int, described_by: str = "") -> list[str]:
    """Move the domain; return the codes of what both sides have to say."""
    leaving, unpacking = source.leaving(session(number)), destination.unpacking(session(number))
    message = leaving.gather(described_by).to_message()
    Autostart(source.journal(session(number)), session(number), source.roots).set_aside(UUID, "centos")
    leaving.answered(unpacking.keep(message))
    assert not [
        entry for entry in autostart.entries(destination.roots) if entry.makes(UUID, "centos") and not entry.set_aside
    ]
    unpacking.unpack()
    # Whoever settles goes on from the records.
    later = source.leaving(session(number))
    later.finish()
    later.finish()
    destination.unpacking(session(number)).unpack()
    assert not os.path.exists(os.path.join(destination.journal(session(number)), "belongings.json"))
    remarks = [*leaving.told["remarks"], *later.told["remarks"], *unpacking.told["remarks"]]
    return [remark["code"] for remark in remarks]
