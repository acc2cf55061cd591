# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several modules share (private to the collection); documented in plugins/doc_fragments."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._places import JOURNAL_PATH, RUNTIME_PATH

PLACES: dict[str, dict[str, t.Any]] = {
    "runtime_path": {"type": "path", "default": RUNTIME_PATH},
    "journal_path": {"type": "path", "default": JOURNAL_PATH},
}

CLAIMANT: dict[str, dict[str, t.Any]] = {
    # It tells runs apart, and opens nothing.
    "token": {"type": "str", "default": "", "no_log": False},
}

ARRIVAL: dict[str, dict[str, t.Any]] = {
    "mapped": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "what": {"type": "str", "required": True, "choices": ["bridge", "disk"]},
            "from": {"type": "str", "required": True},
            "to": {"type": "str", "required": True},
        },
    },
    "leave_paused": {"type": "bool", "default": False},
    "keep_domid": {"type": "int", "default": 0},
    "after_tasks": {"type": "bool", "default": False},
}

BUDGET: dict[str, dict[str, t.Any]] = {
    "timeout_per_gib": {"type": "int", "default": 0},
    "max_stop_ms": {"type": "int", "default": 0},
    "on_over_budget": {"type": "str", "choices": ["abort", "continue"], "default": "abort"},
    "rehearse": {"type": "bool", "default": False},
}

PATH: dict[str, dict[str, t.Any]] = {"planned_interface": {"type": "str", "default": ""}}


class PortRangeInvalid(Dom0XenError):
    """A range of ports is not one."""

    code = "port_range_invalid"
    remedy = "Give the first and the last TCP port with a dash between them, for instance 49152-49215."


def port_range(text: str) -> tuple[int, int]:
    """Return the first and the last port of ``FIRST-LAST``, or of a single port. Raises PortRangeInvalid."""
    first, dash, last = text.partition("-")
    try:
        ports = int(first), int(last if dash else first)
    except ValueError:
        raise PortRangeInvalid(f"{text!r} is not a range of ports") from None
    if not 1 <= ports[0] <= ports[1] <= 65535:
        raise PortRangeInvalid(f"{text!r} is not a range of ports")
    return ports
