# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan for people: what is done, in which order and why (pure; private to the collection)."""

from __future__ import annotations

import datetime

from ansible_collections.dom0.xen.plugins.plugin_utils._columns import columns
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.changes import amount
from ansible_collections.dom0.xen.plugins.plugin_utils._plans.records import EMPTY, REBALANCE, Plan

# So many moves that one has to wait for are named.
_NAMED = 4


def moment(seconds: int) -> str:
    """Return a moment for people, in UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def summary(plan: Plan) -> str:
    """Return the plan in one sentence."""
    what = {EMPTY: f"empty {', '.join(plan.hosts)}", REBALANCE: "spread the load"}.get(plan.goal, "bring domains back")
    if plan.shortage is not None:
        return f"There is no way to {what}: {plan.shortage.why}"
    moves = f"{len(plan.moves)} move{'' if len(plan.moves) == 1 else 's'} ({amount(plan.moved_mib)})"
    parts = [f"To {what}: {moves}"]
    if plan.stops:
        parts.append(f"{len(plan.stops)} to be shut down")
    if plan.blockers:
        parts.append(f"{len(plan.blockers)} that cannot leave")
    return ", ".join(parts) + "."


def table(plan: Plan) -> list[str]:
    """Return the lines of the table."""
    until = f", good until {moment(plan.expires_s)}" if plan.expires_s else ""
    lines = [
        summary(plan),
        f"Plan {plan.identity}, made {moment(plan.made_s)} by the planner {plan.planner}{until}.",
        f"Facts {plan.digest[:16]}: it is refused when these hold no longer, and when it was edited.",
        "",
    ]
    if plan.moves:
        rows = [("no", "domain", "memory", "from", "to", "how", "after", "why")]
        for move in plan.moves:
            after = ",".join(map(str, move.after[:_NAMED])) + (",..." if len(move.after) > _NAMED else "")
            size = amount(move.memory_mib)
            number = str(move.number)
            way = (move.source, move.destination, move.method or "-", after or "-")
            rows.append((number, move.name, size, *way, move.why))
        lines += [*columns(rows), ""]
    for stop in plan.stops:
        lines.append(f"{stop.name} is shut down on {stop.host} when all others have left it.")
    for blocker in plan.blockers:
        lines.append(f"{blocker.name} stays on {blocker.host}: {blocker.why}")
        lines += [f"  {reason.host}: {reason.message}" for reason in blocker.reasons]
    lines += [f"Warning: {warning}" for warning in plan.warnings]
    touched = {host for move in plan.moves for host in (move.source, move.destination)} | set(plan.hosts)
    figures = [each for each in plan.figures if each.name in touched]
    if figures and plan.moves:
        head = ("host", "domains", "then", "free", "then", "reserve")
        told = [
            (
                *(each.name, str(each.domains_before), str(each.domains_after)),
                *(amount(each.free_before_mib), amount(each.free_after_mib), amount(each.reserve_mib)),
            )
            for each in figures
        ]
        lines += ["", *columns([head, *told])]
    return lines
