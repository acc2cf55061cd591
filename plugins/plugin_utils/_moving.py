# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about a move: begin it, watch one that is under way, or nothing (private to the collection)."""

from __future__ import annotations

import dataclasses
import os
import secrets
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    NO_FACTS,
    NOT_IN_INVENTORY,
    UNREACHABLE,
    Case,
    HostTrouble,
    Plan,
)
from ansible_collections.dom0.xen.plugins.module_utils._checks.waivers import codes
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER, SENDER, session_folder
from ansible_collections.dom0.xen.plugins.module_utils._records import HostFacts, SessionSeen

MIGRATE = "migrate"
ADOPT = "adopt"
ALREADY_THERE = "already_there"


def new_session() -> str:
    """Return the identity of a new session: 16 hexadecimal digits."""
    return secrets.token_hex(8)


@dataclasses.dataclass(frozen=True)
class Decision:
    """The action, and the session to watch (adopt) or to report (already there)."""

    action: str
    session: SessionSeen | None = None


def decide(case: Case, planned: Plan | None) -> Decision:
    """Decide between the three; whether the checks have objections is another question.

    Only a session from this source to this destination is adopted: its sender is here and its receiver is there.
    """
    senders = [session for session in _sessions(case.source, SENDER) if case.concerns(session)]
    receivers = {session.session: session for session in _sessions(case.destination, RECEIVER)}
    ours = [(sender, receivers[sender.session]) for sender in senders if sender.session in receivers]
    for sender, receiver in ours:
        if sender.alive or (receiver.alive and sender.phase == "ended"):
            return Decision(ADOPT, sender)
    if planned is not None and planned.already_there:
        moved = [sender for sender, dummy in ours if sender.end_state == "moved"]
        return Decision(ALREADY_THERE, moved[0] if moved else None)
    return Decision(MIGRATE)


def _sessions(facts: HostFacts | None, role: str) -> tuple[SessionSeen, ...]:
    return tuple(session for session in facts.sessions if session.role == role) if facts else ()


def trouble(host: str, info: t.Mapping[str, t.Any], inventory: t.Container[str]) -> HostTrouble | None:
    """Return why there are no facts of a host, from what ``host_info`` returned; None when there are facts."""
    message = str(info.get("msg") or "").strip()
    if host not in inventory:
        return HostTrouble(NOT_IN_INVENTORY)
    if info.get("unreachable"):
        return HostTrouble(UNREACHABLE, message)
    return None if info.get("host") else HostTrouble(NO_FACTS, message)


def network_asked(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what a request says of the way, from the options that the checks share for that."""
    hosts, looked_up = options["host_addresses"], options["domain_info"].get("looked_up")
    return {
        "networks": codes(options["network"]),
        "asked_address": options["asked_address"],
        "listen_address": options["listen_address"],
        "looked_up": tuple(looked_up) if looked_up is not None else None,
        "source_host_address": str(hosts.get("source") or ""),
        "destination_host_address": str(hosts.get("destination") or ""),
    }


def texts(names: t.Mapping[t.Any, t.Any]) -> dict[str, str]:
    """Return a dict of the caller with nothing but texts in it; what he has left empty is no name."""
    return {str(old): "" if new is None else str(new) for old, new in names.items()}


def session_files(session: str, pid: int | None, runtime_path: str | None, journal_path: str) -> dict[str, t.Any]:
    """Return what is needed to watch a session on the host of its sender."""
    result = session_folder(journal_path, session, SENDER)
    status = session_folder(runtime_path, session, SENDER) if runtime_path else result
    return {
        "session": session,
        "status_path": os.path.join(status, "status.json"),
        "result_path": os.path.join(result, "result.json"),
        "pid": pid,
    }
