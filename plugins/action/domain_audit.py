# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the domains of all dom0s together; documented in plugins/modules/domain_audit.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import AUDIT
from ansible_collections.dom0.xen.plugins.plugin_utils import _auditing as auditing
from ansible_collections.dom0.xen.plugins.plugin_utils import _report as report
from ansible_collections.dom0.xen.plugins.plugin_utils._answers import facts_of
from ansible_collections.dom0.xen.plugins.plugin_utils._inventory import of_this_run
from ansible_collections.dom0.xen.plugins.plugin_utils._report import ResultNotWritten

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Pure judging on the controller; the result is also written to a file when asked for."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """Return the findings; fail when one of them is as severe as asked for."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(AUDIT)
        answers = {host: _answer(_latest(host, options)) for host in options["hosts"]}
        judged = auditing.audit(answers, options["inventory"]).for_inventory(of_this_run(task_vars))
        outcome = {
            "format": report.FORMAT,
            "clean": judged.clean,
            "complete": judged.complete,
            "counts": judged.counts,
            **judged.to_result(),
        }
        summary, *lines = auditing.describe(judged)
        result.update(changed=False, **outcome, look_again=list(judged.look_again), summary=summary)
        passed = not judged.fails(options["fail_on"])
        if options["result_path"] and not self._task.check_mode:
            try:
                report.write(options["result_path"], outcome)
            except Dom0XenError as exc:
                lines.append(str(exc.as_result()["msg"]))
                passed = False
        result.update(passed=passed, msg="\n".join([summary, *lines]))
        if not passed:
            result.update(failed=True, code=judged.findings[0].code if judged.findings else ResultNotWritten.code)
        return result


def _latest(host: str, options: Result) -> Result:
    """Return the second look at a host where there was one, whatever came of it, else the first."""
    again: Result = options["hosts_again"].get(host) or {}
    first: Result = options["hosts"][host]
    return first if not again or again.get("skipped") else again


def _answer(info: Result) -> auditing.Answer:
    facts = facts_of(info)
    message = "" if facts else str(info.get("msg") or "").strip()
    return auditing.Answer(facts, not info.get("unreachable"), message)
