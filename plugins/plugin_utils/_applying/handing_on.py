# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run hands on to the next node of a workflow (pure; private to the collection).

AWX keeps it with the job and gives it to the next one as extra variables, so it has a bound and none of the texts that
have none. Numbers count everything; lists hold at most LONGEST entries, and ``more`` says how many they leave out.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._marks.maintenance import DONE as MAINTAINED
from ansible_collections.dom0.xen.plugins.plugin_utils._applying.outcome import Outcome

Result = dict[str, t.Any]

LONGEST = 50


def of_moves(found: t.Sequence[Outcome], stays: int, complete: bool) -> Result:
    """Return what carrying out a plan hands on: ``not_done`` are its moves that were not done.

    ``stays`` counts the domains that the plan itself leaves where they are.
    """
    not_done = [
        {key: getattr(each, key) for key in ("name", "uuid", "source", "destination", "code")}
        for each in found
        if not each.done
    ]
    return {
        "complete": complete,
        "planned": len(found),
        "done": sum(each.done for each in found),
        "moved": sum(each.changed for each in found),
        "stays": stays,
        **_bounded(not_done=not_done),
    }


def of_maintained(hosts: t.Sequence[t.Mapping[str, t.Any]]) -> Result:
    """Return what a maintenance hands on, from ``maintenance_result``'s ``hosts``.

    ``done`` are the hosts that are; ``not_done`` the others with their ``state``; ``closed`` those that take no
    domains; ``missed`` the domains that a host had and did not get back. ``moved``, ``returned`` and ``started`` are
    numbers of domains.
    """
    done = [str(host["name"]) for host in hosts if host["state"] == MAINTAINED]
    not_done = [{"name": host["name"], "state": host["state"]} for host in hosts if host["state"] != MAINTAINED]
    closed = [str(host["name"]) for host in hosts if host.get("closed")]
    missed = [
        {"name": each["name"], "uuid": each["uuid"], "host": host["name"]}
        for host in hosts
        for each in host.get("missed") or ()
    ]
    return {
        "complete": not not_done,
        **{key: sum(len(host.get(key) or ()) for host in hosts) for key in ("moved", "returned", "started")},
        **_bounded(done=done, not_done=not_done, closed=closed, missed=missed),
    }


def of_hosts(hosts: t.Sequence[t.Mapping[str, t.Any]], moved: int, unsettled: int) -> Result:
    """Return what emptying hosts hands on, from ``evacuation_result``'s ``hosts``: ``left`` are the domains they have.

    ``not_empty`` names the hosts that were not seen to be empty, those that do not answer among them.
    """
    not_empty = [str(host["name"]) for host in hosts if not host["empty"]]
    left = [
        {"name": guest["name"], "uuid": guest["uuid"], "host": host["name"]}
        for host in hosts
        for guest in host["guests"]
    ]
    return {
        "complete": not not_empty and not unsettled,
        "moved": moved,
        "unsettled": unsettled,
        **_bounded(not_empty=not_empty, left=left),
    }


def _bounded(**lists: t.Sequence[t.Any]) -> Result:
    return {
        **{key: found[:LONGEST] for key, found in lists.items()},
        "more": sum(len(found[LONGEST:]) for found in lists.values()),
    }
