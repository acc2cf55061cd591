# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what came of a run over many hosts; documented in plugins/modules/maintenance_result.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._marks.maintenance import DONE
from ansible_collections.dom0.xen.plugins.module_utils._specs.maintenance import MAINTENANCE_RESULT
from ansible_collections.dom0.xen.plugins.plugin_utils import _report as report
from ansible_collections.dom0.xen.plugins.plugin_utils._applying import handing_on
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.table import table as moves_table
from ansible_collections.dom0.xen.plugins.plugin_utils._inventory import named, of_this_run
from ansible_collections.dom0.xen.plugins.plugin_utils._maintaining import course

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Reports in, a table out; the result is also written to a file when asked for."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return what came of each host; fail unless all are done."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(MAINTENANCE_RESULT)
        hosts = course.reported(options["selected"], options["reports"])
        undone = [host["name"] for host in hosts if host["state"] != DONE]
        inventory = of_this_run(task_vars)
        lines = [named(line, inventory) for line in course.table(hosts)]
        result.update(changed=False, format=1, done=not undone, hosts=hosts, table=lines, msg="\n".join(lines))
        result["artifact"] = handing_on.of_maintained(hosts)
        result["moves_table"] = moves_table(course.moves(hosts))
        if options["result_path"] and not self._task.check_mode:
            try:
                report.write(options["result_path"], {key: result[key] for key in ("format", "done", "hosts")})
            except report.ResultNotWritten as exc:
                result["warnings"] = [str(exc.as_result()["msg"])]
        if undone:
            result.update(failed=True, code="not_done", msg=f"Not done: {', '.join(undone)}.\n{result['msg']}")
        return result
