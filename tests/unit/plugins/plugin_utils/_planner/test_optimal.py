# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner with OR-tools is as good as trying everything, never worse than the one without, and missing is told."""

from __future__ import annotations

import builtins
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._planner import optimal
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.board import Board
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.planner import plan
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import OPTIMAL, NoDestination
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.verify import carry_out
from ansible_collections.dom0.xen.tests.bench.plan_questions import cheapest, fleet, small


@pytest.fixture(scope="module")
def cp() -> t.Any:
    """OR-tools."""
    return pytest.importorskip("ortools.sat.python.cp_model")


def test_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it."""
    real = builtins.__import__

    def without(name: str, *arguments: t.Any, **more: t.Any) -> t.Any:
        if name.startswith("ortools"):
            raise ImportError(name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(optimal.SolverMissing, match="needs the Python library ortools") as caught:
        optimal.solver()
    assert "-m pip install ortools" in caught.value.remedy and "planner=builtin" in caught.value.remedy


def test_the_model_against_trying_everything(cp: t.Any) -> None:
    """Where it says that nothing is cheaper, nothing is, and where it finds an order, that is the cheapest."""
    compared = 0
    for seed in range(600):
        asked = small(seed)
        try:
            board = Board(asked)
        except NoDestination:
            continue
        items = board.items(board.at)
        if items is None or board.befriended & set(board.free_to_move) or not board.free_to_move:
            continue
        # Without the plan that is known already, which the model would only have to confirm.
        found = optimal._solve(cp, board, items, None, 20.0)
        best = cheapest(asked)
        if found.proven and found.steps is not None:
            compared += 1
            assert sum(board.size[guest] for guest, dummy in found.steps) == best, seed
        elif found.proven:
            assert best is None, seed
    assert compared > 80


def test_the_builtin_one_is_near(cp: t.Any) -> None:
    """On fleets of ten hosts what it moves is within 5 % of the best, which OR-tools proves."""
    proven = 0
    for seed in range(4):
        for filled in (0.9, 0.95):
            asked = fleet(seed, 10, 60, 2, filled=filled)
            quick, best = plan(asked), plan(asked, optimal.solver(), OPTIMAL)
            carry_out(asked, best.moves)
            assert best.planner == OPTIMAL and best.moved_mib <= quick.moved_mib <= 1.05 * best.moved_mib, seed
            proven += best.moved_mib == best.bound_mib
    assert proven > 4
