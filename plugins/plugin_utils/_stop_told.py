# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person is told of how long a guest stood still, and was to (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._progress import seconds

LONGER = "stood_still_longer"
# The code of a session that has ended as a rehearsal (_session/terms/failures.py).
REHEARSED = "rehearsed"


def words(result: t.Mapping[str, t.Any]) -> str:
    """Return how long it stood still, and what was predicted; empty where it is not known."""
    stop_ms, predicted_ms = result.get("stop_ms"), (result.get("stop_prediction") or {}).get("predicted_ms")
    if stop_ms is None:
        return ""
    predicted = f", predicted {seconds(predicted_ms / 1000)}" if predicted_ms is not None else ""
    return f"stood still for {seconds(stop_ms / 1000)}{predicted}"


def rehearsal(result: t.Mapping[str, t.Any], name: str) -> str:
    """Return one sentence about a move that was rehearsed: what it would come to, and where the domain is."""
    told = result.get("stop_prediction") or {}
    head = f"The move of {name} from {result['source']} to {result['destination']} was rehearsed:"
    if told.get("predicted_ms") is None:
        return f"{head} too little was sent to predict anything. {result['reason']}"
    figures = [f"it would stand still for up to {seconds(told['predicted_ms'] / 1000)}"]
    if told.get("predicted_total_ms") is not None:
        figures.insert(0, f"it would take {seconds(told['predicted_total_ms'] / 1000)} in all")
    if told.get("base_known_by") == "assumed":
        figures.append("what passes at the destination is assumed, since no move there is known")
    if told.get("over_budget"):
        figures.append(f"{told['budget_ms']} ms are allowed")
    return f"{head} {', '.join(figures)}. {result['reason']}"


def remarks(result: t.Mapping[str, t.Any], source: str) -> list[dict[str, t.Any]]:
    """Return that it stood still for longer than it was allowed to, or was expected to and was moved all the same."""
    told, stop_ms = result.get("stop_prediction") or {}, result.get("stop_ms")
    budget_ms, predicted_ms = told.get("budget_ms"), told.get("predicted_ms")
    longer = budget_ms and stop_ms is not None and stop_ms > budget_ms
    if not longer and not told.get("over_budget"):
        return []
    stood = f"stood still for {stop_ms} ms" if stop_ms is not None else "stood still for a time that is not known"
    expected = f"{predicted_ms} ms were predicted" if predicted_ms is not None else "nothing was predicted"
    remedy = "Later moves to this destination reckon with what it took."
    if stop_ms is None:
        remedy = "Later moves to this destination learn nothing from it."
    elif not longer:
        remedy = "The prediction was too high; later moves to this destination reckon with what it took."
    return [
        {
            "code": LONGER,
            "host": source,
            "msg": f"its guest {stood}; {expected}, {budget_ms} ms were allowed.",
            "remedy": remedy,
        }
    ]
