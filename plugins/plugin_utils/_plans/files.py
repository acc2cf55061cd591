# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans in files of the controller (private to the collection)."""

from __future__ import annotations

import contextlib
import os
import tempfile

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils._plans import document
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Plan

_TEMPORARY = ".dom0-xen-"


class PlanNotWritten(Dom0XenError):
    """The file for the plan cannot be written on the controller."""

    code = "plan_not_written"
    remedy = "Give a path in a folder that the controller may write to: -e plan_path=FILE."


class PlanNotRead(Dom0XenError):
    """The file of a plan cannot be read on the controller."""

    code = "plan_not_read"
    remedy = "Name the file that dom0.xen.plan has written: -e plan_path=FILE."


def write(path: str, plan: Plan) -> str:
    """Write a plan in one step, for whoever may read the folder; return the whole path. Raises PlanNotWritten."""
    target = os.path.abspath(os.path.expanduser(path))
    temporary = ""
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=_TEMPORARY)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(document.dump(plan))
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except OSError as exc:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise PlanNotWritten(f"{target} cannot be written: {exc.strerror}.", path=target) from exc
    return target


def read(path: str) -> Plan:
    """Return the plan in a file. Raises PlanNotRead, and what :func:`document.parse` raises."""
    target = os.path.abspath(os.path.expanduser(path))
    try:
        with open(target, "rb") as file:
            data = file.read(document.LARGEST_BYTES + 1)
    except OSError as exc:
        raise PlanNotRead(f"{target} cannot be read: {exc.strerror}.", path=target) from exc
    return document.parse(data.decode("utf-8", "replace"), target)
