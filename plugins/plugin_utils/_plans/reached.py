# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many moves of each domain are done, by where it is now (pure; private to the collection).

A domain that steps aside may come back to the host that it left. Where it is says nothing then, and the others' moves
say it: one that is done has had all that it needs.
"""

from __future__ import annotations

import typing as t


class Step(t.Protocol):
    """A move of a plan, of which those in ``after`` have ended before it begins."""

    @property
    def number(self) -> int:
        """Its number in the plan."""

    @property
    def source(self) -> str:
        """The host that the domain leaves."""

    @property
    def destination(self) -> str:
        """The host that it goes to."""

    @property
    def after(self) -> tuple[int, ...]:
        """The numbers of those that it needs."""


def reached(
    chains: t.Mapping[str, t.Sequence[Step]], places: t.Mapping[str, str], known: t.Mapping[str, int]
) -> dict[str, int]:
    """Return how many moves are done, for each domain that is on one of the hosts of its moves (``chains``).

    ``places`` is the host of each domain; of those in ``known`` it is known already. What is open is not done: a move
    that is made once too often does no harm.
    """
    found = dict(known)
    ways: dict[str, list[int]] = {}
    for uuid, chain in chains.items():
        hosts = [chain[0].source, *(step.destination for step in chain)]
        on_it = [index for index, host in enumerate(hosts) if host == places.get(uuid)]
        if on_it and uuid not in known:
            ways[uuid], found[uuid] = on_it, on_it[0]
    changed = True
    while changed:
        needed = {other for uuid, done in found.items() for step in chains[uuid][:done] for other in step.after}
        changed = False
        for uuid, on_it in ways.items():
            least = max((i for i, step in enumerate(chains[uuid], 1) if step.number in needed), default=0)
            done = next((index for index in on_it if index >= least), on_it[-1])
            changed = changed or done != found[uuid]
            found[uuid] = done
    return found
