# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry an order out on paper, by nothing but the question (pure; private to the collection).

It shares no code with what finds an order, so that a fault there does not hide itself here.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import APART, Move, OrderBroken, Question


def carry_out(question: Question, moves: t.Sequence[Move]) -> dict[str, str]:
    """Return the host of each domain in the end, by its id.

    Raises:
        OrderBroken: a move that starts from where the domain is not, arrives where it may not, or has no room
    """
    free = {host.name: host.free_mib - host.reserve_mib for host in question.hosts}
    cpus = {host.name: host.vcpus_free for host in question.hosts}
    guests = {guest.id: guest for guest in question.guests}
    where = {guest.id: guest.host for guest in question.guests}
    receiving = {host.name for host in question.hosts if host.receives} - set(question.empty)
    for move in moves:
        guest, there = guests[move.guest], move.destination
        left = cpus[there]
        foes = {m for g in question.groups if g.kind == APART and guest.id in g.members for m in g.members}
        objections = [
            where[guest.id] != move.source and f"is on {where[guest.id]}, not on {move.source}",
            there == move.source and "is there already",
            there not in receiving and f"may not go to {there}, which receives nothing",
            there not in (*guest.targets, guest.host) and f"may not go to {there}",
            (guest.stop or not guest.movable) and "is not to be moved",
            free[there] < guest.size_mib and f"needs {guest.size_mib} MiB on {there}, which has {free[there]}",
            left is not None and left < guest.vcpus and f"needs {guest.vcpus} vCPUs on {there}, which has {left}",
            any(where.get(foe) == there for foe in foes - {guest.id}) and f"is to be kept apart from one on {there}",
        ]
        for objection in objections:
            if objection:
                raise OrderBroken(f"move {move.number}: {guest.name} {objection}.", step=move.number)
        # Both hosts hold it while it moves; the source lets go afterwards.
        free[there] -= guest.size_mib
        free[move.source] += guest.size_mib
        if left is not None:
            cpus[there] = left - guest.vcpus
        here = cpus[move.source]
        if here is not None:
            cpus[move.source] = here + guest.vcpus
        where[guest.id] = there
    return where
