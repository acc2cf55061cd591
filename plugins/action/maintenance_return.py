# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which domains come back to a host; documented in plugins/modules/maintenance_return.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._maintenance_specs import MAINTENANCE_RETURN
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_by_host
from ansible_collections.dom0.xen.plugins.plugin_utils._maintaining.returning import coming_back

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """What was noted and what the dom0s tell in, what comes back out; on the controller only."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return what is to be moved and started, and what cannot be."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(MAINTENANCE_RETURN)
        hosts = facts_by_host(options["hosts"])
        found = coming_back(options["host"], options["note"], hosts, options["inventory"], options["policy"])
        result.update(
            changed=False,
            wanted=dict(found.wanted),
            starts=[each.to_result() for each in found.starts],
            missed=[each.to_result() for each in found.missed],
        )
        return result
