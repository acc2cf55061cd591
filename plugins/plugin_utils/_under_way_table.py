# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is being moved now, as a table and sentences for people (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._marks.claims import Claim
from ansible_collections.dom0.xen.plugins.plugin_utils._columns import columns
from ansible_collections.dom0.xen.plugins.plugin_utils._progress import amount, phase_words, rate, seconds
from ansible_collections.dom0.xen.plugins.plugin_utils._under_way import (
    ENDING,
    INTERRUPTED,
    ONE_SIDE,
    STATES,
    Move,
    Seen,
)

_TITLE = ("domain", "from", "to", "method", "phase", "sent", "rate", "so far", "owner")
_UNKNOWN = "?"


def table(seen: t.Sequence[Seen]) -> list[str]:
    """Return lines of text, a title first; none where nothing is being moved."""
    return columns([_TITLE, *map(_cells, seen)]) if seen else []


def remarks(seen: t.Sequence[Seen], claims: t.Mapping[str, t.Any]) -> list[str]:
    """Return a sentence for each move that is more than under way, and for each host that a run has claimed."""
    found = [line for each in seen for line in _remarks(each.move)]
    for host, claim in sorted(claims.items()):
        words = _claim_words(claim)
        found += [f"{host} is claimed by {words}"] if words else []
    return found


def summary(seen: t.Sequence[Seen], asked: int, told: int) -> str:
    """Return how many moves there are, in one sentence."""
    counts = {state: sum(each.move.state == state for each in seen) for state in STATES}
    under_way = len(seen) - counts[INTERRUPTED]
    words = "Nothing is being moved" if not under_way else f"{under_way} being moved"
    if counts[INTERRUPTED]:
        words += f", {counts[INTERRUPTED]} interrupted"
    return f"{words}, as {told} of {asked} dom0s told." if told < asked else f"{words}."


def _cells(seen: Seen) -> tuple[str, ...]:
    move, status = seen.move, seen.status
    flows = move.state != INTERRUPTED
    return (
        _name(move),
        move.source or _UNKNOWN,
        move.destination or _UNKNOWN,
        move.method or "-",
        phase_words(status) if flows else f"interrupted: {phase_words(status)}",
        "-" if move.bytes is None else amount(status),
        (rate(status) if flows and move.phase == "streaming" else "") or "-",
        "-" if move.elapsed_s is None else seconds(move.elapsed_s),
        move.owner,
    )


def _remarks(move: Move) -> t.Iterator[str]:
    name = _name(move)
    if move.state == INTERRUPTED:
        command = _commands.playbook("settle", f"-e domain={move.uuid or move.name}")
        why = f" ({move.error})" if move.error else ""
        yield (
            f"{name} was interrupted{why}: {command}"
            if move.uuid or move.name
            else (
                f"The session {move.session} on {', '.join(move.seen_on)} was interrupted, and has no domain on record."
            )
        )
    elif move.state == ONE_SIDE:
        yield (
            f"{name}: its session is seen to run on {' and '.join(move.alive_on)} only. It may just begin or end; "
            "look again, and if that stays so, it ends by itself or is told as interrupted."
        )
    elif move.state == ENDING:
        yield f"{name}: it has ended, and {' and '.join(move.alive_on)} watches the guest for up to two minutes more."
    elif move.waits_for_gate:
        yield f"{name} waits at the gate for the run that moves it."


def _claim_words(claim: t.Any) -> str:
    try:
        words = Claim.from_result(claim).words
        return f"{words}, last heard of {seconds(float(claim['silent_s']))} ago."
    except (Dom0XenError, KeyError, TypeError, ValueError, OverflowError):
        return ""


def _name(move: Move) -> str:
    return move.name or move.uuid or _UNKNOWN
