# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the action plugins that carry out plans and empty hosts (private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._specs.actions import PLANNING

Spec = t.Dict[str, t.Dict[str, t.Any]]

MOVES_PREPARE: Spec = {
    "moves": {"type": "list", "elements": "dict", "required": True},
    "hosts": {"type": "dict", "required": True},
    "departures": {"type": "dict", "default": {}},
    "arrivals": {"type": "dict", "default": {}},
    "parallel": {"type": "int", "default": 0},
    "deadline": {"type": "float", "default": 0.0},
    "rows": {"type": "str", "default": "domains", "choices": ["domains", "hosts"]},
    "plan": {"type": "str", "default": ""},
    "leave_out": {"type": "list", "elements": "str", "default": []},
}

MOVES_TURN: Spec = {
    "board": {"type": "path", "required": True},
    "number": {"type": "int", "required": True},
    "state": {"type": "str", "default": "begun", "choices": ["begun", "done", "failed"]},
    "beat_path": {"type": "str", "default": ""},
}

MOVES_COMPARE: Spec = {
    "moves": {"type": "list", "elements": "dict", "required": True},
    "results": {"type": "dict", "default": {}},
    "stops": {"type": "list", "elements": "dict", "default": []},
    "blockers": {"type": "list", "elements": "dict", "default": []},
    "leave": {"type": "bool", "default": False},
    "result_path": {"type": "str", "default": ""},
}

# How moves are made, as far as the checks of a plan ask for it.
_ASKED = (
    *("method", "transport", "allow_plain", "allow_cold", "memory_reserve_mib", "dom0_memory_min_mib", "waive"),
    *("follow_config", "network", "map_bridges", "map_disks"),
)
PLAN_PROGRESS: Spec = {
    "path": {"type": "str", "default": ""},
    "plan": {"type": "str", "default": ""},
    "hosts": {"type": "dict", "required": True},
    "settled": {"type": "bool", "default": False},
    "asked": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"host": {"type": "str", "default": ""}, **{name: PLANNING[name] for name in _ASKED}},
    },
}

EVACUATION_LOOK: Spec = {
    "hosts": {"type": "dict", "required": True},
    "empty": {"type": "raw", "required": True},
    "inventory": {"type": "list", "elements": "str", "required": True},
    "outcomes": {"type": "list", "elements": "dict", "default": []},
    "history": {"type": "dict", "default": {}},
    "retries": {"type": "int", "default": 2},
    "tried": {"type": "list", "elements": "str", "default": []},
}

EVACUATION_PLAN: Spec = {
    **PLANNING,
    "hosts": {"type": "dict", "required": True},
    "empty": {"type": "list", "elements": "str", "required": True},
    "leave_out": {"type": "list", "elements": "str", "default": []},
    "make_room": {"type": "bool", "default": False},
}

EVACUATION_RESULT: Spec = {
    "selected": {"type": "list", "elements": "str", "required": True},
    "seen": {"type": "dict", "required": True},
    "moves": {"type": "list", "elements": "dict", "default": []},
    "history": {"type": "dict", "default": {}},
    "why": {"type": "str", "default": ""},
    "sessions": {"type": "list", "elements": "dict", "default": []},
    "opened": {"type": "dict", "default": {}},
    "result_path": {"type": "str", "default": ""},
}

MOVES_SEEN: Spec = {
    "hosts": {"type": "dict", "required": True},
    "inventory": {"type": "list", "elements": "str", "required": True},
    "result_path": {"type": "str", "default": ""},
}
