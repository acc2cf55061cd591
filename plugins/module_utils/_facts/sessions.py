# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the folders of a dom0 tell of its sessions (private to the collection).

A plain reader, which knows the documents (status.json, result.json) but not the code that writes them, so that the
modules that only look need not carry that code.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._places import session_folder, session_folders
from ansible_collections.dom0.xen.plugins.module_utils._records import SessionDomain, SessionSeen

STATUS = "status.json"
RESULT = "result.json"
JOURNAL = "journal"
# Below the journal root: the mark of a host that is closed to arrivals.
CLOSED = "closed.json"
# And a file for each of the images that were restored here last.
RESTORED, RESTORED_MOST = "restored", 32
_OF_RESTORE = ("sha256", "saved_at", "host", "at", "name", "path")

# Of the first record of a journal: the caller has tasks for after the move. And the record that they were run.
AFTER_TASKS, AFTER_TASKS_DONE = "after_tasks", "after_tasks_done"
AFTER_OWED, AFTER_DONE = "owed", "done"

# The first record of a journal is small; more of a file that somebody has spoilt is not read.
_RECORD_BYTES = 65536
# More seconds than this no clock shows.
_MOST_SECONDS = 1e12


def sessions_seen(
    runtime_root: str | None, journal_root: str, limit: int = 20, proc: str = _procfs.PROC
) -> tuple[SessionSeen, ...]:
    """Return the sessions that have a folder on this host, the one that was begun last first: the first ``limit``, and
    all others without an end and an owner, or whose caller's tasks after the move are still to be run.

    Which was begun later does not hang on the host's clock, which may be set at any time: of two sessions of one boot
    the journals say it, and those of this boot are later than all others. Between two earlier boots there is only the
    clock.

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
    seen: dict[tuple[str, str], tuple[_Begun, SessionSeen]] = {}
    for _dummy, _dummy2, (session, role, path) in folders:
        key = (session, role)
        if key not in seen:
            folder = session_folder(runtime_root, session, role) if runtime_root else None
            journal = session_folder(journal_root, session, role)
            record = _first_record(journal)
            opened = _opened(record)
            what = _seen(session, role, documents.get(key, {}), opened, folder, proc)
            if opened.get(AFTER_TASKS) is True:
                what = dataclasses.replace(what, after_tasks=after_tasks(_records(journal)))
            seen[key] = (_begun(record, opened, _changed(path), proc), what)
    ordered = [entry[1] for entry in _newest_first(seen.values())]
    kept = (not entry.over or entry.after_tasks == AFTER_OWED for entry in ordered)
    return tuple(entry for place, (entry, keep) in enumerate(zip(ordered, kept)) if place < limit or keep)


def after_tasks(records: t.Iterable[t.Mapping[str, t.Any]]) -> str | None:
    """Say of a session's journal whether the caller's tasks after the move are owed or done; None: there are none."""
    steps = {record.get("step"): record.get("details") for record in records}
    opened = steps.get("opened")
    if not isinstance(opened, dict) or opened.get(AFTER_TASKS) is not True:
        return None
    return AFTER_DONE if AFTER_TASKS_DONE in steps else AFTER_OWED


def in_doubt(document: t.Mapping[str, t.Any], alive: bool) -> bool:
    """Say whether it is not known what came of a session, whatever its ``document`` (status or result) says (pure).

    It ended with the domain here, and went on to watch for a guest that may be late. Killed, or told to end, before
    that was over, it cannot tell what the guest has done since; ``alive``: its process is there, and will.
    """
    return document.get("watches") is True and not alive


def closed_mark(journal_root: str) -> dict[str, t.Any] | None:
    """Return the mark of a host that is closed to arrivals: ``reason``, ``by``, ``run``, ``since_s`` (seconds since
    1970, or None) and ``since`` for people; None when it is open.

    One that cannot be read is a mark all the same: somebody has made it.
    """
    path = os.path.join(journal_root, "fleet", CLOSED)
    if not os.path.lexists(path):
        return None
    mark = _read(path) or {}
    since = _seconds(mark, "since_s")
    day = "" if since is None or since < 0 else time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(since))
    return {**{key: _word(mark, key) or "" for key in ("reason", "by", "run")}, "since_s": since, "since": day}


def restored_images(journal_root: str, limit: int | None = RESTORED_MOST) -> tuple[dict[str, str], ...]:
    """Return the images that were restored on this host, the last one first: ``sha256`` and ``saved_at`` of the image,
    ``host`` and ``at`` of the restore (ISO 8601, UTC), ``name`` of the domain, ``path`` that the image had.

    What is no such record is left out.
    """
    folder = os.path.join(journal_root, RESTORED)
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".json")]
    except OSError:
        return ()
    documents = [_read(os.path.join(folder, name)) or {} for name in names]
    whole = [each for each in documents if all(isinstance(each.get(key), str) for key in _OF_RESTORE)]
    told = [{key: str(each[key]) for key in _OF_RESTORE} for each in whole]
    return tuple(sorted(told, key=lambda each: each["at"], reverse=True)[:limit])


class _Begun(t.NamedTuple):
    """When a session was begun: whether in this boot, in which one, how long after it, and by the host's clock."""

    now: bool
    boot_id: str
    monotonic_s: float
    unix_s: float


def _begun(record: t.Mapping[str, t.Any], opened: t.Mapping[str, t.Any], changed: float, proc: str) -> _Begun:
    boot_id, monotonic_s, unix_s = _word(opened, "boot_id"), _seconds(record, "monotonic_s"), _seconds(record, "unix_s")
    this_boot = _this_boot(proc)
    if boot_id and monotonic_s is not None:
        return _Begun(boot_id == this_boot, boot_id, monotonic_s, changed if unix_s is None else unix_s)
    # Its journal has no beginning: what the clock says, as if it had always been right in this boot.
    since_boot = time.monotonic() - (time.time() - changed)
    return _Begun(since_boot > 0, this_boot if since_boot > 0 else "", since_boot, changed)


def _newest_first(
    seen: t.Iterable[tuple[_Begun, SessionSeen]],
) -> list[tuple[_Begun, SessionSeen]]:
    entries = list(seen)
    last: dict[str, float] = {}
    for begun, _dummy in entries:
        if begun.boot_id:
            last[begun.boot_id] = max(begun.unix_s, last.get(begun.boot_id, begun.unix_s))
    return sorted(
        entries,
        key=lambda entry: (
            entry[0].now,
            last.get(entry[0].boot_id, entry[0].unix_s),
            entry[0].boot_id,
            entry[0].monotonic_s,
        ),
        reverse=True,
    )


def _this_boot(proc: str) -> str:
    try:
        return _procfs.boot_id(proc)
    except OSError:
        return ""


def _seconds(record: t.Mapping[str, t.Any], key: str) -> float | None:
    value = record.get(key)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < _MOST_SECONDS else None


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
    doubtful = in_doubt(document, alive)
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


def _first_record(folder: str) -> dict[str, t.Any]:
    try:
        with open(os.path.join(folder, JOURNAL), "rb") as file:
            record = json.loads(file.readline(_RECORD_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _records(folder: str) -> t.Iterator[dict[str, t.Any]]:
    """Yield the records of a journal; what was torn off, or spoilt, is none."""
    with contextlib.suppress(OSError), open(os.path.join(folder, JOURNAL), "rb") as file:
        for line in file:
            with contextlib.suppress(ValueError, RecursionError):
                record = json.loads(line.decode("utf-8")) if line.endswith(b"\n") else None
                if isinstance(record, dict):
                    yield record


def _opened(record: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    details = record.get("details") if record.get("step") == "opened" else None
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
