# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a plan and see how far it has come; documented in plugins/modules/plan_progress.py."""

from __future__ import annotations

import os
import time
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import PLAN_PROGRESS
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_by_host
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.refusing import (
    TwoPlans,
    require_as_planned,
    require_way,
)
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.steps import moving
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.transit import still
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.essence import essence
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.gathering import fleet_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.given import rules_among
from ansible_collections.dom0.xen.plugins.plugin_utils._interrupted import interrupted
from ansible_collections.dom0.xen.plugins.plugin_utils._plans import document, holding
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Plan, PlanInvalid

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """A plan and facts in, what is left of it out; on the controller only."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return the plan; fail when it does not hold any more, unless something has to be settled first."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(PLAN_PROGRESS)
        answers = options["hosts"]
        try:
            plan = _read(options["path"], options["plan"])
            require_way(plan)
            require_as_planned(plan, options["asked"])
            hosts = facts_by_host(answers)
            uuids = {move.uuid for move in plan.moves}
            left = [each for each in interrupted(hosts) if each.uuid in uuids]
            under_way = {uuid for uuid in uuids if moving(uuid, hosts) is not None}
            done: tuple[int, ...] = ()
            if options["settled"] or not left:
                rules = rules_among(answers, task_vars)
                now = essence(fleet_of(answers, rules, time.time()))
                before, seen = still(plan, now, under_way)
                done = holding.require(before, seen, time.time(), begun=bool(under_way)).done
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
            return result
        result.update(
            changed=False,
            identity=plan.identity,
            goal=plan.goal,
            hosts=list(plan.hosts),
            moves=[move.to_result() for move in plan.moves],
            stops=[stop.to_result() for stop in plan.stops],
            blockers=[blocker.to_result() for blocker in plan.blockers],
            done=list(done),
            sessions=[each.to_result() for each in left],
        )
        return result


def _read(path: str, text: str) -> Plan:
    """Return the plan in a file of the controller, or the one that was handed on.

    Raises TwoPlans, PlanInvalid and others.
    """
    if text and path:
        raise TwoPlans(f"two plans are given, the file {path} and one that was handed on (dom0_xen_plan).")
    if text:
        return document.from_artifact(text)
    path = os.path.abspath(os.path.expanduser(path))
    try:
        with open(path, encoding="utf-8") as file:
            return document.parse(file.read(document.LARGEST_BYTES + 1), path)
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no text"
        raise PlanInvalid(f"{path} cannot be read: {reason}.", path=path) from exc
