# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks that may be lost with a host are told before a guest stands still for them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._task_files import beyond_reach, unguarded

FENCE: dict[str, t.Any] = {"name": "Fence", "delegate_to": "pdu1"}


@pytest.mark.parametrize(
    ("tasks", "names"),
    [
        ([FENCE], ["Fence"]),
        ([{"delegate_to": "{{ migrate_source }}"}], ["a task without a name"]),
        ([{**FENCE, "ignore_unreachable": True}], []),
        ([{"name": "Ask", "delegate_to": "localhost"}, {"name": "Say"}], []),
        ([{"block": [FENCE], "rescue": [{**FENCE, "name": "Tell"}], "always": [{"name": "Say"}]}], ["Fence", "Tell"]),
        ([{"block": [FENCE], "ignore_unreachable": True}], []),
        ([{"block": [{**FENCE, "ignore_unreachable": False}], "ignore_unreachable": True}], ["Fence"]),
        ([{"block": [{"name": "Say"}], "name": "All", "delegate_to": "pdu1"}], ["All"]),
        ([{"block": None}], []),
    ],
)
def test_what_a_host_out_of_reach_takes_with_it(tasks: list[dict[str, t.Any]], names: list[str]) -> None:
    """As Ansible hands it down: what a task says for itself goes before what its block says."""
    assert list(unguarded(tasks)) == names


def test_only_while_the_guest_stands_still() -> None:
    """Before and after the move it runs, wherever, and the play's own end is enough."""
    assert beyond_reach("migrate_gate_tasks", [FENCE]) and beyond_reach("migrate_gate_undo_tasks", [FENCE])
    assert not beyond_reach("migrate_before_tasks", [FENCE])
