# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a plan for a fleet; documented in plugins/modules/fleet_plan.py."""

from __future__ import annotations

import time
import typing as t

from ansible import constants as C
from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import FLEET_PLAN
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet import folder
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.given import rules_among
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._plans import document, files
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.choosing import (
    as_of_now,
    named,
    settings_of,
    solver_of,
    wish_of,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import make
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.rebalancing import Limits, rebalance
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import REBALANCE, Plan
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.table import summary, table

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Facts in, plan out, on the controller only; the hosts are not touched."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return the plan; fail when it does not do all that was asked for."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(FLEET_PLAN)
        try:
            plan = self._plan(options, task_vars or {})
            told = plan.to_result()
            del told["facts"]
            result.update(changed=False, possible=plan.possible, plan=told, table=table(plan), msg=summary(plan))
            result["warnings"] = list(plan.warnings)
            result["plan_path"] = ""
            if options["artifact"]:
                result["artifact"] = document.artifact(plan)
            # A plan without any way is none.
            if options["plan_path"] and plan.shortage is None and not self._task.check_mode:
                result["plan_path"] = files.write(options["plan_path"], plan)
        except Dom0XenError as exc:
            result.update(failed=True, possible=False, **exc.as_result())
            return result
        if plan.shortage is not None:
            result.update(failed=True, code=f"not_enough_{plan.shortage.resource}")
        elif plan.blockers:
            result.update(failed=True, code=plan.blockers[0].code)
        return result

    def _plan(self, options: Result, task_vars: Result) -> Plan:
        now_s = time.time()
        dom0s = list(options["dom0s"])
        # A file that is no good is as one that is not there: its host counts as one that was never asked.
        known: Fleet = folder.read(folder.folder_of(options["path"], C.ANSIBLE_HOME), lambda dummy: None)
        fleet = as_of_now(known, dom0s, rules_among(dom0s, task_vars), now_s, options["max_age_s"])
        empty = named(options["hosts"], task_vars.get("groups") or {}, dom0s)
        wish, settings = wish_of(options, empty, now_s, options["expires_s"]), settings_of(options)
        if options["goal"] == REBALANCE:
            limits = Limits(options["threshold_percent"], options["cost_percent"], options["max_moves"])
            return rebalance(fleet, wish, settings, limits)
        return make(fleet, wish, settings, solver_of(wish.planner))
