# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of an ``xl`` that its session has left behind, and that does not end (pure; private to the collection).

It may stand still for good, or be held by the kernel. Whether a person may kill it is told with it. Only where the copy
that it works on is not needed, or outlives it: an ``xl`` on the source never takes its copy with it, nor one on the
destination that has said ready (tools/xl/xl_migrate.c). One that makes a domain leaves half of it.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import Decision
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    PAUSED,
    RUNNING,
    SUSPENDED,
    Left,
    Side,
)

_STATES = {"T": ", which stands still (stopped)", "t": ", which stands still (traced)", "D": ", which the kernel holds"}

AT_WORK = "xl is still at work."
UNREPORTED = "The destination has the permission, and its xl has not reported yet."
MAKES_COPY = "The whole stream is there, and xl makes the destination's copy of it."
UNTIDY = "The destination runs the domain, and xl on the source, which is to destroy its copy, does not end."
KILLED = "The migration was given up, and xl does not end though it was killed."


def stands(source: Side) -> str:
    """Say what is wrong where a sender waits for nothing but its ``xl``, which does not end; empty where it does not.

    One that was killed was no ``xl create`` that makes the domain: its sender leaves that.
    """
    if source.history.killed and not any(process.makes for process in source.left):
        return KILLED
    return UNTIDY if source.history.told_running and source.waits else ""


def behind(source: Side, destination: Side) -> tuple[str, ...]:
    """Return the sides on which an ``xl`` lives whose session's process is gone."""
    sides = ((to.SOURCE, source), (to.DESTINATION, destination))
    return tuple(role for role, side in sides if side.xl_alive and not side.alive)


def wait(source: Side, destination: Side, reason: str, *waited_for: str) -> Decision:
    """Return a decision to look again, which names each ``xl`` that is waited for, and what may be done about it.

    ``waited_for`` are the sides that the ``reason`` is about: what lives on the other one may be at work for a receiver
    or a sender that goes on.
    """
    made = to.wait(source, destination, reason)
    names: list[str] = []
    choices: list[str] = []
    for role, side in ((to.SOURCE, source), (to.DESTINATION, destination)):
        if role not in waited_for:
            continue
        against = _against_killing(role, source, destination)
        for process in side.left:
            names.append(f"on {side.host} process {process.pid} ({process.command}){_STATES.get(process.state, '')}")
            choices.append(f"{side.host}: {_choice(side, process, against)}; then {to.settle(source, destination)}")
    if not names:
        return made
    return replace(made, reason=f"{reason} It is {', and '.join(names)}.", choices=tuple(choices))


def _choice(side: Side, process: Left, against: str) -> str:
    if side.history.killed and not process.makes:
        return (
            f"process {process.pid} was killed already, and the kernel does not let it end: see what it waits for"
            f" (dmesg, /proc/{process.pid}/stack), and mend that"
        )
    if not against:
        return f"process {process.pid} may be killed there: kill -9 {process.pid}"
    wake = f" (kill -CONT {process.pid} wakes one that is stopped)" if process.state in ("T", "t") else ""
    return f"process {process.pid} must not be killed: {against}. See what it waits for, and mend that{wake}"


def _against_killing(role: str, source: Side, destination: Side) -> str:
    """Say why the ``xl`` of a side must not be killed; empty where nothing can be lost by it, nor be there twice."""
    side = source if role == to.SOURCE else destination
    if any(process.makes for process in side.left):
        return "an xl create that is cut off leaves half a domain"
    if role == to.SOURCE:
        return ""
    past = destination.history
    if past.said_destroying:
        return "it has begun to destroy the copy that it could not start, or was not to, and would leave part of it"
    if past.ready or past.committed:
        # Its copy is whole, and stays: settling starts it, or gives it up.
        return ""
    kept = source.reachable and not source.gone and source.copy in (RUNNING, SUSPENDED, PAUSED)
    return "" if kept else "the copy that it works on may be the last one that is good"
