# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan how hosts are emptied; documented in plugins/modules/evacuation_plan.py."""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import EVACUATION_PLAN
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.planning import but, others, planned, unmovable
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.refusing import require
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.gathering import fleet_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.given import rules_among
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.choosing import settings_of, solver_of, wish_of
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.table import table

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Facts in, a plan out; on the controller only."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return the plan; fail when a domain could not leave, unless these are to be left."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(EVACUATION_PLAN)
        answers, now_s = options["hosts"], time.time()
        try:
            fleet = fleet_of(answers, rules_among(answers, task_vars), now_s)
            wish, settings = wish_of(options, options["empty"], now_s), settings_of(options)
            solver = solver_of(wish.planner)
            plan = but(planned(fleet, wish, settings, solver, options["make_room"]), options["leave_out"])
            result.update(
                changed=False,
                moves=[move.to_result() for move in plan.moves],
                stops=[stop.to_result() for stop in plan.stops],
                blockers=[blocker.to_result() for blocker in plan.blockers],
                unmovable=[blocker.to_result() for blocker in unmovable(plan)],
                possible=plan.possible,
                table=table(plan),
            )
            if not options["leave"]:
                roomy = plan.shortage is not None and not options["make_room"]
                require(plan, others(planned(fleet, wish, settings, solver, make_room=True)) if roomy else [])
        except Dom0XenError as exc:
            # Of a plan that is refused nothing is done, in a round whose failure is let pass either.
            result.update(failed=True, moves=[], stops=[], unmovable=[], **exc.as_result())
        return result
