# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is told of the time for which a guest stood still."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.plugin_utils._progress import seconds
from ansible_collections.dom0.xen.plugins.plugin_utils._report import sentence
from ansible_collections.dom0.xen.plugins.plugin_utils._stop_told import rehearsal, remarks, words


def result(stop_ms: int | None, predicted_ms: int | None, budget_ms: int | None) -> dict[str, t.Any]:
    """A move's, as far as it matters."""
    over = None not in (predicted_ms, budget_ms) and (predicted_ms or 0) > (budget_ms or 0)
    told = {"predicted_ms": predicted_ms, "budget_ms": budget_ms, "over_budget": over}
    return {"stop_ms": stop_ms, "stop_prediction": told, "destination": "xen2", "reason": "It runs on xen2."}


def test_how_long_it_was() -> None:
    """With what was predicted, where that is known; nothing where it is not known, or of an older session."""
    assert words(result(3700, 3100, None)) == "stood still for 3.7 s, predicted 3.1 s"
    assert words(result(3700, None, None)) == words({"stop_ms": 3700}) == "stood still for 3.7 s"
    assert words(result(None, 3100, None)) == words({"stop_prediction": None}) == ""
    assert "(stood still for 3.7 s, predicted 3.1 s)" in sentence(result(3700, 3100, None), "centos")


@pytest.mark.parametrize(
    ("stop_ms", "predicted_ms", "budget_ms"),
    [(900, 800, 1000), (900, None, 1000), (900, 800, None), (None, 800, 1000), (None, None, None)],
)
def test_nothing_to_remark(stop_ms: int | None, predicted_ms: int | None, budget_ms: int | None) -> None:
    """It was in time, or had all the time it wanted."""
    assert remarks(result(stop_ms, predicted_ms, budget_ms), "xen1") == []
    assert remarks({"stop_ms": stop_ms, "stop_prediction": None}, "xen1") == []


@pytest.mark.parametrize(
    ("stop_ms", "predicted_ms", "told"),
    [
        (1200, 900, "its guest stood still for 1200 ms; 900 ms were predicted, 1000 ms were allowed."),
        (1200, None, "its guest stood still for 1200 ms; nothing was predicted, 1000 ms were allowed."),
        (900, 1100, "its guest stood still for 900 ms; 1100 ms were predicted, 1000 ms were allowed."),
        (
            None,
            1100,
            "its guest stood still for a time that is not known; 1100 ms were predicted, 1000 ms were allowed.",
        ),
    ],
)
def test_longer_than_it_should(stop_ms: int | None, predicted_ms: int | None, told: str) -> None:
    """It was, or was to be and was moved all the same: with the three times, and what comes of it."""
    (remark,) = remarks(result(stop_ms, predicted_ms, 1000), "xen1")
    assert (remark["code"], remark["host"], remark["msg"]) == ("stood_still_longer", "xen1", told)
    assert remark["remedy"]


@pytest.mark.parametrize(("stop_ms", "says"), [(900, True), (1200, False), (None, False)])
def test_only_what_was_measured_shows_that_a_prediction_was_too_high(stop_ms: int | None, says: bool) -> None:
    """Nothing was learnt of a move whose stop time is not known, either."""
    (remark,) = remarks(result(stop_ms, 1100, 1000), "xen1")
    assert ("was too high" in remark["remedy"]) is says
    assert ("reckon with what it took" in remark["remedy"]) is (stop_ms is not None)


def test_what_a_rehearsal_tells() -> None:
    """Both times, what of them is a guess, and whether it would have been too long."""
    told = {"predicted_ms": 3700, "predicted_total_ms": 63700, "base_known_by": "domain", "budget_ms": None}
    about = {"source": "xen1", "destination": "xen2", "reason": "It runs on xen1.", "stop_prediction": told}
    head = "The move of centos from xen1 to xen2 was rehearsed:"
    times = f"it would take {seconds(63.7)} in all, it would stand still for up to 3.7 s"
    assert rehearsal(about, "centos") == f"{head} {times}. It runs on xen1."
    about["stop_prediction"] = {**told, "base_known_by": "assumed", "over_budget": True, "budget_ms": 1000}
    for part in ("is assumed, since no move there is known", "1000 ms are allowed. It runs on xen1."):
        assert part in rehearsal(about, "centos")
    about["stop_prediction"] = {"predicted_ms": None}
    assert rehearsal(about, "centos") == f"{head} too little was sent to predict anything. It runs on xen1."
