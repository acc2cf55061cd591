# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains come back to the host that they had left, and nobody else moves for it."""

from __future__ import annotations

import dataclasses

from ansible_collections.dom0.xen.plugins.plugin_utils._applying.planning import planned
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import Wish
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import RETURN, Plan
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet.examples import identity
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._plans.examples import NOW_S, fleet, moves

PLACES = {"xen1": ("here",), "xen2": ("a", "stranger"), "xen3": ("b",)}


def back(known: Fleet, *names: str, reserve_mib: int = 0) -> Plan:
    """The plan that brings these to xen1."""
    wish = Wish((), "p1", NOW_S, leave=True, wanted={identity(name): "xen1" for name in names})
    return planned(known, wish, Settings(memory_reserve_mib=reserve_mib), None, make_room=False)


def without_bridges(known: Fleet, name: str) -> Fleet:
    """The fleet where a host has lost its bridges."""
    dom0s = []
    for dom0 in known.dom0s:
        if dom0.name == name and dom0.told is not None:
            host = dataclasses.replace(dom0.told.host, bridges=())
            dom0 = dataclasses.replace(dom0, told=dataclasses.replace(dom0.told, host=host))
        dom0s.append(dom0)
    return Fleet(tuple(dom0s), known.rules)


def test_only_what_is_wanted_comes() -> None:
    """From wherever it is."""
    made = back(fleet(None, **PLACES), "a", "b")
    assert sorted(moves(made)) == [("a", "xen2", "xen1"), ("b", "xen3", "xen1")]
    assert made.goal == RETURN and not made.blockers


def test_what_keeps_one_from_it_is_told_of_that_host() -> None:
    """The others come, and what speaks against hosts that it is not to go to is no answer."""
    made = back(without_bridges(fleet(None, **PLACES), "xen1"), "a")
    (blocker,) = made.blockers
    assert {reason.host for reason in blocker.reasons} == {"xen1"} and "where it is wanted, xen1" in blocker.why
    rules = {"dom0_xen_domains": {"a": {"allowed": ["xen2", "xen3"]}}}
    made = back(fleet(rules, **PLACES), "a", "b")
    assert moves(made) == [("b", "xen3", "xen1")]
    assert [each.why for each in made.blockers] == [
        "it may go to xen2, xen3 only, and not to xen1, where it is wanted."
    ]


def test_one_that_has_no_room_keeps_no_other_away() -> None:
    """Such as on a host that needs more memory for itself since its upgrade: the others come, and that one is told."""
    known = fleet(None, **PLACES)
    free = next(dom0.host.free_memory_mib or 0 for dom0 in known.dom0s if dom0.name == "xen1" and dom0.host)
    made = back(known, "a", "b", reserve_mib=free - 200)
    assert len(made.moves) == 1 and made.shortage is None
    (blocker,) = made.blockers
    assert blocker.code == "no_room" and {blocker.name, made.moves[0].name} == {"a", "b"}
    assert "xen1, where it is wanted, has 200 MiB" in blocker.why
