# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages between sender and receiver, beside the stream itself (pure; private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._link.errors import FrameError
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import (
    CommitAsked,
    CopyMade,
    Event,
    Failed,
    Failure,
    Ready,
    Report,
    Reported,
)

Message = t.Dict[str, t.Any]

READY: Message = {"type": "ready"}
COMMIT: Message = {"type": "commit"}
COPY_MADE: Message = {"type": "copy_made"}

COPY_MADE_TEXT = b"the destination has made its domain\n"
"""What the sender says to :mod:`stand_ins.saver`, beside the texts of the protocol, when the guest may be suspended."""


def failed(failure: Failure, teller: str) -> Message:
    """Return the message that the role ``teller`` has failed and why."""
    return {"type": "failed", "failure": failure.to_result(teller)}


def report(outcome: Report) -> Message:
    """Return the message that carries the destination's outcome."""
    return {
        "type": "report",
        "status": outcome.status,
        "give_back": outcome.give_back,
        "copy_gone": outcome.copy_gone,
    }


def event(message: Message) -> Event:
    """Return the event that a message means. Raises :class:`FrameError` for anything else."""
    kind = message.get("type")
    if kind == "ready":
        return Ready()
    if kind == "copy_made":
        return CopyMade()
    if kind == "commit":
        return CommitAsked()
    if kind == "failed":
        return Failed(_failure(message.get("failure")), by_peer=True)
    if kind == "report":
        return Reported(_report(message))
    raise FrameError(f"unknown message {_shown(kind)}")


def _shown(value: t.Any) -> str:
    return ascii(value)[:80]


def _failure(document: t.Any) -> Failure:
    if not isinstance(document, dict):
        raise FrameError("a failure without its cause")
    details = document.get("details")
    host = document.get("host")
    return Failure(
        code=str(document.get("code", "peer_failed"))[:64],
        msg=str(document.get("msg", ""))[:4096],
        host=str(host)[:256] if host is not None else None,
        remedy=str(document.get("remedy", ""))[:1024],
        details=details if isinstance(details, dict) else {},
        side="sender" if document.get("side") == "sender" else "receiver",
    )


def _report(message: Message) -> Report:
    status = message.get("status")
    if status is not None and (not isinstance(status, int) or isinstance(status, bool) or not 0 <= status <= 255):
        raise FrameError(f"a report with status {_shown(status)}")
    return Report(status, message.get("give_back") is True, message.get("copy_gone") is True)
