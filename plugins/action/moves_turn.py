# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for the turn of a move, and say when it has ended; documented in plugins/modules/moves_turn.py."""

from __future__ import annotations

import shlex
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import MOVES_TURN
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.board import Board
from ansible_collections.dom0.xen.plugins.plugin_utils._remote import run_script

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Waiting happens on the controller; the host is only told, now and then, that this run lives."""

    _requires_connection = True
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return ``waited``; fail when a move that this one needs has failed, or the time is over."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(MOVES_TURN)
        board = Board(options["board"])
        try:
            if options["state"] == "begun":
                result["waited"] = round(board.wait(options["number"], lambda: self._beat(options["beat_path"])), 1)
            else:
                board.end(options["number"], options["state"] == "done")
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
            return result
        result["changed"] = False
        return result

    def _beat(self, path: str) -> None:
        if path:
            try:
                run_script(self, f"touch -c {shlex.quote(path)} 2>/dev/null; true")
            except AnsibleConnectionFailure:  # whoever moves a domain there will say so
                return
