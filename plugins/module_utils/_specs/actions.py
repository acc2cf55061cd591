# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the action plugins (private to the collection).

The action plugin validates against them, and the module of the same name, which carries the documentation, has them so
that documentation and options are compared by ansible-test.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._methods import AUTO, METHODS
from ansible_collections.dom0.xen.plugins.module_utils._places import JOURNAL_PATH, ROLES
from ansible_collections.dom0.xen.plugins.module_utils._specs.shared import PLACES
from ansible_collections.dom0.xen.plugins.module_utils._transports import TLS, TRANSPORTS

# What a person may take upon himself in a restore; with the last four xl may refuse, and then nothing is left.
RESTORE_WAIVABLE = (
    *("image_restored", "image_checkpoint", "domain_elsewhere"),
    *("not_enough_memory", "bridge_missing", "cpupool_missing", "disk_missing"),
    *("cpu_features_shown", "grant_limits", "script_missing", "device_model_user_missing"),
)

Spec = t.Dict[str, t.Dict[str, t.Any]]

CREDENTIALS: Spec = {
    **PLACES,
    "role": {"type": "str", "required": True, "choices": list(ROLES)},
    "session": {"type": "str"},
    "ssh": {"type": "bool", "default": False},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
}
CREDENTIALS_REQUIRED_IF = [("state", "absent", ("session",))]

PLAN: Spec = {
    "domain": {"type": "str", "required": True},
    "source": {"type": "str", "default": ""},
    "destination": {"type": "str", "required": True},
    "hosts": {"type": "dict", "required": True},
}

FLEET_PATH: Spec = {"path": {"type": "str", "default": ""}}
FLEET_FACTS: Spec = {**FLEET_PATH, **PLACES, "processors": {"type": "bool", "default": True}}
FLEET_RULES: Spec = {**FLEET_PATH, "dom0s": {"type": "list", "elements": "str", "required": True}}
FLEET_KNOWN: Spec = {**FLEET_RULES, "answers": {"type": "dict", "default": {}}}
# What every plan is asked for, whatever it is for.
PLANNING: Spec = {
    "wanted": {"type": "dict", "default": {}},
    "planner": {"type": "str", "default": "builtin", "choices": ["builtin", "optimal"]},
    "leave": {"type": "bool", "default": False},
    "method": {"type": "str", "default": AUTO, "choices": list(METHODS)},
    "transport": {"type": "str", "default": TLS, "choices": list(TRANSPORTS)},
    "allow_plain": {"type": "bool", "default": False},
    "allow_cold": {"type": "bool", "default": False},
    "memory_reserve_mib": {"type": "int", "default": 0},
    "dom0_memory_min_mib": {"type": "int", "default": 512},
    "vcpus_per_cpu": {"type": "float", "default": 0.0},
    "waive": {"type": "raw", "default": []},
    "follow_config": {"type": "bool", "default": True},
    "network": {"type": "raw", "default": []},
    "map_bridges": {"type": "dict", "default": {}},
    "map_disks": {"type": "dict", "default": {}},
}
FLEET_PLAN: Spec = {
    **FLEET_RULES,
    **PLANNING,
    "goal": {"type": "str", "default": "empty", "choices": ["empty", "rebalance", "return"]},
    "hosts": {"type": "raw", "default": []},
    "threshold_percent": {"type": "float", "default": 10.0},
    "cost_percent": {"type": "float", "default": 1.0},
    "max_moves": {"type": "int", "default": 20},
    "plan_path": {"type": "str", "default": ""},
    "artifact": {"type": "bool", "default": False},
    "expires_s": {"type": "int", "default": 86400},
    "max_age_s": {"type": "int", "default": 600},
}

# What a move is asked for that can be checked beforehand, in the run that makes it or by itself.
_MOVE: Spec = {
    "network": {"type": "raw", "default": []},
    "asked_address": {"type": "str", "default": ""},
    "host_addresses": {"type": "dict", "default": {}},
    "listen_address": {"type": "str", "default": ""},
    "allow_same_host": {"type": "bool", "default": False},
    "method": {"type": "str", "default": AUTO, "choices": list(METHODS)},
    "transport": {"type": "str", "default": TLS, "choices": list(TRANSPORTS)},
    "allow_plain": {"type": "bool", "default": False},
    "memory_reserve_mib": {"type": "int", "default": 0},
    "dom0_memory_min_mib": {"type": "int", "default": 512},
    "waive": {"type": "raw", "default": []},
    "follow_config": {"type": "bool", "default": True},
    "allow_cold": {"type": "bool", "default": False},
    "config_path": {"type": "str", "default": ""},
    "map_bridges": {"type": "dict", "default": {}},
    "map_disks": {"type": "dict", "default": {}},
    "preserve_domid": {"type": "bool", "default": False},
    "leave_paused": {"type": "bool", "default": False},
    "domain_info": {"type": "dict", "default": {}},
    "inventory": {"type": "list", "elements": "str", "required": True},
    "result_path": {"type": "str", "default": ""},
}

CHECK: Spec = {
    **_MOVE,
    "domain": {"type": "str", "required": True},
    "source": {"type": "str", "default": ""},
    "destination": {"type": "str", "required": True},
    "source_info": {"type": "dict", "default": {}},
    "destination_info": {"type": "dict", "default": {}},
    "destination_address": {"type": "str", "required": True},
    "source_journal_path": {"type": "path", "default": JOURNAL_PATH},
    "destination_journal_path": {"type": "path", "default": JOURNAL_PATH},
}

RESTORE: Spec = {
    **PLACES,
    "path": {"type": "path", "required": True},
    "hosts": {"type": "dict", "required": True},
    "inventory": {"type": "list", "elements": "str", "required": True},
    "switched_off": {"type": "list", "elements": "str", "default": []},
    "leave_paused": {"type": "bool", "default": False},
    "verify": {"type": "str", "default": "full", "choices": ["full", "quick"]},
    "waive": {"type": "list", "elements": "str", "default": [], "choices": list(RESTORE_WAIVABLE)},
}

GATE: Spec = {
    **PLACES,
    "session": {"type": "str", "required": True},
    "state": {
        "type": "str",
        "choices": ["started", "permitted", "refused", "undo_started", "undone"],
        "required": True,
    },
    "reason": {"type": "str", "default": ""},
    "timeout": {"type": "int", "default": 30},
}

WATCH: Spec = {
    "status_path": {"type": "path", "required": True},
    "result_path": {"type": "path", "required": True},
    "pid": {"type": "int"},
    "source": {"type": "str", "required": True},
    "destination": {"type": "str", "required": True},
    "until": {"type": "str", "default": "ended", "choices": ["gate", "ended"]},
    "gate": {"type": "str", "default": "engine", "choices": ["engine", "controller"]},
    "gate_tasks": {"type": "bool", "default": False},
    "interval": {"type": "float", "default": 5.0},
    "timeout": {"type": "float", "default": 14400.0},
    "silence_timeout": {"type": "float", "default": 300.0},
    "beat_path": {"type": "str", "default": ""},
    "progress_path": {"type": "str", "default": ""},
}

VERDICT: Spec = {
    "domain": {
        "type": "dict",
        "required": True,
        "options": {"uuid": {"type": "str", "required": True}, "name": {"type": "str", "required": True}},
    },
    "source": {"type": "str", "default": ""},
    "destination": {"type": "str", "required": True},
    "source_info": {"type": "dict", "default": {}},
    "destination_info": {"type": "dict", "default": {}},
    "status": {"type": "dict", "default": {}},
    "ending": {"type": "str", "default": ""},
    "same_host": {"type": "bool", "default": False},
    "error": {"type": "dict", "default": {}},
    "error_host": {"type": "str", "default": ""},
    "method_reason": {"type": "str", "default": ""},
    "findings": {"type": "list", "elements": "dict", "default": []},
    "leave_paused": {"type": "bool", "default": False},
    "rehearse": {"type": "bool", "default": False},
    "after_tasks": {"type": "str", "default": "none", "choices": ["none", "given", "caught_up"]},
    "result_path": {"type": "str", "default": ""},
}

INTERRUPTED: Spec = {
    "domain": {"type": "str", "default": ""},
    "hosts": {"type": "dict", "required": True},
    "repeat": {"type": "dict", "default": {}},
}

DECISION: Spec = {
    "name": {"type": "str", "required": True},
    "uuid": {"type": "str", "required": True},
    "source": {"type": "str", "default": ""},
    "destination": {"type": "str", "default": ""},
    "source_look": {"type": "dict", "default": {}},
    "destination_look": {"type": "dict", "default": {}},
    "hosts": {"type": "dict", "default": {}},
    "gone": {"type": "list", "elements": "str", "default": []},
    "ran": {"type": "str", "default": "unknown", "choices": ["unknown", "yes", "no"]},
    "latest": {"type": "str", "default": ""},
    "repeat": {"type": "dict", "default": {}},
    "may_ask": {"type": "bool", "default": False},
}

DOMAIN_CHECK: Spec = {
    **_MOVE,
    "domain": {"type": "str", "default": ""},
    "source": {"type": "str", "default": ""},
    "destination": {"type": "str", "default": ""},
    "hosts": {"type": "dict", "required": True},
    "destination_address": {"type": "str", "default": ""},
}

AUDIT: Spec = {
    "hosts": {"type": "dict", "required": True},
    "hosts_again": {"type": "dict", "default": {}},
    "inventory": {"type": "list", "elements": "str", "required": True},
    "fail_on": {"type": "str", "default": "error", "choices": ["error", "warning", "never"]},
    "result_path": {"type": "str", "default": ""},
}

FLEET_REPORT: Spec = {
    "path": {"type": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": ["present", "tried"]},
    "title": {"type": "str", "default": "Moves of Xen domains"},
    "selected": {"type": "dict", "default": {}},
    "by": {"type": "str", "default": ""},
    "reference": {"type": "str", "default": ""},
    "began_s": {"type": "float"},
    "ended_s": {"type": "float"},
    "planned": {"type": "list", "elements": "dict", "default": []},
    "results": {"type": "list", "elements": "dict", "default": []},
    "refused": {"type": "list", "elements": "dict", "default": []},
    "outcomes": {"type": "dict", "default": {}},
    "rounds": {"type": "list", "elements": "dict", "default": []},
    "blockers": {"type": "list", "elements": "dict", "default": []},
    "hosts_before": {"type": "dict", "default": {}},
    "hosts_after": {"type": "dict", "default": {}},
    "charts": {"type": "bool", "default": True},
}

TASK_FILES: Spec = {
    "files": {"type": "dict", "required": True},
    "gate": {"type": "str", "default": "", "choices": ["", "engine", "controller"]},
}
