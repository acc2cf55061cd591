# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare moves planned with moves done; documented in plugins/modules/moves_compare.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._specs.moves import MOVES_COMPARE
from ansible_collections.dom0.xen.plugins.plugin_utils import _report as report
from ansible_collections.dom0.xen.plugins.plugin_utils._applying import handing_on
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.outcome import leftovers, outcomes, summary
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.steps import Step
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.table import table

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Pure comparing on the controller; the result is also written to a file when asked for."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return ``moves``; fail unless each was done, and nothing else is left."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(MOVES_COMPARE)
        found = outcomes([Step.from_result(move) for move in options["moves"]], options["results"])
        done = sum(each.done for each in found)
        left = leftovers(options["stops"], options["blockers"])
        complete = done == len(found) and (options["leave"] or not left)
        result.update(
            changed=False,
            msg="\n".join([summary(found), *(f"  left: {each}" for each in left)]),
            moves=[each.to_result() for each in found],
            table=table([each.to_result() for each in found]),
            planned=len(found),
            done=done,
            left=left,
            complete=complete,
            artifact=handing_on.of_moves(found, len(left), complete),
            failed=not complete,
        )
        if options["result_path"] and not self._task.check_mode:
            kept = {key: result[key] for key in ("moves", "planned", "done", "left", "complete")}
            try:
                report.write(options["result_path"], {"format": 1, **kept})
            except report.ResultNotWritten as exc:
                result["warnings"] = [str(exc.as_result()["msg"])]
        return result
