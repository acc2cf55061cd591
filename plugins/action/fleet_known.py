# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell what is known of all dom0s; documented in plugins/modules/fleet_known.py."""

from __future__ import annotations

import time
import typing as t

from ansible import constants as C
from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import FLEET_KNOWN
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet import folder
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.essence import essence
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.table import Row, listed, row_of, several_places, table
from ansible_collections.dom0.xen.plugins.plugin_utils._silence import nobody, silence, told_nothing

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Reads the files that ``fleet_facts`` has written; on the controller only."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return a table; fail when no dom0 that was asked has told, or the rules contradict each other."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(FLEET_KNOWN)
        path = folder.folder_of(options["path"], C.ANSIBLE_HOME)
        answers, wanted = options["answers"], set(options["dom0s"])
        warnings: list[str] = []
        try:
            kept = folder.read(path, lambda error: warnings.append(str(error.as_result()["msg"])))
            fleet = Fleet(tuple(dom0 for dom0 in kept.dom0s if dom0.name in wanted), kept.rules)
            warnings += _warnings(fleet, wanted, answers, path, [dom0.name for dom0 in kept.dom0s])
            rows = {dom0.name: row_of(dom0, time.time()) for dom0 in fleet.dom0s}
            if self._task.check_mode:  # nothing was written
                rows.update({name: Row.from_result(info["dom0"]) for name, info in answers.items() if "dom0" in info})
            shown = [rows[name] for name in sorted(rows)]
            silent = silence(answers)
            result.update(changed=False, warnings=warnings, path=path, silent=silent, msg=_summary(shown))
            result.update(dom0s=[row.to_result() for row in shown], table=table(shown))
            unmatched = fleet.resolved.unmatched
            if unmatched and not fleet.troubled and wanted == fleet.by_name.keys():
                warnings.append(
                    f"No dom0 has a domain that is called {listed(unmatched)}, of which rules say something."
                )
            result["digest"] = essence(fleet).digest
            if answers and len(silent) == len(answers):
                raise nobody(answers)
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
        return result


def _summary(rows: t.Sequence[Row]) -> str:
    told = [row for row in rows if row.domains is not None]
    return f"{sum(row.domains or 0 for row in told)} domains are known, of {len(told)} dom0s."


def _warnings(
    fleet: Fleet, wanted: t.Collection[str], answers: t.Mapping[str, Result], path: str, kept: t.Collection[str]
) -> list[str]:
    found = told_nothing(answers)
    left_out = {name for name in wanted if name not in answers}
    if answers and left_out:
        found.append(
            f"Not asked, since the limit leaves them out: {listed(left_out)}. What they told before is kept as it is."
        )
    never = {name for name in left_out if name not in kept}
    if never:
        found.append(f"Nothing is known of {listed(never)}: they were never asked.")
    strangers = {name for name in kept if name not in wanted}
    if strangers:
        found.append(
            f"{path} has files of {listed(strangers)}, which are no dom0s of the inventory. The inventory plugin still "
            "lists their domains: remove the files of hosts that are gone."
        )
    return found + several_places(fleet)
