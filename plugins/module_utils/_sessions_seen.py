# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the folders of a dom0 tell of its sessions (private to the collection).

A plain reader, which knows the documents (status.json, result.json) but not the code that writes them, so that the
modules that only look need not carry that code.
"""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._places import session_folder, session_folders
from ansible_collections.dom0.xen.plugins.module_utils._records import SessionDomain, SessionSeen

STATUS = "status.json"
RESULT = "result.json"
JOURNAL = "journal"

# The first record of a journal is small; more of a file that somebody has spoilt is not read.
_RECORD_BYTES = 65536


def sessions_seen(
    runtime_root: str | None, journal_root: str, limit: int = 20, proc: str = _procfs.PROC
) -> tuple[SessionSeen, ...]:
    """Return the sessions that have a folder on this host, newest first: the ``limit`` newest, and all older ones
    without an end and an owner.

    A session that runs, or was killed, has a status below the runtime root; one that ended has a result below the
    journal root. One of which nothing is left but its journal (the host restarted) has the phase "unknown" and the
    owner "unsettled"; its domain is taken from the journal's first record.
    """
    documents: dict[tuple[str, str], t.Mapping[str, t.Any]] = {}
    roots = ((runtime_root, STATUS), (journal_root, RESULT))
    folders = [(root, name, found) for root, name in roots if root for found in session_folders(root)]
    for _dummy, name, (session, role, path) in folders:
        document = _read(os.path.join(path, name))
        if document is not None:
            documents.setdefault((session, role), document)
    seen: list[tuple[float, tuple[str, str], SessionSeen]] = []
    for _dummy, _dummy2, (session, role, path) in folders:
        key = (session, role)
        if all(entry[1] != key for entry in seen):
            folder = session_folder(runtime_root, session, role) if runtime_root else None
            opened = _opened(session_folder(journal_root, session, role))
            seen.append((_changed(path), key, _seen(session, role, documents.get(key, {}), opened, folder, proc)))
    seen.sort(key=lambda entry: entry[0], reverse=True)
    ordered = [entry[2] for entry in seen]
    return tuple(entry for place, entry in enumerate(ordered) if place < limit or not entry.over)


def _seen(
    session: str,
    role: str,
    document: t.Mapping[str, t.Any],
    opened: t.Mapping[str, t.Any],
    runtime_folder: str | None,
    proc: str,
) -> SessionSeen:
    domain = document.get("domain")
    if not isinstance(domain, dict) or not domain:
        domain = opened
    pid = document.get("pid")
    if not isinstance(pid, int) or isinstance(pid, bool):
        pid = None
    alive = runtime_folder is not None and _procfs.session_process(pid, runtime_folder, proc) is not None
    # Killed, or told to end, while it watched for a guest that may be late, it cannot tell what came of that.
    doubtful = document.get("watches") is True and not alive
    return SessionSeen(
        session=session,
        role=role,
        phase=_word(document, "phase") or "unknown",
        owner=(None if doubtful else _word(document, "owner")) or "unsettled",
        end_state=None if doubtful else _word(document, "end_state"),
        domain=SessionDomain(uuid=_word(domain, "uuid"), name=_word(domain, "name")),
        pid=pid,
        alive=alive,
        peer_host=_word(opened, "peer_host") or None,
        waits=document.get("waits_for_settling") is True,
    )


def _opened(folder: str) -> dict[str, t.Any]:
    try:
        with open(os.path.join(folder, JOURNAL), "rb") as file:
            record = json.loads(file.readline(_RECORD_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    details = record.get("details") if isinstance(record, dict) and record.get("step") == "opened" else None
    return details if isinstance(details, dict) else {}


def _word(document: t.Mapping[str, t.Any], key: str) -> str | None:
    value = document.get(key)
    return value if isinstance(value, str) else None


def _read(path: str) -> dict[str, t.Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _changed(folder: str) -> float:
    try:
        return os.lstat(folder).st_mtime
    except OSError:
        return 0.0
