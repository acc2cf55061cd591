# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a dom0 and keep what it tells on the controller; documented in plugins/modules/fleet_facts.py."""

from __future__ import annotations

import time
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import FLEET_FACTS
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet import folder
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.errors import DocumentInvalid
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.essence import essence
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.gathering import dom0_of
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Dom0, Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.table import row_of

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """One module run on the dom0, one file on the controller; what is returned is small."""

    _requires_connection = True
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return the dom0 in short; one that does not answer is written down as such."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(FLEET_FACTS)
        name = str((task_vars or {})["inventory_hostname"])
        path = folder.folder_of(options.pop("path"), C.ANSIBLE_HOME)
        asked = time.time()
        try:
            info = self._execute_module("dom0.xen.fleet_info", module_args=options, task_vars=task_vars)
        except AnsibleConnectionFailure as exc:
            self._keep(path, name, {"unreachable": True, "msg": str(exc)}, asked, result)
            if result.get("failed"):
                return result
            raise
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        if isinstance(info.get("host"), dict):
            info["host"].update(asked_s=asked, answered_s=time.time())
        dom0 = self._keep(path, name, info, asked, result)
        if dom0 is not None and dom0.trouble is not None and not result.get("failed"):
            trouble = dom0.trouble
            message = Dom0XenError(trouble.message, host=name, remedy=trouble.remedy).as_result()["msg"]
            result.update(failed=True, msg=message, code=trouble.code)
        result.update({key: info[key] for key in ("warnings", "deprecations") if info.get(key)})
        return result

    def _keep(self, path: str, name: str, info: Result, asked: float, result: Result) -> Dom0 | None:
        """Write down what the dom0 told, and say in the result what that is, or why it could not be written."""
        try:
            before = _before(path, name)
            dom0 = dom0_of(name, info, asked, before)
            if not self._task.check_mode:
                folder.write(path, [dom0])
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
            return None
        changed = before is None or essence(Fleet((before,))) != essence(Fleet((dom0,)))
        result.update(changed=changed, path=folder.file_of(path, name), dom0=row_of(dom0, time.time()).to_result())
        return dom0


def _before(path: str, name: str) -> Dom0 | None:
    try:
        return folder.read_dom0(path, name)
    except DocumentInvalid:
        return None  # It is replaced by a good one.
