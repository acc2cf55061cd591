# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the image's domain in the hands of a migration? Judged from what the hosts tell of their sessions (pure; private).

One that was interrupted may bring it back: settling resumes what stands still, and starts again what was shut down for
the move and is on no host meanwhile.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _commands
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import ERROR, Finding
from ansible_collections.dom0.xen.plugins.module_utils._records import SessionSeen

RUNNING = "session_running"
INTERRUPTED = "session_interrupted"


def without_end(sessions: t.Iterable[SessionSeen]) -> t.Iterator[SessionSeen]:
    """Yield the sessions of a host that have no end, newest first as they are told.

    One whose process is gone is history where a newer one of its domain has ended with an owner.
    """
    known = set()
    for session in sessions:
        if session.over:
            known.add(session.domain.uuid)
        elif session.alive or session.domain.uuid not in known:
            yield session


def findings(host: str, sessions: t.Iterable[SessionSeen], uuid: str) -> t.Iterator[Finding]:
    """Yield the sessions of this domain that have no end, as ``host`` tells them."""
    for session in without_end(sessions):
        if session.domain.uuid == uuid:
            yield _running(host, session) if session.alive else _interrupted(host, session)


def _running(host: str, session: SessionSeen) -> Finding:
    text = f"session {session.session} ({session.role}) moves this domain at this moment (phase {session.phase})."
    remedy = "Wait until it has ended, then look at where the domain is before this is run again."
    return Finding(RUNNING, ERROR, host, text, remedy, _values(session))


def _interrupted(host: str, session: SessionSeen) -> Finding:
    text = (
        f"session {session.session} ({session.role}), which moved this domain, was interrupted (phase {session.phase});"
        " bringing that to its end may start the domain."
    )
    settle = _commands.playbook("settle", f"-e domain={session.domain.uuid}")
    remedy = f"Bring it to its end: {settle}. If the domain runs nowhere after that, run this again."
    return Finding(INTERRUPTED, ERROR, host, text, remedy, _values(session))


def _values(session: SessionSeen) -> dict[str, t.Any]:
    return {"session": session.session, "role": session.role, "phase": session.phase}
