# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell where domains could go; documented in plugins/modules/domain_check.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import MoveRequest
from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import codes
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import DOMAIN_CHECK
from ansible_collections.dom0.xen.plugins.plugin_utils import _outlook as outlook
from ansible_collections.dom0.xen.plugins.plugin_utils import _outlook_report as words
from ansible_collections.dom0.xen.plugins.plugin_utils import _report as report
from ansible_collections.dom0.xen.plugins.plugin_utils._moving import network_asked, texts
from ansible_collections.dom0.xen.plugins.plugin_utils._planning import NamesTaken

Result = dict[str, t.Any]


class QuestionIncomplete(Dom0XenError):
    """Neither a domain with its destination nor a source was given."""

    code = "question_incomplete"
    remedy = "Name a domain and its destination, or a source whose domains are meant."


class ActionModule(ActionBase):
    """Pure checking on the controller; the result is also written to a file when asked for."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """Return the hosts that each domain could go to; fail when there is a domain without any."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(DOMAIN_CHECK)
        if not (options["destination"] if options["domain"] else options["source"]):
            error = QuestionIncomplete("it is not said what is to go where.")
            return {**result, "failed": True, "possible": False, **error.as_result()}
        # Hosts that were not asked, since the question is not about them.
        answers = {host: info for host, info in options["hosts"].items() if not info.get("skipped")}
        request = _request(options)
        try:
            found, lines = _looked(request, answers, options, task_vars or {})
        except Dom0XenError as exc:
            exc.host = exc.host or options["source"] or None
            return {**result, "failed": True, "possible": False, **exc.as_result()}
        told = {"format": report.FORMAT, "possible": found.possible, "waive": list(request.waive), **found.to_result()}
        result.update(changed=False, **told, summary=words.sentence(lines[0]), warnings=words.about_findings(found))
        if not found.possible:
            result.update(failed=True, code=words.code(found))
        if options["result_path"] and not self._task.check_mode:
            try:
                report.write(options["result_path"], told)
            except Dom0XenError as exc:
                lines.append(str(exc.as_result()["msg"]))
                result.update(failed=True, possible=False, code=result.get("code") or exc.code)
        result["msg"] = "\n".join(lines)
        return result


def _looked(
    request: MoveRequest, answers: Result, options: Result, task_vars: Result
) -> tuple[outlook.Outlook, list[str]]:
    """Return the answer, and lines that say it. Raises a ``Dom0XenError`` for facts that are none."""
    if options["domain"]:
        found = outlook.one_domain(request, answers, options["domain_info"], NamesTaken(task_vars))
        return found, words.about_one(found, request)
    found = outlook.every_domain(request, answers, options["domain_info"])
    return found, words.about_all(found)


def _request(options: Result) -> MoveRequest:
    way = network_asked(options)
    if not options["domain"]:
        # The addresses are those of two hosts, and there are more of them.
        way = {"networks": way["networks"]}
    return MoveRequest(
        domain=options["domain"],
        source=options["source"] or None,
        destination=options["destination"],
        inventory=tuple(options["inventory"]),
        # A host is not emptied by moving its domains within it.
        allow_same_host=options["allow_same_host"] and bool(options["domain"]),
        method=options["method"],
        transport=options["transport"],
        allow_plain=options["allow_plain"],
        allow_cold=options["allow_cold"],
        config_path=options["config_path"] if options["domain"] else "",
        memory_reserve_mib=options["memory_reserve_mib"],
        dom0_memory_min_mib=options["dom0_memory_min_mib"],
        destination_address=options["destination_address"] if options["domain"] else "",
        waive=codes(options["waive"]),
        follow_config=options["follow_config"],
        map_bridges=texts(options["map_bridges"]),
        map_disks=texts(options["map_disks"]),
        leave_paused=options["leave_paused"],
        preserve_domid=options["preserve_domid"],
        **way,
    )
