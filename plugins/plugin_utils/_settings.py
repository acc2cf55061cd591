# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Ansible that no collection can make, and what is to be said of them (pure; private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._record import Record

# Below this many dom0s nobody waits for the defaults of Ansible.
MANY_DOM0S = 20
# So many turns, one after the other, until each dom0 has been asked once.
MOST_TURNS = 10
# Ansible looks for answers of its workers so often; its default is a thousandth of a second.
LONGEST_POLL_S = 0.5
MOST_NAMED = 3
WHERE = "examples/ansible.cfg of the collection has settings that are well, and the guide to the settings explains them"


@dataclasses.dataclass(frozen=True)
class Settings(Record):
    """What the run has. ``poll_s`` is ``internal_poll_interval``, seconds.

    ``dom0s`` is how many were asked. Of these ``unpipelined`` and ``unchecked`` are those to which the connection has
    ``pipelining`` or ``host_key_checking`` off.
    """

    forks: int
    poll_s: float
    dom0s: int
    unpipelined: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


def far_off(settings: Settings) -> str:
    """Return one sentence about all settings that are far off for so many dom0s, empty when none is.

    Ansible's defaults are well for a few hosts and are never told there.
    """
    said = list(_said(settings))
    return f"{'; '.join(said)}. {WHERE}." if said else ""


def _said(settings: Settings) -> t.Iterator[str]:
    if settings.unchecked:
        where = _where(settings.unchecked, settings.dom0s)
        yield (
            f"host_key_checking is off{where}: whoever answers at a dom0's address is believed to be that dom0, and is "
            "given the key of the session"
        )
    if settings.poll_s > LONGEST_POLL_S:
        yield f"internal_poll_interval is {settings.poll_s:g}: each task waits that many seconds for its answer"
    turns = -(-settings.dom0s // max(settings.forks, 1))
    if settings.dom0s >= MANY_DOM0S and turns > MOST_TURNS:
        yield f"forks is {settings.forks}: {settings.dom0s} dom0s are asked in {turns} turns, one after the other"
    slow = len(settings.unpipelined)
    if slow >= MANY_DOM0S:
        where = _where(settings.unpipelined, settings.dom0s)
        yield f"pipelining is off{where}: with {slow} dom0s each look takes twice the time or more"


def _where(hosts: t.Sequence[str], dom0s: int) -> str:
    """Return for which hosts, nothing for all of so many."""
    if len(hosts) == dom0s:
        return ""
    more = f" and {len(hosts) - MOST_NAMED} more" if len(hosts) > MOST_NAMED else ""
    return f" for {', '.join(hosts[:MOST_NAMED])}{more}"
