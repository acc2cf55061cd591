# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan is asked for, and what is known of the hosts that are meant now (private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands as commands
from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import codes
from ansible_collections.dom0.xen.plugins.module_utils._records import Problem
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import UNREACHABLE, Dom0, Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import Rules
from ansible_collections.dom0.xen.plugins.plugin_utils._moving import new_session, texts
from ansible_collections.dom0.xen.plugins.plugin_utils._planner import optimal
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.planner import Solver
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import OPTIMAL
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.making import Wish
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.pairs import Settings

_AGAIN = f"See that it answers, and ask it again: {commands.playbook('facts')}"


def named(asked: t.Any, groups: t.Mapping[str, t.Sequence[str]], dom0s: t.Sequence[str]) -> tuple[str, ...]:
    """Return the hosts that are meant: names of dom0s, or of groups, as a list or with commas between them.

    What is neither is returned as it is. Of a group those count that are dom0s. Between commas there may be nothing.
    """
    found: list[str] = []
    for name in filter(None, codes(asked)):
        inside = [host for host in groups.get(name, ()) if host in dom0s]
        found += [name] if name in dom0s or not inside else inside
    return tuple(dict.fromkeys(found))


def as_of_now(known: Fleet, dom0s: t.Sequence[str], rules: Rules, now_s: float, max_age_s: int) -> Fleet:
    """Return the fleet of these dom0s: one of which nothing was heard for longer counts as one that does not answer."""
    found = []
    for name in sorted(dom0s):
        dom0 = known.by_name.get(name)
        age = dom0.age_s(now_s) if dom0 is not None and dom0.told is not None else None
        if dom0 is None or (dom0.told is None and dom0.trouble is None):
            dom0 = Dom0(name, now_s, None, Problem(UNREACHABLE, "it was never asked", _AGAIN))
        elif age is not None and age > max_age_s:
            why = f"it was last asked {age:.0f} s ago, which is more than {max_age_s} s"
            dom0 = Dom0(name, dom0.asked_s, None, Problem(UNREACHABLE, why, _AGAIN), dom0.told)
        found.append(dom0)
    return Fleet(tuple(found), rules)


def settings_of(options: t.Mapping[str, t.Any]) -> Settings:
    """Return how the moves are to be made, from the options of the action plugin."""
    fields = {field.name for field in dataclasses.fields(Settings)}
    given = {key: value for key, value in options.items() if key in fields}
    given.update(
        waive=codes(options["waive"]),
        networks=codes(options["network"]),
        map_bridges=texts(options["map_bridges"]),
        map_disks=texts(options["map_disks"]),
    )
    return Settings(**given)


def wish_of(options: t.Mapping[str, t.Any], empty: t.Sequence[str], now_s: float, expires_after_s: int = 0) -> Wish:
    """Return what is asked for, from the options of the action plugin; each time with an identity of its own."""
    return Wish(
        empty=tuple(empty),
        identity=new_session(),
        now_s=now_s,
        expires_after_s=expires_after_s,
        leave=options["leave"],
        wanted=texts(options["wanted"]),
        planner=options["planner"],
    )


def solver_of(planner: str) -> Solver | None:
    """Return what the planner of this name finds its ways with, None for what is built in. Raises SolverMissing."""
    return optimal.solver() if planner == OPTIMAL else None
