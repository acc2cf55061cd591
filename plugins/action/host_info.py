# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module of this name, and note when; documented in plugins/modules/host_info.py."""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Between the two times the host has read its clock: so the clocks of two hosts can be compared."""

    _requires_connection = True
    _supports_async = True
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return what the module returned, with the controller's clock before and after."""
        result: Result = super().run(tmp, task_vars)
        in_background = bool(self._task.async_val) and not self._connection.has_native_async
        asked = time.time()
        result.update(self._execute_module(task_vars=task_vars, wrap_async=in_background))
        if isinstance(result.get("host"), dict):
            result["host"].update(asked_s=asked, answered_s=time.time())
        if not in_background:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result
