# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with files of tasks that a caller has given (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError

ENGINE = "engine"
TASKS, UNDO = "migrate_gate_tasks", "migrate_gate_undo_tasks"
# The lists of tasks that a block is made of, and this machine.
_PARTS = ("block", "rescue", "always")
_HERE = ("localhost", "127.0.0.1")


class TaskFileInvalid(Dom0XenError):
    """A file of tasks that could not be run when its time comes, or that nothing would run."""

    code = "task_file_invalid"
    remedy = "Give absolute paths of files of tasks on the machine that runs Ansible. Nothing was touched."


class Told(t.NamedTuple):
    """What speaks against the files together, and what is only worth knowing."""

    errors: list[str]
    warnings: list[str]


def shape_trouble(path: str, content: object) -> str:
    """Return why what was read from ``path`` is no list of tasks, empty where it is one."""
    if not content:
        return f"{path} holds no tasks"
    if not isinstance(content, list) or not all(isinstance(task, dict) for task in content):
        return f"{path} is no list of tasks"
    if any("hosts" in task for task in content):
        return f"{path} is a playbook, not a list of tasks"
    return ""


def unguarded(tasks: t.Iterable[t.Mapping[str, t.Any]], guarded: bool = False) -> t.Iterator[str]:
    """Yield the names of tasks for another machine that take the move out of the play when it cannot be reached.

    Ansible runs neither a rescue nor an always for it. ``guarded``: a block around them ignores that. What is known
    only when it runs, as what a file that they include holds, is left alone.
    """
    for task in tasks:
        safe = bool(task.get("ignore_unreachable", guarded))
        for part in _PARTS:
            yield from unguarded(task.get(part) or (), safe)
        where = task.get("delegate_to")
        if where and where not in _HERE and not safe:
            yield str(task.get("name", "a task without a name"))


def beyond_reach(option: str, content: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Return the warning of tasks at the gate, or of those that undo them, which may be lost with a host; or none."""
    names = list(unguarded(content)) if option in (TASKS, UNDO) else []
    if not names:
        return []
    return [
        f"{option}: a host that cannot be reached takes the move out of the play, and then nobody refuses the"
        f" permission before migrate_gate_timeout, or nobody undoes. So give ignore_unreachable: true to what is for"
        f" another machine, and fail by what it registered: {'; '.join(names)}."
    ]


def gate_alone(given: t.Mapping[str, str], gate: str) -> Told:
    """Return what is wrong with the tasks at the ``gate`` among the files (name, path); empty: no move is begun."""
    if TASKS not in given or not gate:
        return Told([], [])
    if gate == ENGINE:
        return Told([f"{TASKS} would not be run: that needs migrate_gate=controller, and migrate_gate is {gate}"], [])
    if UNDO not in given:
        return Told([], [_STANDS])
    return Told([], [])


_STANDS = (
    f"{TASKS} has no {UNDO}: when one of them fails, or the destination does, the guest stands still until somebody"
    " says that they are undone. Where there is nothing to undo, a file whose only task says so will do."
)
