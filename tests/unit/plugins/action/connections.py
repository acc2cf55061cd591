# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local connection in trouble: out of order for a while, or broken before an answer has come."""

from __future__ import annotations

import pathlib

from ansible_collections.dom0.xen.plugins.module_utils._session.process.asker import ANSWER
from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook

# Out of order as long as there is something in a file of this name.
FLAKY = """
import os
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import local
DOCUMENTATION = local.DOCUMENTATION.replace("name: local", "name: flaky")
class Connection(local.Connection):
    transport = "flaky"
    def exec_command(self, cmd, in_data=None, sudoable=True):
        down = FILE
        if os.path.exists(down) and os.path.getsize(down):
            with open(down, "r+") as file:
                left = int(file.read()) - 1
                file.seek(0), file.truncate(), file.write(str(left) if left else "")
            raise AnsibleConnectionFailure("no route to host")
        return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
"""
# Breaks once, when a command has been run whose answer has the mark.
LOSING = """
import os
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import local
DOCUMENTATION = local.DOCUMENTATION.replace("name: local", "name: losing")
class Connection(local.Connection):
    transport = "losing"
    def exec_command(self, cmd, in_data=None, sudoable=True):
        sound = FILE
        answer = super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        if MARK in answer[1] and os.path.exists(sound):
            os.unlink(sound)
            raise AnsibleConnectionFailure("connection reset by peer")
        return answer
"""


def out_of_reach(playbook: Playbook, times: int) -> pathlib.Path:
    """Let so many connections fail; returns the file that counts down, empty in the end."""
    down = playbook.folder / "down"
    down.write_text(str(times))
    _use(playbook, "flaky", FLAKY.replace("FILE", repr(str(down)), 1))
    return down


def lose_the_first_answer(playbook: Playbook) -> None:
    """Let the first answer of a session's process be lost, after the session has taken the word."""
    sound = playbook.folder / "sound"
    sound.touch()
    _use(playbook, "losing", LOSING.replace("FILE", repr(str(sound)), 1).replace("MARK", repr(ANSWER.encode()), 1))


def _use(playbook: Playbook, name: str, program: str) -> None:
    plugins = playbook.folder / "connection_plugins"
    plugins.mkdir()
    (plugins / f"{name}.py").write_text(program)
    playbook.host["ansible_connection"] = name
    playbook.environment["ANSIBLE_CONNECTION_PLUGINS"] = str(plugins)
