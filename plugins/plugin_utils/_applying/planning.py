# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning for hosts that are emptied: domains elsewhere are touched only when that is asked for (pure; private)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._records import INCOMING, MIGRATED_AWAY
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.planner import Solver, plan
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.asking import DomainTwice, ask, stage
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import LEFTOVER, Wish, as_plan, goal_of, make
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import Plan, PlannedBlocker


def planned(fleet: Fleet, wish: Wish, settings: Settings, solver: Solver | None, make_room: bool) -> Plan:
    """Return the plan. Without ``make_room`` no domain moves but those of the hosts that are to be emptied, and those
    that are wanted elsewhere.

    Where some are to be left, what is not known of one host, or of one domain, does not stop the others. Raises what
    :func:`make` raises.
    """
    if wish.leave:
        fleet, wish, aside = set_aside(fleet, wish)
        made = _planned(fleet, wish, settings, solver, make_room)
        return dataclasses.replace(made, blockers=(*made.blockers, *aside))
    return _planned(fleet, wish, settings, solver, make_room)


def _planned(fleet: Fleet, wish: Wish, settings: Settings, solver: Solver | None, make_room: bool) -> Plan:
    if make_room or not (wish.empty or wish.wanted):
        return make(fleet, wish, settings, solver)
    found = stage(fleet, wish.empty, settings, wish.wanted)
    question = ask(found, room=False, leave=wish.leave)
    return as_plan(found, question, plan(question, solver, wish.planner), wish, goal_of(wish))


def set_aside(fleet: Fleet, wish: Wish) -> tuple[Fleet, Wish, tuple[PlannedBlocker, ...]]:
    """Return both without hosts that told nothing, as long as there is another, and without domains on two hosts.

    The latter are returned as what stays where it is.
    """
    known = tuple(name for name in wish.empty if name not in fleet.by_name or fleet.by_name[name].trouble is None)
    twice: dict[str, tuple[str, ...]] = {}
    for uuid, places in fleet.by_uuid.items():
        there = tuple(place.dom0 for place in places if not place.domain.name.endswith((INCOMING, MIGRATED_AWAY)))
        if len(set(there)) > 1 and set(there) & set(wish.empty):
            twice[uuid] = there
    blockers = tuple(
        PlannedBlocker(
            *(place.domain.uuid, place.domain.name, place.dom0, DomainTwice.code),
            f"it is on {' and on '.join(dict.fromkeys(twice[place.domain.uuid]))}. {DomainTwice.remedy}",
        )
        for place in fleet.places
        if place.domain.uuid in twice and place.dom0 in wish.empty
    )
    dom0s = []
    for dom0 in fleet.dom0s:
        if dom0.told is not None:
            domains = tuple(domain for domain in dom0.told.domains if domain.uuid not in twice)
            dom0 = dataclasses.replace(dom0, told=dataclasses.replace(dom0.told, domains=domains))
        dom0s.append(dom0)
    left = dataclasses.replace(fleet, dom0s=tuple(dom0s)) if twice else fleet
    return left, dataclasses.replace(wish, empty=known or wish.empty), blockers


def but(made: Plan, left_out: t.Container[str]) -> Plan:
    """Return the plan without what it says of domains that are not its matter: something else has to be done first."""
    return dataclasses.replace(made, blockers=tuple(each for each in made.blockers if each.uuid not in left_out))


def unmovable(made: Plan) -> list[PlannedBlocker]:
    """Return the domains that stay, and may be suspended or shut down: no copies, and none that is there twice."""
    return [blocker for blocker in made.blockers if blocker.code not in (LEFTOVER, DomainTwice.code)]


def others(made: Plan) -> list[str]:
    """Return the moves of domains that are on no host which is to be emptied, for a sentence."""
    return [
        f"{move.name} from {move.source} to {move.destination}" for move in made.moves if move.source not in made.hosts
    ]
