# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand the module what it needs of the facts of all dom0s; documented in plugins/modules/domain_restore.py."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import listed
from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import CODES, CONTROLLER, codes, nearest
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._restoring.elsewhere import condensed
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import RESTORE, RESTORE_WAIVABLE

_MODULE = "dom0.xen.domain_restore"


class WaiverUnknown(Dom0XenError):
    """What is to be waived is none of the codes that a check knows."""

    code = "waiver_unknown"
    remedy = f"Correct restore_waive (waive), or leave it out. Can be waived: {listed(RESTORE_WAIVABLE)}."


class WaiverForbidden(WaiverUnknown):
    """What is to be waived refuses a restore whatever somebody answers for."""

    code = "waiver_forbidden"


class ActionModule(ActionBase):
    """The module judges and acts; whole facts of a fleet would go to the host and back for nothing."""

    _requires_connection = True
    _supports_async = True
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module on the host."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        waive = codes(self._task.args.get("waive"))
        try:
            _require_waivable(waive)
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
            return result
        self._task.args = {**self._task.args, "waive": list(waive)}
        dummy, options = self.validate_argument_spec(RESTORE)
        arguments = {**options, "hosts": condensed(options["hosts"])}
        done = self._execute_module(
            module_name=_MODULE, module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val
        )
        # It came from here, and is large.
        done.get("invocation", {}).get("module_args", {}).pop("hosts", None)
        result.update(done)
        return result


def _require_waivable(waive: t.Iterable[str]) -> None:
    """See that all of it can be waived. Ansible would only list the choices. Raises WaiverUnknown, WaiverForbidden."""
    for code in waive:
        if code in RESTORE_WAIVABLE:
            continue
        if code in CODES:
            raise WaiverForbidden(f"{code} cannot be waived in a restore", host=CONTROLLER, waiver=code)
        near = nearest(code, RESTORE_WAIVABLE)
        which = f"; the nearest are: {listed(near)}" if near else ""
        text = f"{code!r} is no code that can be waived in a restore{which}"
        raise WaiverUnknown(text, host=CONTROLLER, waiver=code, nearest=list(near))
