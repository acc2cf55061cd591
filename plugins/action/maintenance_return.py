# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say which domains come back to a host; documented in plugins/modules/maintenance_return.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.maintenance import MAINTENANCE_RETURN
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_by_host
from ansible_collections.dom0.xen.plugins.plugin_utils._maintaining.returning import Told, account, coming_back

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """What was noted and what the dom0s tell in, what comes back out; on the controller only."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return what is to be moved and started, and what came of it so far."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(MAINTENANCE_RETURN)
        host, note = options["host"], options["note"]
        try:
            hosts = facts_by_host(options["hosts"])
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
            return result
        found = coming_back(host, note, hosts, options["inventory"], options["policy"])
        told = Told(**{key: options[key] for key in ("outcomes", "history", "blockers", "started", "why")})
        result.update(
            changed=False,
            wanted={uuid: to for uuid, to in found.wanted.items() if uuid not in options["leave_out"]},
            starts=[each.to_result() for each in found.starts],
            report=account(host, note, found, told),
        )
        return result
