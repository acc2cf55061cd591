# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""See what is left of a run, and what stands in its way; documented in plugins/modules/maintenance_plan.py."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._specs.maintenance import MAINTENANCE_PLAN
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.refusing import known
from ansible_collections.dom0.xen.plugins.plugin_utils._maintaining import course
from ansible_collections.dom0.xen.plugins.plugin_utils._maintaining.back import release_of
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.table import moment
from ansible_collections.dom0.xen.plugins.plugin_utils._progress import figure

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Facts and notes in, the hosts in their turns out; on the controller only."""

    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True
    _supports_diff = False

    def run(self, tmp: str | None = None, task_vars: Result | None = None) -> Result:
        """Return the hosts that are done and left; fail with everything that stands in the way."""
        result: Result = super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(MAINTENANCE_PLAN)
        answers, inventory = options["hosts"], options["inventory"]
        try:
            selected = known(options["selected"], inventory, (task_vars or {}).get("groups") or {})
            course.require_others(selected, inventory)
            release_of(options["release"])
            path = os.path.realpath(os.path.expanduser(options["tasks"])) if options["tasks"] else ""
            if path:
                course.tasks_of(self._content(path), path)
            words = options["run"] or f"maintain {','.join(selected)}" + (f" with {path}" if path else "")
            notes = {} if options["anew"] else {name: _note(told) for name, told in options["notes"].items()}
            # Begun anew, it counts for nothing what an earlier run has closed: that is opened before anything is begun.
            earlier = [note for note in map(_note, options["notes"].values()) if note and options["anew"]]
            runs = {words, *(str(note.get("run")) for note in earlier)}
            found = course.course(selected, notes, words)
            if options["plans"] is not None:
                left = [name for name in found.left if name not in found.already]
                course.require(left, options["plans"], answers, options["unmovable"] == "shutdown")
        except Dom0XenError as exc:
            result.update(failed=True, **exc.as_result())
            return result
        result.update(
            changed=False,
            selected=list(selected),
            run=words,
            tasks=path,
            done=list(found.done),
            left=list(found.left),
            already=list(found.already),
            anew=options["anew"],
            answers=course.opened(answers, found.left, runs),
            msg=_words(selected, found, notes),
        )
        return result

    def _content(self, path: str) -> t.Any:
        try:
            return self._loader.load_from_file(path)
        except AnsibleError as exc:
            raise course.TasksInvalid(f"{path} cannot be read: {exc}") from exc


def _note(told: t.Any) -> Result | None:
    note = told.get("maintenance") if isinstance(told, dict) else None
    return note if isinstance(note, dict) else None


def _words(selected: t.Sequence[str], found: course.Course, notes: t.Mapping[str, Result | None]) -> str:
    lines = []
    for name in selected:
        note = notes.get(name)
        if name in found.done:
            lines.append(f"{name} was done by the run that was cut off{_since(note)}; it is not done again.")
        elif note:
            lines.append(f"{name} is taken up where it was cut off{_since(note)}: {note['stage']}.")
    return "\n".join(lines) or f"To be done, in this order: {', '.join(found.left)}."


def _since(note: Result | None) -> str:
    """Say when a host was begun, for that run may have been given up for good."""
    begun = figure(note or {}, "begun_s")
    return "" if begun is None else f" (begun {moment(int(begun))})"
