# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding sessions on a host, and asking one to stop (private to the collection)."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import in_doubt
from ansible_collections.dom0.xen.plugins.module_utils._places import session_folder, session_folders
from ansible_collections.dom0.xen.plugins.module_utils._procfs import session_process
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents, journal
from ansible_collections.dom0.xen.plugins.module_utils._session.process import control

Document = t.Dict[str, t.Any]

_POLL_S = 0.2


def status_of(runtime_root: str, journal_root: str, session: str, role: str) -> Document | None:
    """Return the status of a session while it runs, its result once it has ended, ``None`` when it is unknown here.

    ``alive`` tells whether its process is there, ``journal`` what it has put on record about the ownership.
    """
    runtime = session_folder(runtime_root, session, role)
    ended = session_folder(journal_root, session, role)
    document = documents.read(os.path.join(runtime, documents.STATUS)) or documents.read(
        os.path.join(ended, documents.RESULT)
    )
    records = journal.read(ended)
    if document is None and not records:
        return None
    found: Document = dict(document or {"session": session, "role": role})
    found["alive"] = process_of(found, runtime) is not None
    if in_doubt(found, found["alive"]):
        found.update(owner="unsettled", end_state=None)
    found["journal"] = [{key: record[key] for key in ("step", "details") if key in record} for record in records]
    return found


def sessions_of(runtime_root: str, journal_root: str, session: str | None, uuid: str | None) -> list[Document]:
    """Return the sessions with this identity, or of this domain, newest first."""
    seen: dict[tuple[str, str], None] = {}
    for root in (runtime_root, journal_root):
        for name, role, _dummy in session_folders(root):
            if session is None or name == session:
                seen.setdefault((name, role))
    found = [status_of(runtime_root, journal_root, name, role) for name, role in seen]
    return [item for item in found if item and (uuid is None or item.get("domain", {}).get("uuid") == uuid)]


def over(document: Document) -> bool:
    """Whether a session has ended on this host, and with an owner of the domain (as ``SessionSeen.over``)."""
    return document.get("phase") == "ended" and document.get("owner") != "unsettled" and not document["alive"]


def process_of(document: Document, runtime_folder: str) -> int | None:
    """Return the pid of a session's process when it runs and is what it says it is."""
    return session_process(document.get("pid"), runtime_folder)


def wait_for_end(runtime_root: str, journal_root: str, session: str, role: str, seconds: float) -> bool:
    """Wait until the session's process has gone; return whether it has."""
    runtime = session_folder(runtime_root, session, role)
    deadline = time.monotonic() + seconds
    while True:
        document = status_of(runtime_root, journal_root, session, role)
        if document is None or process_of(document, runtime) is None:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)


def ask_to_stop(document: Document, runtime_folder: str) -> bool:
    """Ask the session's process to give up; return whether it does. It does so if the rules allow it.

    One that cannot be spoken to gets SIGTERM, which asks for the same without an answer.
    """
    pid = process_of(document, runtime_folder)
    if pid is None:
        return False
    try:
        return bool(control.ask(runtime_folder, {"command": control.CANCEL}, control.ANSWER_S).get("accepted"))
    except control.SessionSilent:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        return True
