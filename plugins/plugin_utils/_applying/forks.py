# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Ansible's forks are enough for the moves of a run (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.board import Limits
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.steps import Step


class TooFewForks(Dom0XenError):
    """With one row for each host, hosts would wait for others that have no fork."""

    code = "too_few_forks"


def objections(to_do: t.Sequence[Step], limits: Limits, forks: int, rows: str) -> list[str]:
    """Return warnings. Each move that is watched holds one fork of Ansible.

    Raises TooFewForks where moves would wait for ever: with one row for a host, which makes its moves one after the
    other, a host may need what one that has not begun has to do first.
    """
    sources = {step.source for step in to_do}
    if rows == "hosts":
        if len(sources) > forks and any(step.after for step in to_do):
            raise TooFewForks(
                f"domains leave {len(sources)} hosts in an order that needs all of them at work, and forks is {forks}",
                remedy=f"Run it with --forks {len(sources)} (in AWX: forks), or without migrate_rows=hosts.",
            )
        at_once = len(sources)
    else:
        at_once = _most(to_do, limits)
    if at_once <= forks:
        return []
    return [
        f"{at_once} domains could move at one time, and forks is {forks}: each holds one while it is watched. Run it"
        f" with --forks {at_once} (in AWX: forks)."
    ]


def _most(to_do: t.Sequence[Step], limits: Limits) -> int:
    """Return how many moves can be under way at one time at most, as far as the limits tell."""
    leaving = _bound([step.source for step in to_do], limits.departures)
    coming = _bound([step.destination for step in to_do], limits.arrivals)
    return min(leaving, coming, limits.run or len(to_do))


def _bound(hosts: t.Sequence[str], limits: t.Mapping[str, int]) -> int:
    return sum(min(hosts.count(host), limits.get(host) or len(hosts)) for host in set(hosts))
