# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the action plugins that maintain hosts (private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import PLACES

Spec = t.Dict[str, t.Dict[str, t.Any]]

MAINTENANCE_PLAN: Spec = {
    "hosts": {"type": "dict", "required": True},
    "selected": {"type": "raw", "required": True},
    "inventory": {"type": "list", "elements": "str", "required": True},
    "notes": {"type": "dict", "default": {}},
    "run": {"type": "str", "default": ""},
    "tasks": {"type": "str", "default": ""},
    "release": {"type": "str", "default": ""},
    "plans": {"type": "dict"},
    "unmovable": {"type": "str", "default": "refuse", "choices": ["refuse", "suspend", "shutdown"]},
    "anew": {"type": "bool", "default": False},
}

MAINTENANCE_BACK: Spec = {
    **PLACES,
    "release": {"type": "str", "default": ""},
    "bridges": {"type": "list", "elements": "str", "default": []},
    "boot_before": {"type": "str", "default": ""},
    "timeout": {"type": "float", "default": 1200.0},
    "interval": {"type": "float", "default": 5.0},
}

MAINTENANCE_RETURN: Spec = {
    "hosts": {"type": "dict", "required": True},
    "host": {"type": "str", "required": True},
    "inventory": {"type": "list", "elements": "str", "required": True},
    "note": {"type": "dict", "required": True},
    "policy": {"type": "str", "default": "all", "choices": ["all", "none", "balanced"]},
    "leave_out": {"type": "list", "elements": "str", "default": []},
    "outcomes": {"type": "list", "elements": "dict", "default": []},
    "history": {"type": "dict", "default": {}},
    "blockers": {"type": "list", "elements": "dict", "default": []},
    "started": {"type": "list", "elements": "dict", "default": []},
    "why": {"type": "str", "default": ""},
}

MAINTENANCE_RESULT: Spec = {
    "selected": {"type": "list", "elements": "str", "required": True},
    "reports": {"type": "dict", "required": True},
    "result_path": {"type": "str", "default": ""},
}
