# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan is carried out as long as it holds, also by a run that picks up where another was killed."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.essence import essence
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.holding import BEGUN_S, require
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import (
    PlanExpired,
    PlanOfAnotherInventory,
    PlanOutdated,
)
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet import examples as facts
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._plans.examples import NOW_S, fleet, moved, plan

KNOWN = fleet()
MADE = plan(KNOWN, "xen1", expires_after_s=600)


def test_holds() -> None:
    """Nothing has changed: nothing is done yet."""
    assert require(MADE, essence(KNOWN), NOW_S + 599).done == ()


def test_expired() -> None:
    """It is refused a second too late; one that was begun is brought to its end."""
    with pytest.raises(PlanExpired, match="was good until 2023-11-14 22:25:00 UTC"):
        require(MADE, essence(KNOWN), NOW_S + 601)
    begun = essence(moved(KNOWN, MADE, 1))
    assert require(MADE, begun, NOW_S + 601).done == (1,)
    assert require(MADE, essence(KNOWN), NOW_S + 601, begun=True).done == ()


def test_one_that_was_begun_is_not_good_for_ever() -> None:
    """A day behind its expiry what it was made from may be told alike by chance only."""
    begun = essence(moved(KNOWN, MADE, 1))
    assert require(MADE, begun, NOW_S + 600 + BEGUN_S).done == (1,)
    for now, under_way in ((begun, False), (essence(KNOWN), True)):
        with pytest.raises(PlanExpired, match="and a day more"):
            require(MADE, now, NOW_S + 601 + BEGUN_S, begun=under_way)
    for_ever = plan(KNOWN, "xen1")
    assert require(for_ever, essence(moved(KNOWN, for_ever, 1)), NOW_S + 10 * BEGUN_S).done == (1,)


def test_its_own_moves_are_no_change() -> None:
    """What it has done itself is told as done, in any order."""
    for numbers in ((1,), (2,), (1, 2)):
        found = require(MADE, essence(moved(KNOWN, MADE, *numbers)), NOW_S)
        assert found.done == numbers and found.changes == ()


def test_one_that_steps_aside_and_comes_back_is_not_there_before_it_left() -> None:
    """Else a plan that nobody has begun would be one that was begun, and good for a day longer."""
    c = dataclasses.replace(
        MADE.moves[0], number=1, uuid=facts.identity("c"), name="c", source="xen2", destination="xen3"
    )
    back = dataclasses.replace(c, number=2, source="xen3", destination="xen2", after=(1,))
    made = dataclasses.replace(MADE, moves=(c, back))
    # Something that is no change to the plan, as time brings it.
    now = essence(moved(moved(KNOWN, made, 1), made, 2))
    assert now.digest != MADE.digest and require(made, now, NOW_S).done == ()
    assert require(made, essence(moved(KNOWN, made, 1)), NOW_S).done == (1,)


def test_what_has_changed_is_told() -> None:
    """A new domain, and one that has gone elsewhere, beside its own moves."""
    other = fleet(xen1=("a", "b", "new"), xen2=("c",), xen3=())
    with pytest.raises(PlanOutdated, match="new is new, on xen1"):
        require(MADE, essence(other), NOW_S)
    elsewhere = fleet(xen1=("a", "b"), xen2=(), xen3=("c",))
    with pytest.raises(PlanOutdated, match="c is on xen3 now, not on xen2"):
        require(MADE, essence(elsewhere), NOW_S)
    with pytest.raises(PlanOutdated, match="c is on xen1 now, not on xen2"):
        require(MADE, essence(moved(fleet(xen1=("a", "b", "c"), xen2=(), xen3=()), MADE, 1)), NOW_S)


def test_less_memory_is_a_change() -> None:
    """Also after a move of its own: only what that explains is explained."""
    for numbers in ((), (1,)):
        known = moved(KNOWN, MADE, *numbers)
        dom0 = known.dom0s[2]
        host = dataclasses.replace(dom0.host, free_memory_mib=300)  # type: ignore[type-var]
        less = dataclasses.replace(dom0, told=dataclasses.replace(dom0.told, host=host))  # type: ignore[type-var]
        with pytest.raises(PlanOutdated, match="less free memory"):
            require(MADE, essence(Fleet((*known.dom0s[:2], less), known.rules)), NOW_S)


def test_another_inventory() -> None:
    """A plan about hosts that the inventory does not have is another inventory's."""
    with pytest.raises(PlanOfAnotherInventory, match="is about xen3"):
        require(MADE, essence(fleet(xen1=("a", "b"), xen2=("c",))), NOW_S)


def test_a_host_that_has_died() -> None:
    """It is told as what it is."""
    dead = Fleet((*KNOWN.dom0s[:2], facts.dead("xen3")), KNOWN.rules)
    with pytest.raises(PlanOutdated, match="xen3 is in trouble now: unreachable"):
        require(MADE, essence(dead), NOW_S)
