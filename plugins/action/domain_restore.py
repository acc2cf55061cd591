# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand the module what it needs of the facts of all dom0s; documented in plugins/modules/domain_restore.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._action_specs import RESTORE
from ansible_collections.dom0.xen.plugins.module_utils._restoring.elsewhere import condensed

_MODULE = "dom0.xen.domain_restore"


class ActionModule(ActionBase):
    """The module judges and acts; whole facts of a fleet would go to the host and back for nothing."""

    _requires_connection = True
    _supports_async = True
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module on the host."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(RESTORE)
        arguments = {**options, "hosts": condensed(options["hosts"])}
        done = self._execute_module(
            module_name=_MODULE, module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val
        )
        # It came from here, and is large.
        done.get("invocation", {}).get("module_args", {}).pop("hosts", None)
        result.update(done)
        return result
