# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both sides of an interrupted session as they may be found, and decisions in a few words."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.dom0.xen.plugins.module_utils._settling import decision as to
from ansible_collections.dom0.xen.plugins.module_utils._settling.decide import decide
from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import (
    PAUSED,
    SUSPENDED,
    History,
    Side,
)

NAME = "centos"
AWAY = NAME + "--migratedaway"
INCOMING = NAME + "--incoming"
BOOT, LATER = "boot-1", "boot-2"

# What is on record at the source.
STREAMED = History(boot_id=BOOT, domid=7)
HELD = replace(STREAMED, held=True)
ASKED = replace(HELD, asked=True)
REFUSED = replace(HELD, refused=True, backed_out=True)
OPEN = replace(HELD, tasks_open=True)
DUE = replace(HELD, tasks_due=True)
ASKED_OPEN = replace(ASKED, tasks_open=True)
# And at the destination.
FIRST = History(boot_id=BOOT, domid=3)
READY = replace(FIRST, ready=True)
COMMITTED = replace(READY, committed=True)
RAN = replace(COMMITTED, running=True, status=0)
FAILED = replace(COMMITTED, status=6)
SAID_STARTED = replace(COMMITTED, said_started=True)
SAID_DESTROYING = replace(COMMITTED, said_destroying=True)
# The copy is not to be started.
TO_BE_LEFT = replace(COMMITTED, leave_paused=True)
LEFT = replace(RAN, leave_paused=True)


def at_source(copy: str, history: History = HELD, **more: t.Any) -> Side:
    """The source with a copy in this state, its process gone."""
    name = AWAY if copy == SUSPENDED else NAME
    return replace(Side("xen1", known=True, boot_id=BOOT, copy=copy, domid=7, name=name, history=history), **more)


def at_destination(copy: str, history: History = READY, **more: t.Any) -> Side:
    """The destination with a copy in this state, its process gone."""
    name = INCOMING if copy == PAUSED else NAME
    return replace(Side("xen2", known=True, boot_id=BOOT, copy=copy, domid=3, name=name, history=history), **more)


SILENT_SOURCE = Side("xen1", reachable=False)
SILENT_DESTINATION = Side("xen2", reachable=False)


def short(made: to.Decision) -> str:
    """Say a decision in a few words."""
    if made.step is not None:
        status = "" if made.step.status is None else f" {made.step.status}"
        return f"{made.step.verb}{status} at {made.step.side}"
    if made.next == to.DONE:
        return f"done: {made.owner}, {made.end_state}"
    return f"human: {made.end_state}" if made.next == to.HUMAN else made.next


def require(source: Side, destination: Side, decided: str) -> None:
    """Require this decision, with a reason; a person who has to choose is told what is known and between what."""
    made = decide(source, destination)
    assert short(made) == decided
    assert made.reason and len(made.known) == 2
    assert bool(made.choices) == (made.next in (to.HUMAN, to.TASKS, to.UNDO))
