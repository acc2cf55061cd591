# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a domain is, from what was seen on both hosts (pure; private to the collection).

Nothing is inferred from an exit status: only copies with the domain's UUID, seen on a host, count.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.dom0.xen.plugins.module_utils._record import Record
from ansible_collections.dom0.xen.plugins.module_utils._records import (
    DomainRow,
)

SOURCE = "source"
DESTINATION = "destination"
UNSETTLED = "unsettled"

MOVED = "moved"
STAYED = "stayed"
RUNNING_TWICE = "running_twice"
RUNNING_NOWHERE = "running_nowhere"
UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Evidence(Record):
    """What one host showed: the copies with the domain's UUID, or that the host did not answer."""

    RECORDS: t.ClassVar[t.Mapping[str, type[Record]]] = {"copies": DomainRow}

    host: str
    reachable: bool
    copies: tuple[DomainRow, ...] = ()


@dataclass(frozen=True)
class Verdict(Record):
    """Who owns the domain and in which of the named states the run ended; ``reason`` is a sentence for people.

    ``settled`` is false when something is left for a human or for the next run.
    """

    owner: str
    end_state: str
    reason: str
    settled: bool


def verdict(name: str, source: Evidence, destination: Evidence, left_paused: bool = False) -> Verdict:
    """Judge from two looks, one on each host. The hosts may be the same: then ask :func:`verdict_same_host`.

    ``left_paused``: what moved it was not to start it there, and has said that it moved it. Only then a copy that is
    paused at the destination has arrived.
    """
    here, there = copies_running(source), copies_running(destination)
    if len(here) + len(there) > 1:
        where = " AND on ".join([source.host] * len(here) + [destination.host] * len(there))
        return Verdict(UNSETTLED, RUNNING_TWICE, f"The domain runs on {where}. Stop one copy now.", False)
    for host in (source, destination):
        if not host.reachable:
            return Verdict(UNSETTLED, UNREACHABLE, f"{host.host} did not answer, so nothing is certain.", False)
    if there:
        return _at_destination(name, source, destination, there)
    if here:
        return _at_source(name, source, destination, here)
    if left_paused and not source.copies and _waits(name, destination.copies):
        reason = f"It is paused on {destination.host}, as was asked for, and nothing is left on {source.host}."
        return Verdict(DESTINATION, MOVED, reason, True)
    return _nowhere(source, destination)


def verdict_same_host(
    name: str, evidence: Evidence, session_end_state: str | None, left_paused: bool = False
) -> Verdict:
    """Judge a move within one host, where a look cannot tell the sides apart: one copy, and the session's word."""
    if not evidence.reachable:
        return Verdict(UNSETTLED, UNREACHABLE, f"{evidence.host} did not answer, so nothing is certain.", False)
    running = copies_running(evidence)
    if len(running) > 1:
        return Verdict(UNSETTLED, RUNNING_TWICE, f"The domain runs twice on {evidence.host}.", False)
    if not running and left_paused and session_end_state == MOVED and _waits(name, evidence.copies):
        return Verdict(DESTINATION, MOVED, f"Exactly one copy is on {evidence.host}, paused as was asked for.", True)
    if not running:
        return _nowhere(evidence, evidence)
    if len(evidence.copies) > 1 or running[0].name != name:
        return Verdict(UNSETTLED, UNSETTLED, f"{evidence.host} has {_names(evidence.copies)}.", False)
    moved = session_end_state == MOVED
    reason = f"Exactly one copy runs on {evidence.host}, with domid {running[0].domid}."
    return Verdict(DESTINATION if moved else SOURCE, MOVED if moved else STAYED, reason, True)


def _at_destination(name: str, source: Evidence, destination: Evidence, running: list[DomainRow]) -> Verdict:
    if source.copies:
        reason = f"It runs on {destination.host}, but {source.host} still has {_names(source.copies)}."
        return Verdict(DESTINATION, MOVED, reason, False)
    if running[0].name != name or len(destination.copies) > 1:
        reason = f"It runs on {destination.host} as {_names(destination.copies)}."
        return Verdict(DESTINATION, MOVED, reason, False)
    return Verdict(DESTINATION, MOVED, f"It runs on {destination.host}, and nothing is left on {source.host}.", True)


def _at_source(name: str, source: Evidence, destination: Evidence, running: list[DomainRow]) -> Verdict:
    if destination.copies:
        reason = f"It runs on {source.host}, but {destination.host} still has {_names(destination.copies)}."
        return Verdict(SOURCE, STAYED, reason, False)
    if running[0].name != name or len(source.copies) > 1:
        return Verdict(SOURCE, STAYED, f"It runs on {source.host} as {_names(source.copies)}.", False)
    return Verdict(SOURCE, STAYED, f"It runs on {source.host}, and nothing is left on {destination.host}.", True)


def _nowhere(source: Evidence, destination: Evidence) -> Verdict:
    seen = [f"{host.host} has {_names(host.copies) if host.copies else 'no copy'}" for host in (source, destination)]
    return Verdict(UNSETTLED, RUNNING_NOWHERE, f"It runs nowhere: {', '.join(dict.fromkeys(seen))}.", False)


def copies_running(evidence: Evidence) -> list[DomainRow]:
    """Return the copies on a host that run, which a paused one does not."""
    return [row for row in evidence.copies if row.state.alive and not row.state.paused]


def _waits(name: str, copies: t.Sequence[DomainRow]) -> bool:
    return len(copies) == 1 and copies[0].name == name and copies[0].state.alive and copies[0].state.paused


def _names(copies: t.Iterable[DomainRow]) -> str:
    return " and ".join(f"{row.name} (domid {row.domid}, {row.state.word.replace('_', ' ')})" for row in copies)
