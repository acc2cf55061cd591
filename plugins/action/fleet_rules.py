# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the rules for domains out of the inventory and keep them; documented in plugins/modules/fleet_rules.py."""

from __future__ import annotations

import typing as t

from ansible import constants as C
from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import FLEET_RULES
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet import folder
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import DocumentInvalid
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.given import rules_among
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import Rules

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Variables in, rules out; on the controller only."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return the rules; fail for one that cannot be meant, or two that contradict each other."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(FLEET_RULES)
        path = folder.folder_of(options["path"], C.ANSIBLE_HOME)
        try:
            rules = rules_among(options["dom0s"], task_vars)
            changed = _kept(path) != rules
            if changed and not self._task.check_mode:
                folder.write(path, [rules])
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
            return result
        result.update(changed=changed, path=path, rules=rules.to_result())
        return result


def _kept(path: str) -> Rules | None:
    try:
        return folder.read_rules(path)
    except DocumentInvalid:
        return None  # It is replaced by a good one.
