# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a report says things (pure; private to the collection)."""

from __future__ import annotations

import datetime
import shlex

from ansible_collections.dom0.xen.plugins.module_utils import _commands as commands
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report import records
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet_report.records import Memory, Move
from ansible_collections.dom0.xen.plugins.plugin_utils._progress import mib, seconds

NOT_KNOWN = "\u2013"
_ARROW = "\u2192"
_MIB = 1024 * 1024

# A sign beside each word, so that neither colour nor reading alone tells.
_OUTCOMES = {
    records.MOVED: ("\u2713", "moved"),
    records.ALREADY_THERE: ("\u2713", "already there"),
    records.STAYED: ("\u2717", "stayed"),
    records.REFUSED: ("\u2298", "refused"),
    records.UNCERTAIN: ("!", "not settled"),
    records.NOT_DONE: ("\u2026", "not done"),
}
_END_STATES = {
    "running_twice": "runs twice",
    "running_nowhere": "runs nowhere",
    "unreachable": "a host did not answer",
}


def cut(text: str, most: int) -> str:
    """Return a name for a place that has room for so many characters; the middle goes first, for ends differ."""
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[: most - 1 - half]}\u2026{text[-half:]}"


def outcome(move: Move) -> str:
    """Return what became of a move, in two or three words."""
    sign, word = _OUTCOMES[move.outcome]
    word = _END_STATES.get(str(move.end_state), word)
    if move.end_state == records.REHEARSED:
        sign, word = _OUTCOMES[records.MOVED][0], "rehearsed"
    if move.outcome == records.MOVED and move.attention:
        sign, word = "!", f"{word}, not in order"
    return f"{sign} {word}" + (" (adopted)" if move.adopted else "")


def way(source: str | None, destination: str | None) -> str:
    """Return from where to where."""
    return f"{source or NOT_KNOWN} {_ARROW} {destination or NOT_KNOWN}"


def remedy(move: Move) -> str:
    """Return what to do about a move of which no error tells it, empty where there is nothing to say."""
    if move.end_state == "running_twice":
        return (
            "Type xl pause DOMID on both hosts, now; dom0.xen.audit tells the numbers. Then see the guide for on call."
        )
    if move.outcome == records.UNCERTAIN:
        who = shlex.quote(move.uuid or move.name)
        return f"Start and destroy nothing by hand. Run: {commands.playbook('settle', f'-e domain={who}')}"
    if move.outcome == records.NOT_DONE:
        return "The run has left no word of it. Run the same command again: it goes on with what is there."
    return ""


def chart_text(move: Move, host_max: int) -> str:
    """Return what stands beside the bar of a move."""
    hosts = [cut(host, host_max) if host else None for host in (move.source, move.destination)]
    parts = [way(*hosts)]
    if move.outcome != records.MOVED or move.attention:
        parts.append(outcome(move))
    if move.total_ms is not None:
        parts.append(duration(move.total_ms))
    if move.stop_ms is not None:
        parts.append(f"stood still {duration(move.stop_ms)}")
    return ", ".join(parts)


def memory_text(look: Memory) -> str:
    """Return what stands beside the bar of a host."""
    domains = "1 domain" if look.domains == 1 else f"{look.domains} domains"
    return f"{domains}, {size(look.domains_mib * _MIB)}; free {size(look.free_mib * _MIB)}"


def duration(milliseconds: int | None) -> str:
    """Return a time that has passed."""
    return NOT_KNOWN if milliseconds is None else seconds(milliseconds / 1000)


def size(amount: int | None) -> str:
    """Return an amount of bytes."""
    return NOT_KNOWN if amount is None else mib(amount)


def moment(at: float | None, zone: datetime.tzinfo, day: datetime.date | None = None) -> str:
    """Return a moment, without the date where it is of that day."""
    if at is None:
        return NOT_KNOWN
    when = datetime.datetime.fromtimestamp(at, zone)
    return when.strftime("%H:%M:%S" if when.date() == day else "%Y-%m-%d %H:%M:%S")


def zone_name(at: float, zone: datetime.tzinfo) -> str:
    """Return what the times are times of, such as ``UTC+02:00``."""
    shift = datetime.datetime.fromtimestamp(at, zone).strftime("%z")
    return f"UTC{shift[:3]}:{shift[3:5]}" if shift and shift != "+0000" else "UTC"
