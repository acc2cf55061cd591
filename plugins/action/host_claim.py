# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Claim a dom0 for this run; documented in plugins/modules/host_claim.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._marks.claims import Claim, HostClaimed
from ansible_collections.dom0.xen.plugins.module_utils._marks.specs import CLAIM
from ansible_collections.dom0.xen.plugins.plugin_utils import _controller as controller

Result = dict[str, t.Any]
_NEVER_S = 1e12


class ActionModule(ActionBase):
    """Adds who this run is, and takes over from a run whose process has ended on this machine."""

    _requires_connection = True
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return what the module returned."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(CLAIM)
        given = {**options, "holder": controller.holder(task_vars or {})}
        # Silence is judged when it is known whether the process of the other run is there.
        answer = self._execute_module(module_args={**given, "stale_after": _NEVER_S}, task_vars=task_vars)
        other = (answer.get("details") or {}).get("claim") or {}
        if answer.get("code") == "host_claimed":
            # What an earlier playbook of this very run could not give up is as good as dead.
            ours = (other.get("machine"), other.get("pid")) == (given["holder"]["machine"], given["holder"]["pid"])
            if controller.is_alive(other) and not ours:
                error = HostClaimed(
                    f"another run works on this host: {Claim.from_result(other).words}; its process {other['pid']} is"
                    " there, on this machine",
                    remedy="Wait for its end, or end that process; with take_over=true (evacuate_take_over,"
                    " maintain_take_over) both work.",
                    claim=other,
                )
                answer = {"failed": True, **error.as_result()}
            else:
                given["dead"] = other["token"] if controller.is_dead(other) or (ours and other.get("pid")) else ""
                answer = self._execute_module(module_args=given, task_vars=task_vars)
                other = (answer.get("details") or {}).get("claim") or {}
        result.update(answer)
        if other:
            result["claim"] = other
        return result
