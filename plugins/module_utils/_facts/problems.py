# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as problems of a host, which are collected instead of raised (private to the collection)."""

from __future__ import annotations

import os
import sys

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._records import Problem
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.errors import NotRoot
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.errors import PyxsMissing


def problem(error: Dom0XenError) -> Problem:
    """Return an error as something that is wrong with the host."""
    return Problem(code=error.code, message=error.message, remedy=error.remedy)


def pyxs_problem() -> Problem:
    """Return the problem of a Python without pyxs; it names the interpreter, since pyxs may be there for another."""
    return problem(PyxsMissing(f"pyxs is not installed for {sys.executable}."))


def add_problem(problems: list[Problem], new: Problem) -> None:
    """Add a problem unless there is one of its kind."""
    if all(known.code != new.code for known in problems):
        problems.append(new)


def user_problem() -> list[Problem]:
    """Return a list with the problem of a user who is not root, or an empty one."""
    uid = os.geteuid()
    return (
        [problem(NotRoot(f"the connection to the host is that of the user with uid {uid}, not root's."))] if uid else []
    )
