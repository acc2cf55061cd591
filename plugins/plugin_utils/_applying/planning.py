# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning for hosts that are emptied: domains elsewhere are touched only when that is asked for (pure; private)."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.planner import Solver, plan
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.asking import ask, stage
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import Wish, as_plan, goal_of, make
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Plan


def planned(fleet: Fleet, wish: Wish, settings: Settings, solver: Solver | None, make_room: bool) -> Plan:
    """Return the plan. Without ``make_room`` no domain moves but those of the hosts that are to be emptied, and
    those that are wanted elsewhere.

    Raises what :func:`make` raises.
    """
    if make_room or not (wish.empty or wish.wanted):
        return make(fleet, wish, settings, solver)
    found = stage(fleet, wish.empty, settings, wish.wanted)
    question = ask(found, room=False, leave=wish.leave)
    return as_plan(found, question, plan(question, solver, wish.planner), wish, goal_of(wish))


def others(made: Plan) -> list[str]:
    """Return the moves of domains that are on no host which is to be emptied, for a sentence."""
    return [
        f"{move.name} from {move.source} to {move.destination}" for move in made.moves if move.source not in made.hosts
    ]
