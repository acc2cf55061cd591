# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for a slot on a dom0; documented in plugins/modules/migration_slot.py."""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._marks.specs import SLOT
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.board import TooLate
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.workers import Controller, RunGone
from ansible_collections.dom0.xen.plugins.plugin_utils._progress import seconds

Result = dict[str, t.Any]

_LATE = "has not begun to move when the time was over"


class NoSlot(Dom0XenError):
    """A host took part in as many migrations as it may for as long as was waited."""

    code = "no_slot"
    remedy = "Run it again later, or with a longer migrate_slot_timeout, or raise the limit that is named."


class ActionModule(ActionBase):
    """Runs the module again and again, each time for less than a connection is given up for silence."""

    _requires_connection = True
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return when the slot is taken; fail when the time for it, or for the whole run, is over."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(SLOT)
        host = str(self._task.delegate_to or (task_vars or {}).get("inventory_hostname") or "")
        begun, said, controller = time.monotonic(), False, Controller()
        name = options["name"] or options["uuid"]
        patience, late = _patience(options)
        if late and patience <= 0.0:
            result.update(failed=True, **TooLate(f"{name} {_LATE}", host=host).as_result())
            return result
        # The first look is a short one, so that somebody who waits is told why at once.
        wait = 0.0
        while True:
            try:
                controller.require()
            except RunGone as exc:
                result.update(failed=True, **exc.as_result())
                return result
            left = begun + patience - time.monotonic()
            given = {**options, "wait": max(0.0, min(wait, left))}
            answer = self._execute_module(module_args=given, task_vars=task_vars)
            over = answer.get("failed") or answer.get("unreachable") or options["state"] == "absent"
            # What the host takes to answer is no waiting.
            waited = time.monotonic() - begun if said else 0.0
            if over or answer.get("taken"):
                result.update(answer, waited=round(waited, 1))
                return result
            if time.monotonic() - begun >= patience:
                limit, kind = options["limit"], "leave" if options["role"] == "sender" else "come"
                why = f"at most {limit} may {kind} at one time, and there are {_names(answer)}"
                told = {"host": host, "limit": limit, "holders": answer.get("holders")}
                error: Dom0XenError = NoSlot(f"no slot came free within {seconds(patience)}: {why}", **told)
                if late:
                    error = TooLate(f"{name} {_LATE}: {why}", **told)
                result.update(failed=True, waited=round(waited, 1), **error.as_result())
                return result
            if not said:
                kind = "leaves" if options["role"] == "sender" else "comes"
                Display().display(f"[{host}] {name} waits until one of these {kind} no more: {_names(answer)}")
                said = True
            wait = options["wait"]


def _patience(options: t.Mapping[str, t.Any]) -> tuple[float, bool]:
    """Return for how many seconds it is waited, and whether the time of the run is over then, not the wait's own."""
    timeout = float(options["timeout"])
    if options["state"] == "absent" or not options["begin_by"]:
        return timeout, False
    left = options["begin_by"] - time.time()
    return min(timeout, left), left <= timeout


def _names(answer: t.Mapping[str, t.Any]) -> str:
    return ", ".join(str(each.get("name") or each.get("uuid")) for each in answer.get("holders") or ()) or "others"
