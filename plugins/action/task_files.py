# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""See that the caller's files of tasks can be run; documented in plugins/modules/task_files.py."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import TASK_FILES
from ansible_collections.dom0.xen.plugins.plugin_utils._task_files import (
    TaskFileInvalid,
    beyond_reach,
    gate_alone,
    shape_trouble,
)


class ActionModule(ActionBase):
    """Pure reading on the controller: a file that is missed at the gate is missed while the guest stands still."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return nothing but a warning; fail with all that is wrong with the files."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(TASK_FILES)
        given = {name: str(path) for name, path in options["files"].items() if path}
        read = {name: self._read(path) for name, path in given.items()}
        wrong = [f"{name}: {tasks}" for name, tasks in read.items() if isinstance(tasks, str)]
        told = gate_alone(given, options["gate"])
        wrong += told.errors
        lists = {name: tasks for name, tasks in read.items() if not isinstance(tasks, str)}
        lost = [text for name, tasks in lists.items() for text in beyond_reach(name, tasks)]
        result.update(changed=False, warnings=[*told.warnings, *lost])
        if wrong:
            result.update(failed=True, **TaskFileInvalid("; ".join(wrong)).as_result())
        return result

    def _read(self, path: str) -> list[dict[str, t.Any]] | str:
        """Return the tasks of a file, or why it has none."""
        if not path.startswith("/"):
            return f"{path} is not an absolute path"
        if not self._loader.is_file(path):
            return f"{path} is not there, or is no file"
        try:
            content = self._loader.load_from_file(path)
        except (AnsibleError, OSError) as exc:
            return f"{path} cannot be read as tasks: {exc}"
        return shape_trouble(path, content) or content
