# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report of a run on the controller; documented in plugins/modules/fleet_report.py."""

from __future__ import annotations

import datetime
import getpass
import os
import socket
import time
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import FLEET_REPORT
from ansible_collections.dom0.xen.plugins.plugin_utils import _report as files
from ansible_collections.dom0.xen.plugins.plugin_utils._controller import launched_by
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report import building, charts, page, taking
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.records import Report

Result = dict[str, t.Any]

_SWITCHED_OFF = "they were switched off."


class ActionModule(ActionBase):
    """Makes the document on the controller; the two files are all that is written."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """Return the sums of the report and where it is; fail when it cannot be written."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(FLEET_REPORT)
        html_path, json_path = _paths(options["path"])
        result.update(changed=False, html_path=html_path, json_path=json_path)
        try:
            if options["state"] == "tried":
                for path in (html_path, json_path):
                    files.see_writable(path)
                result.update(msg=f"The report can be written to {html_path}.")
                return result
            report = _report(options, task_vars or {})
            drawn, note = _charts(report, options["charts"])
            result.update(
                summary=report.summary, charts=not note, charts_missing=note, totals=report.totals.to_result()
            )
            if not self._task.check_mode:
                files.write(json_path, report.to_result())
                text = page.render(report, drawn, note, _zone(), os.path.basename(json_path))
                files.write_text(html_path, text)
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
            return result
        without = f" It has no charts: {note}" if note else ""
        written = "would be written" if self._task.check_mode else "is"
        result["msg"] = f"{report.summary} The report {written} in {html_path} and {json_path}.{without}"
        return result


def _paths(path: str) -> tuple[str, str]:
    """Return where the page and the JSON go: side by side, whichever of the two was named."""
    whole = os.path.abspath(os.path.expanduser(path))
    stem, extension = os.path.splitext(whole)
    if extension.lower() not in (".html", ".htm", ".json"):
        stem, extension = whole, ".html"
    return stem + (".html" if extension.lower() == ".json" else extension), f"{stem}.json"


def _report(options: Result, task_vars: Result) -> Report:
    results, refused = _of_hosts(options["planned"], task_vars.get("hostvars") or {})
    left = building.Left(
        planned=options["planned"],
        results=[*options["results"], *results],
        refused=[*options["refused"], *refused],
        outcomes=options["outcomes"],
        rounds=options["rounds"],
        blockers=options["blockers"],
        before=options["hosts_before"],
        after=options["hosts_after"],
    )
    ended = taking.moment(options["ended_s"])
    run = building.run_of(
        title=options["title"],
        by=options["by"] or _by(task_vars),
        reference=options["reference"],
        selected=options["selected"],
        began_s=taking.moment(options["began_s"]),
        now=time.time() if ended is None else ended,
        left=left,
    )
    return building.build(run, left)


def _of_hosts(planned: t.Sequence[Result], hostvars: t.Mapping[str, t.Any]) -> tuple[list[Result], list[Result]]:
    """Return the results and the checks that the role migrate has left at the hosts that stand for planned moves."""
    results, checks = [], []
    for move in planned:
        left = hostvars[move["host"]] if move.get("host") in hostvars else {}
        results.append(taking.document(left.get("migrate_result")))
        checks.append({**move, "check": taking.document(left.get("__migrate_check"))})
    return [dict(each) for each in results], checks


def _charts(report: Report, wanted: bool) -> tuple[dict[str, str], str]:
    """Return the charts, and why there are none. Their lack is no error: the tables have every figure."""
    if not wanted:
        return {}, _SWITCHED_OFF
    try:
        return charts.draw(report, _zone()), ""
    except charts.ChartsMissing as exc:
        return {}, str(exc.as_result()["msg"])


def _zone() -> datetime.tzinfo:
    """Return the controller's time zone, as it is now."""
    return datetime.datetime.now().astimezone().tzinfo or datetime.UTC


def _by(task_vars: Result) -> str:
    """Return who runs it: AWX says so in variables of the job, else it is who runs Ansible, and where."""
    job = launched_by(task_vars)
    if job:
        return job
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a number that no account has.
        name = f"uid {os.getuid()}"
    return f"{name} on {socket.gethostname()}"
