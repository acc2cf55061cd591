# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the host of a domain and name its move; documented in plugins/modules/migration_plan.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import PLAN
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_by_host
from ansible_collections.dom0.xen.plugins.plugin_utils._looking import all_names, cannot_look, not_looked_at
from ansible_collections.dom0.xen.plugins.plugin_utils._planning import NamesTaken, plan_move
from ansible_collections.dom0.xen.plugins.plugin_utils._settings import far_off
from ansible_collections.dom0.xen.plugins.plugin_utils._settings_found import found


class ActionModule(ActionBase):
    """Pure planning on the controller: facts in, moves out."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``moves``; hosts on which nobody could look are a warning, or an error if the domain may be there."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(PLAN)
        answers = options["hosts"]
        hosts = facts_by_host(answers)
        taken = NamesTaken(task_vars or {})
        try:
            move = plan_move(options["domain"], options["source"], options["destination"], hosts, taken)
            silent = sorted(not_looked_at(answers))
            if silent and not move.source and move.uuid is None:
                raise cannot_look(options["domain"], options["destination"], answers)
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
            return result
        # With a source the others are left out.
        asked = [host for host, info in answers.items() if not info.get("skipped")]
        told = far_off(found(task_vars or {}, asked))
        result["warnings"] = [told] if told else []
        if silent and not move.source:
            result["warnings"] += [f"Could not look for {options['domain']} on: {', '.join(silent)}."]
        if move.uuid is None and not silent and not move.source:
            result["warnings"] += [
                f"No dom0 has a domain {options['domain']!r}. The domains there are: {all_names(hosts)}."
            ]
        result.update(changed=False, moves=[move.to_result()])
        return result
