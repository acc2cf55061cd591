# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of the moves of a run (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.steps import DONE, Step
from ansible_collections.dom0.xen.plugins.plugin_utils._progress import figure


@dataclasses.dataclass(frozen=True)
class Outcome(Record):
    """One move: whether it was ``done``, by this run (``changed``) or before it; ``why`` it was not.

    ``method``, ``owner`` (whose copy counts) and the times in milliseconds are those of this run's move, and empty or
    None where it made none.
    """

    number: int
    uuid: str
    name: str
    source: str
    destination: str
    done: bool
    changed: bool
    code: str
    why: str
    method: str = ""
    owner: str = ""
    total_ms: float | None = None
    stop_ms: float | None = None


def outcomes(steps: t.Sequence[Step], results: t.Mapping[str, t.Mapping[str, t.Any]]) -> tuple[Outcome, ...]:
    """Compare the moves planned with what was returned for each, by the names of their hosts.

    A result is what the role ``migrate`` registers, or a failure's. A move without any has not begun. That of another
    domain, or of a move to another host, is none of this move.
    """
    return tuple(_outcome(step, results.get(step.host) or {}) for step in steps)


def _outcome(step: Step, result: t.Mapping[str, t.Any]) -> Outcome:
    before = step.state == DONE
    moved = result.get("end_state") == "moved" and not result.get("failed")
    code, why = "", ""
    other = _other(step, result) if moved and not before else ""
    if other:
        moved, code, why = False, "another_move", other
    elif not before and not moved:
        error = result.get("error") or {}
        code = str(result.get("code") or error.get("code") or ("failed" if result else "not_begun"))
        why = str(result.get("msg") or error.get("msg") or "it has not begun").strip()
    ours: t.Mapping[str, t.Any] = {} if other or before else result
    return Outcome(
        number=step.number,
        uuid=step.uuid,
        name=step.name,
        source=step.source,
        destination=step.destination,
        done=before or moved,
        changed=moved,
        code=code,
        why=why,
        method=str(ours.get("method") or ""),
        owner=str(ours.get("owner") or ""),
        total_ms=figure(ours, "total_ms"),
        stop_ms=figure(ours, "stop_ms"),
    )


def _other(step: Step, result: t.Mapping[str, t.Any]) -> str:
    """Return a sentence when the result is that of another move, else nothing."""
    uuid = str((result.get("domain") or {}).get("uuid") or "")
    name = str((result.get("domain") or {}).get("name") or uuid)
    if uuid != step.uuid:
        return f"in its place {name or 'an unknown domain'} was moved"
    if result.get("destination") != step.destination:
        return f"it was moved to {result.get('destination')}"
    return ""


def leftovers(stops: t.Sequence[t.Mapping[str, t.Any]], blockers: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Return what a plan leaves to people, a sentence each: carrying out its moves touches none of these domains."""
    lines = [f"{each['name']} is to be shut down on {each['host']} (tag stop_for_maintenance)." for each in stops]
    return [*lines, *(f"{each['name']} stays on {each['host']}: {each['why']}" for each in blockers)]


def summary(found: t.Sequence[Outcome]) -> str:
    """Return a sentence with the two numbers, and below it a line for each move that was not done."""
    done, before = sum(each.done for each in found), sum(each.done and not each.changed for each in found)
    text = f"Moves planned: {len(found)}, done: {done}"
    text += f", {before} of them before this run." if before else "."
    lines = [
        f"  not done: {each.name} from {each.source} to {each.destination}: {each.why}"
        for each in found
        if not each.done
    ]
    return "\n".join([text, *lines])
