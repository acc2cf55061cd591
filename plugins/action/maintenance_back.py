# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until a host is back from its maintenance; documented in plugins/modules/maintenance_back.py."""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.maintenance import MAINTENANCE_BACK
from ansible_collections.dom0.xen.plugins.plugin_utils._maintaining.back import (
    Expected,
    HostNotBack,
    release_of,
    why_not,
)

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Asks the host again and again, over a new connection each time that one has failed."""

    _requires_connection = True
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return the release and the boot of the host; fail when it is not back in time."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(MAINTENANCE_BACK)
        name = str((task_vars or {}).get("inventory_hostname"))
        begun = time.monotonic()
        try:
            expected = Expected(release_of(options["release"]), tuple(options["bridges"]), options["boot_before"])
            while True:
                info = self._ask(options, task_vars)
                why = why_not(info, expected)
                waited = time.monotonic() - begun
                if not why:
                    break
                if waited + options["interval"] > options["timeout"]:
                    raise HostNotBack(f"{name} is not back after {waited:.0f} s: {why}.")
                time.sleep(options["interval"])
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
            return result
        host = info["host"]
        result.update(
            changed=False, waited_s=round(waited, 1), xen=host["xen"]["version"], boot_id=host["boot_id"], host=host
        )
        return result

    def _ask(self, options: t.Mapping[str, t.Any], task_vars: Result | None) -> Result:
        places = {key: options[key] for key in ("runtime_path", "journal_path")}
        try:
            told: Result = self._execute_module("dom0.xen.host_info", module_args=places, task_vars=task_vars)
        except AnsibleError as exc:
            # A host that is going down or coming up fails in more ways than by not answering, such as half a transfer.
            told = {"unreachable": True, "msg": str(exc)}
        if told.get("unreachable") or told.get("failed"):
            # A connection that is kept open leads to the boot before, and so does the folder for modules.
            with contextlib.suppress(AnsibleError):
                self._connection.reset()
            self._connection._shell.tmpdir = None
        return told
