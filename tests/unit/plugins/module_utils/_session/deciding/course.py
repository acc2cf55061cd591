# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Play a row of events to one of the two machines, and tell in short words what it does."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import migrated_away
from ansible_collections.dom0.xen.plugins.module_utils._session.terms import words
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.actions import (
    Action,
    Actions,
    CloseXl,
    DestroyCopy,
    End,
    GoOn,
    Journal,
    KillXl,
    Observe,
    RenameBack,
    Send,
    StartXl,
    StopSaving,
    WriteXl,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.messages import COPY_MADE_TEXT
from ansible_collections.dom0.xen.plugins.module_utils._wire import handshake

NAME = "guest"
AWAY = migrated_away(NAME)
INCOMING = NAME + "--incoming"
BROKEN = words.Failure("broken", "it broke")

CONNECTED = words.Connected()
HEADER = words.HeaderAccepted()
STREAMING = words.Reached(words.Phase.STREAMING)
SUSPENDING = words.Reached(words.Phase.SUSPENDING)
FINAL_ROUND = words.Reached(words.Phase.FINAL_ROUND)
COMPLETE = words.StreamEnded()
COPY_MADE = words.CopyMade()
READY = words.Ready()
PERMISSION = words.Permission()
COMMIT = words.CommitAsked()
FAILED = words.Failed(BROKEN)
PEER_FAILED = words.Failed(BROKEN, by_peer=True)
EXPIRED = words.LinkExpired(BROKEN)
STALLED = words.Stalled(BROKEN)
CANCELLED = words.CancelAsked()
HAND_OVER = words.HandOverAsked()
BAR = words.BarAsked()
TASKS_STARTED = words.GateTasksStarted()
PERMIT = words.Permit()
UNDO_STARTED = words.GateUndoStarted()
UNDONE = words.GateUndone()
EXITED = words.XlExited(1, BROKEN)
XL_STAYS = words.XlStays()
EXITED_0 = words.XlExited(0, BROKEN)
RUNS = words.Reported(words.Report(0))
RETURNED = words.Reported(words.Report(6, give_back=True, copy_gone=True))
UNCLEAR = words.Reported(words.Report(6))

TEXTS = {
    COPY_MADE_TEXT: "its domain is made",
    handshake.READY: "ready",
    handshake.PERMISSION: "permission",
    handshake.success_answer(): "it runs there",
}


def seen(state: str, name: str = NAME) -> words.Observed:
    """A look at a copy."""
    return words.Observed(words.Copy(words.CopyState(state), name, 7))


def play(machine: t.Any, first: t.Any, *events: words.Event) -> tuple[t.Any, list[str]]:
    """Return the state after the events and what the last of them made the machine do."""
    state: t.Any = first
    actions: Actions = ()
    for event in events:
        state, actions = machine(state, event)
    return state, [short(action) for action in actions]


def short(action: Action) -> str:
    """Say an action in a few words."""
    if isinstance(action, Journal):
        return f"record {action.step}" if action.durable else f"note {action.step}"
    if isinstance(action, Send):
        return said(action.message)
    if isinstance(action, WriteXl):
        return "tell xl: " + TEXTS.get(action.text, "it failed there")
    if isinstance(action, End):
        return f"end: {action.end_state.value}"
    return {
        StartXl: "start xl",
        CloseXl: "close xl",
        KillXl: "kill xl",
        StopSaving: "stop saving",
        Observe: "look",
        DestroyCopy: "destroy",
        RenameBack: "rename back",
        GoOn: "go on",
    }[type(action)]


def said(message: t.Mapping[str, t.Any]) -> str:
    """Say a message in a few words."""
    if message["type"] != "report":
        return f"send {message['type']}"
    gone = "gone" if message["copy_gone"] else "not gone"
    return f"report {message['status']}, {'given back' if message['give_back'] else 'kept'}, {gone}"
