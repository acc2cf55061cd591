# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what is being moved now; documented in plugins/modules/moves_seen.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import MOVES_SEEN
from ansible_collections.dom0.xen.plugins.plugin_utils import _report as report
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.table import listed
from ansible_collections.dom0.xen.plugins.plugin_utils._inventory import named, of_this_run
from ansible_collections.dom0.xen.plugins.plugin_utils._silence import nobody, silence, told_nothing, why
from ansible_collections.dom0.xen.plugins.plugin_utils._under_way import STATES, moves
from ansible_collections.dom0.xen.plugins.plugin_utils._under_way_table import remarks, summary, table

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Pure reading on the controller; the result is also written to a file when asked for."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return ``moves`` and a table; fail only when no host has told anything, or the file cannot be written."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(MOVES_SEEN)
        answers: dict[str, Result] = options["hosts"]
        silent, not_asked = silence(answers), sorted(set(options["inventory"]) - set(answers))
        told = {host: info for host, info in answers.items() if host not in silent}
        seen = moves({host: info.get("sessions") or [] for host, info in told.items()})
        claims = {host: info.get("claim") for host, info in told.items() if info.get("claim")}
        outcome = {
            "format": report.FORMAT,
            "complete": not silent and not not_asked,
            "counts": {state: sum(each.move.state == state for each in seen) for state in STATES},
            "moves": [each.move.to_result() for each in seen],
            "claims": claims,
            "hosts": sorted(told),
            "silent": {host: why(answers[host]) for host in silent},
            "not_asked": not_asked,
        }
        result.update(changed=False, **outcome, msg=summary(seen, len(answers) + len(not_asked), len(told)))
        inventory = of_this_run(task_vars)
        result["table"] = [*table(seen), *(named(remark, inventory) for remark in remarks(seen, claims))]
        result["warnings"] = told_nothing(answers)
        if not_asked:
            result["warnings"].append(f"Not asked, since the limit leaves them out: {listed(not_asked)}.")
        try:
            if options["result_path"] and not self._task.check_mode:
                report.write(options["result_path"], outcome)
            if answers and not told:
                raise nobody(answers)
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
        return result
