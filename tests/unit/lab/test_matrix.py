# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of releases, guests and methods says well of nothing that is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from matrix.attempt import Leg, Verdict
from matrix.listing import GUESTS, METHODS, PAIRS, Cell, cells, chosen

GOOD = Leg(
    "xen1", "xen2", "", ["xen2"], 0, "destination", "moved", "live",
    same_boot=True, counter_never_fell=True, memory_verified=True,
)  # fmt: skip
REFUSED = replace(GOOD, refused="xen_older", where=["xen1"], status=2, owner="", end_state="", codes=["xen_older"])
WELL = Verdict("name", "bookworm", "bookworm", "pvh", "live", [GOOD])


def test_every_upward_pair_has_every_guest_and_method() -> None:
    """Nothing is left out, and nothing is tried twice."""
    names = [str(cell) for cell in cells()]
    assert len(PAIRS) == 6
    assert len(set(names)) == len(names) == len(PAIRS) * len(GUESTS) * len(METHODS)


def test_names_choose() -> None:
    """One pair, one guest."""
    assert {cell.guest for cell in chosen(["4.17-4.20:pv-"])} == {"pv-disk"}
    assert len(chosen([])) == len(list(cells()))


def test_downward_is_refused_and_within_a_release_it_goes_back() -> None:
    """The way back is tried in every pair."""
    assert Cell("bookworm", "trixie", "pvh", "live").ways[1].refused == "xen_older"
    assert Cell("trixie", "trixie", "pvh", "live").ways[1].refused == ""


def test_a_good_move_and_a_good_refusal_are_well() -> None:
    """What the others differ from."""
    assert WELL.well
    assert replace(WELL, legs=[GOOD, REFUSED]).well


@pytest.mark.parametrize(
    "bad",
    [
        replace(WELL, legs=[]),
        replace(WELL, error="no answer"),
        replace(WELL, stamps_problem="two writers"),
        replace(WELL, legs=[replace(GOOD, memory_verified=False)]),
        replace(WELL, legs=[replace(GOOD, same_boot=False)]),
        replace(WELL, legs=[replace(GOOD, double_answers=1)]),
        replace(WELL, legs=[replace(GOOD, where=["xen1", "xen2"])]),
        replace(WELL, legs=[replace(GOOD, where=["xen1"])]),
        replace(WELL, legs=[replace(GOOD, status=2)]),
        replace(WELL, legs=[replace(GOOD, method="suspend")]),
        replace(WELL, legs=[GOOD, replace(REFUSED, where=["xen2"])]),
        replace(WELL, legs=[GOOD, replace(REFUSED, status=0)]),
        replace(WELL, legs=[GOOD, replace(REFUSED, codes=["other"])]),
    ],
)
def test_what_is_not_well_is_not_called_so(bad: Verdict) -> None:
    """One thing that is wrong is enough."""
    assert not bad.well
