# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the sessions that did not come to an end; documented in plugins/modules/migration_interrupted.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import INTERRUPTED
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_by_host
from ansible_collections.dom0.xen.plugins.plugin_utils._interrupted import interrupted
from ansible_collections.dom0.xen.plugins.plugin_utils._inventory import of_this_run
from ansible_collections.dom0.xen.plugins.plugin_utils._nothing_interrupted import nothing
from ansible_collections.dom0.xen.plugins.plugin_utils._owed import owed, sentence


class ActionModule(ActionBase):
    """Pure reading of facts on the controller."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``sessions`` and ``owed``; without sessions what there is; hosts without facts in a warning."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(INTERRUPTED)
        answers = options["hosts"]
        hosts = facts_by_host(answers)
        silent = sorted(set(answers) - set(hosts))
        if silent:
            result["warnings"] = [f"Could not look for interrupted migrations on: {', '.join(silent)}."]
        sessions, owing = interrupted(hosts, options["domain"]), owed(hosts, options["domain"])
        result.update(changed=False, sessions=[session.to_result() for session in sessions])
        inventory = of_this_run(task_vars)
        result["owed"] = [
            {**session.to_result(), "msg": sentence(session, inventory, options["repeat"])} for session in owing
        ]
        if not sessions:
            result.update(nothing(hosts, silent, options["domain"], inventory)._asdict())
        return result
