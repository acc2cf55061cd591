# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection that breaks when a command has been run and before its answer has come."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._session.asker import ANSWER
from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook

PLUGIN = """
import os
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import local
DOCUMENTATION = local.DOCUMENTATION.replace("name: local", "name: losing")
class Connection(local.Connection):
    transport = "losing"
    def exec_command(self, cmd, in_data=None, sudoable=True):
        answer = super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        if MARK in answer[1] and os.path.exists(SOUND):
            os.unlink(SOUND)
            raise AnsibleConnectionFailure("connection reset by peer")
        return answer
"""


def lose_the_first_answer(playbook: Playbook) -> None:
    """Let the first answer of a session's process be lost, after the session has taken the word."""
    plugins, sound = playbook.folder / "connection_plugins", playbook.folder / "sound"
    plugins.mkdir()
    sound.touch()
    program = PLUGIN.replace("MARK", repr(ANSWER.encode())).replace("SOUND", repr(str(sound)))
    (plugins / "losing.py").write_text(program)
    playbook.host["ansible_connection"] = "losing"
    playbook.environment["ANSIBLE_CONNECTION_PLUGINS"] = str(plugins)
