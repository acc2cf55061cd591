# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules about marks, which their action plugins share (private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._places import JOURNAL_PATH, ROLES
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import PLACES

Spec = t.Dict[str, t.Dict[str, t.Any]]

SLOT: Spec = {
    **PLACES,
    "uuid": {"type": "str", "required": True},
    "name": {"type": "str", "default": ""},
    "role": {"type": "str", "required": True, "choices": list(ROLES)},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "limit": {"type": "int", "default": 0},
    "timeout": {"type": "float", "default": 3600.0},
    "begin_by": {"type": "float", "default": 0.0},
    "wait": {"type": "float", "default": 45.0},
    "hold": {"type": "float", "default": 300.0},
    # It tells runs apart, and opens nothing.
    "token": {"type": "str", "default": "", "no_log": False},
}

CLAIM: Spec = {
    "state": {"type": "str", "required": True, "choices": ["claimed", "released"]},
    "token": {"type": "str", "required": True, "no_log": False},
    "run": {"type": "str", "default": ""},
    "stale_after": {"type": "float", "default": 300.0},
    "patience": {"type": "float", "default": 0.0},
    "take_over": {"type": "bool", "default": False},
    "holder": {
        "type": "dict",
        "default": {},
        "options": {
            "by": {"type": "str", "default": ""},
            "controller": {"type": "str", "default": ""},
            "machine": {"type": "str", "default": ""},
            "pid": {"type": "int", "default": 0},
            "started": {"type": "int", "default": 0},
        },
    },
    "dead": {"type": "str", "default": ""},
    "journal_path": {"type": "path", "default": JOURNAL_PATH},
}
