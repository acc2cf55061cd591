# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the moves of a run were, as people read it at the end."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._applying.outcome import outcomes
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.steps import DONE, TO_DO, Step
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.table import table

A, B = "1c1a7b9e-3f5d-4c65-9e1a-0123456789ab", "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
LIVE: dict[str, t.Any] = {"end_state": "moved", "method": "live", "owner": "destination"}


def step(number: int, uuid: str, name: str, source: str, destination: str, state: str = TO_DO) -> Step:
    """A move of a plan."""
    host = f"{name}@{source}"
    return Step(number=number, uuid=uuid, name=name, source=source, destination=destination, host=host, state=state)


FIRST = step(1, B, "database", "xen3", "xen2", DONE)
SECOND, THIRD = step(2, A, "a", "xen1", "xen3"), step(3, B, "database", "xen2", "xen1")


def lines(steps: t.Sequence[Step], **results: dict[str, t.Any]) -> list[str]:
    """Return the table of these moves, with what came of each by the domain's name and its source."""
    told = {name.replace("_on_", "@"): result for name, result in results.items()}
    return table([each.to_result() for each in outcomes(steps, told)])


def test_the_moves_are_told_as_a_table() -> None:
    """Whoever emptied a host reads how long each guest stood still; what a move did not tell is no nought."""
    domain, earlier = {"uuid": A, "name": "a"}, {"uuid": B, "name": "database"}
    assert lines(
        [FIRST, SECOND, THIRD],
        # One that an earlier run has made: the figures are not those of this one.
        database_on_xen3={**LIVE, "domain": earlier, "destination": "xen2", "total_ms": 1},
        a_on_xen1={**LIVE, "domain": domain, "destination": "xen3", "total_ms": 64_200, "stop_ms": 367.4},
    ) == [
        "domain    from  to    method  total      stop    owner",
        "database  xen3  xen2  -       -          -       -",
        "a         xen1  xen3  live    1 min 4 s  367 ms  destination",
        "database  xen2  xen1  -       -          -       -",
    ]
    assert lines([]) == []


def test_figures_of_another_move_are_not_told() -> None:
    """Where variables have led a move elsewhere, its times and its owner say nothing about the one that was planned."""
    domain = {"uuid": B, "name": "database"}
    other = {**LIVE, "domain": domain, "destination": "xen3", "total_ms": 64_200, "stop_ms": 367}
    assert lines([SECOND], a_on_xen1=other)[1].split() == ["a", "xen1", "xen3", "-", "-", "-", "-"]


def test_a_move_whose_ownership_is_open_is_told_as_such() -> None:
    """With what is known of it, a long standstill in seconds, whatever a status document had in place of a time."""
    lost = {"failed": True, "code": "unsettled", "msg": "x", "method": "live", "owner": "unsettled"}
    told = lines([SECOND], a_on_xen1={**lost, "stop_ms": 4_321, "total_ms": "soon"})
    assert told[1].split() == ["a", "xen1", "xen3", "live", "-", "4.3", "s", "unsettled"]
