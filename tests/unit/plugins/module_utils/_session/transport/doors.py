# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doors of this process for tests: the lines that let sessions in, in a file with the keys of people."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys

from ansible_collections.dom0.xen.plugins.module_utils._session.transport import sshd
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.authorized_keys import Account
from ansible_collections.dom0.xen.plugins.module_utils._session.transport.ssh_door import RECORD, Door, tidy
from ansible_collections.dom0.xen.plugins.plugin_utils._credentials import make_credentials

ME = Account(os.geteuid(), os.getegid())
SESSION = "0123456789abcdef"
KEY = make_credentials("a").with_ssh_key().ssh_public_key or ""
THEIRS = '# keys of people\nssh-ed25519 AAAA alice\nfrom="10.0.0.1" ssh-ed25519 AAAA backup dom0-xen:not-ours'


def door(keys: pathlib.Path, session: str = SESSION, *further: str) -> Door:
    """A door of this process; ``further`` files are read by sshd too."""
    root, journal = keys.parent.parent / "run", keys.parent.parent / "journals" / f"{session}.receiver"
    root.mkdir(mode=0o700, exist_ok=True)
    journal.mkdir(mode=0o700, exist_ok=True, parents=True)
    return Door(sshd.Sshd((), str(keys), ME, further), str(root), str(journal), session, KEY)


def tidied(keys: pathlib.Path) -> None:
    """Tidy up as the host does that the door was of."""
    tidy(str(keys.parent.parent / "run"), str(keys.parent.parent / "journals"))


def recorded(keys: pathlib.Path) -> list[str]:
    """The sessions that say where they have a line: in memory, and on the disk."""
    memory = os.listdir(keys.parent.parent / "run" / "ssh-doors")
    disk = [path.parent.stem for path in (keys.parent.parent / "journals").glob(f"*/{RECORD}")]
    return sorted([*memory, *disk])


def left_over(keys: pathlib.Path, *further: str) -> None:
    """Let a process open a door and be killed."""
    code = (
        "import os, pathlib, sys; "
        "from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.transport import"
        " doors as here; here.door(pathlib.Path(sys.argv[1]), 'e' * 16, *sys.argv[2:]).open(7);"
        " os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", code, str(keys), *further], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert "e" * 16 in pathlib.Path(further[-1] if further else keys).read_text()
