# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting a session's daemon so that nothing of Ansible can end it (private to the collection).

The daemon gets its own copy of the code, because Ansible removes a module's payload when the module ends; its own
session and, where systemd runs the host, its own scope, because the scope of an ssh login can be killed; and no
terminal.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.sessions import in_doubt
from ansible_collections.dom0.xen.plugins.module_utils._places import (
    CERTIFICATE,
    KEY,
    journal_root,
    make_private_folder,
    runtime_root,
    session_folder,
    session_folders,
)
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import beginning, documents, journal
from ansible_collections.dom0.xen.plugins.module_utils._session.process import kept_code
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.errors import NotBegun
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import Settings
from ansible_collections.dom0.xen.plugins.module_utils._session.transport import ssh_door

if t.TYPE_CHECKING:
    # The daemon has it from the module's payload, into which Ansible puts what a text imports; here it is not loaded,
    # since a slow host takes seconds for it.
    from ansible_collections.dom0.xen.plugins.module_utils._session import daemon  # noqa: F401

LOG = "log"
KEEP_DAYS = 30

_OWNERS = ("source", "destination")
# Settling may find the domain on a host that has no part in the session.
_SETTLED = (*_OWNERS, "elsewhere")
# Seconds: for a session that has begun to say so, and for one that is ended to be gone.
_BEGUN_S, _END_S = 30.0, 10.0
_BEGUN = "Run the same command again: it finds this session, and watches it to its end or settles it."
_SYSTEMD = "/run/systemd/system"
# -I: nothing of the environment or the working folder gets in.
_START = (
    "import sys; sys.path.insert(0, sys.argv[4]); "
    "from ansible_collections.dom0.xen.plugins.module_utils._session.daemon import main; "
    "main(sys.argv[1], sys.argv[2], int(sys.argv[3]))"
)


class LaunchFailed(Dom0XenError):
    """The session's process did not come up."""

    code = "launch_failed"
    remedy = "Look at the details; the host must be able to run its Python and xl."


class CredentialsMissing(Dom0XenError):
    """The session's key and certificate are not on the host."""

    code = "credentials_missing"
    remedy = "Run dom0.xen.migration_credentials for this session and role on this host first."


class SessionRefused(Dom0XenError):
    """The session's process came up and refused to go on; the fields are its own."""


class Places(t.NamedTuple):
    """The folders of one session on one host."""

    runtime_root: str
    runtime: str
    journal: str

    @property
    def status_path(self) -> str:
        """Where the status is while the session runs."""
        return os.path.join(self.runtime, documents.STATUS)

    @property
    def result_path(self) -> str:
        """Where the result is after it."""
        return os.path.join(self.journal, documents.RESULT)


def prepare(runtime_path: str, journal_path: str, session: str, role: str) -> Places:
    """Return the session's folders, with its credentials in them. Raises CredentialsMissing or a PlaceError."""
    root = runtime_root(runtime_path)
    runtime = session_folder(root, session, role)
    for name in (KEY, CERTIFICATE):
        if not os.path.isfile(os.path.join(runtime, name)):
            raise CredentialsMissing(f"there is no {name} in {runtime}")
    make_private_folder(runtime)
    journals = journal_root(journal_path)
    _tidy(root, journals)
    ssh_door.tidy(root, journals)
    _prune(journals)
    return Places(root, runtime, make_private_folder(session_folder(journals, session, role)))


def launch(places: Places, role: str, settings: Settings, timeout: float) -> dict[str, t.Any]:
    """Start the daemon; return what it tells when it is up. ``timeout`` in seconds.

    Raises :class:`SessionRefused` with the daemon's own words, :class:`LaunchFailed`, or another ``Dom0XenError``.
    Nothing is left behind then, but for a session that has begun.
    """
    try:
        process, ready, code = _start(places, role, settings)
    except (OSError, Dom0XenError) as exc:
        shutil.rmtree(places.runtime, ignore_errors=True)
        if isinstance(exc, OSError):
            raise NotBegun.of(exc) from exc
        raise
    began = time.monotonic()
    try:
        answer = _first_line(ready, timeout)
        late = time.monotonic() - began >= timeout
        if answer is None and not _end(process, places):
            answer = _first_line(ready, _BEGUN_S)
            if answer is None:
                raise LaunchFailed(f"the session has begun within {timeout} s, and has not said so", remedy=_BEGUN)
    finally:
        os.close(ready)
    if answer is None:
        if not late:
            # What a host has compiled that is only slow helps the next one.
            kept_code.forget_compiled(places.runtime_root, code)
        lines = documents.last_lines(os.path.join(places.journal, LOG))
        shutil.rmtree(places.runtime, ignore_errors=True)
        how = f"did not come up within {timeout} s" if late else "ended before it had come up"
        raise LaunchFailed(f"the session's process {how}", log=lines)
    error = answer.get("error")
    if error is not None:
        refused = SessionRefused(
            str(error.get("msg")), remedy=str(error.get("remedy") or ""), **(error.get("details") or {})
        )
        refused.code = str(error.get("code"))
        raise refused
    return answer


def _start(places: Places, role: str, settings: Settings) -> tuple[subprocess.Popen[bytes], int, str]:
    """Start the process; return it, the descriptor on which it tells that it is up, and where its code lies."""
    documents.write(os.path.join(places.runtime, documents.SETTINGS), settings.to_document())
    try:
        code = kept_code.kept(places.runtime_root, places.runtime)
    except OSError as exc:
        text = f"the session's code cannot be kept in {places.runtime_root}: {exc}"
        raise LaunchFailed(text, remedy=NotBegun.remedy) from exc
    log = os.open(os.path.join(places.journal, LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    ready, tell = os.pipe()
    try:
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function  # it outlives the module
            [*_scope(settings, role), sys.executable, "-I", "-c", _START, role, places.runtime, str(tell), code],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            pass_fds=(tell,),
            start_new_session=True,
        )
    except OSError as exc:
        os.close(ready)
        raise LaunchFailed(f"the session cannot be started: {exc}") from exc
    finally:
        os.close(tell)
        os.close(log)
    return process, ready, code


def _scope(settings: Settings, role: str) -> list[str]:
    tool = shutil.which("systemd-run")
    if tool is None or not os.path.isdir(_SYSTEMD):
        return []
    return [
        tool,
        "--scope",
        "--quiet",
        "--collect",
        f"--unit=dom0-xen-{settings.session}-{role}",
        f"--description=dom0.xen {role} of domain {settings.name}",
        "--",
    ]


def _first_line(fd: int, timeout: float) -> dict[str, t.Any] | None:
    deadline = time.monotonic() + timeout
    text = b""
    while not text.endswith(b"\n"):
        # What is there is read, however late: this process may have been without a processor for all of the time.
        left = max(0.0, deadline - time.monotonic())
        if not select.select([fd], [], [], left)[0]:
            return None
        piece = os.read(fd, 65536)
        if not piece:
            return None
        text += piece
    answer = json.loads(text.decode("utf-8"))
    return answer if isinstance(answer, dict) else None


def _end(process: subprocess.Popen[bytes], places: Places) -> bool:
    """End a session that does not come up; return false for one that has begun meanwhile, which is left to go on.

    The guest may stand still for it by then, or the destination run it: killed, it would leave that to whoever settles.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        with beginning.kept_back(places.runtime) as kept:
            if not kept or any(record.get("step") == beginning.STEP for record in journal.read(places.journal)):
                return False
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
    return True


def _tidy(root: str, journals: str) -> None:
    """Put where it belongs what sessions that have ended could not write any more, since the disk was full."""
    for session, role, path in session_folders(root):
        status = documents.read(os.path.join(path, documents.STATUS)) or {}
        over = status.get("phase") == "ended" and status.get("owner") in _OWNERS and not in_doubt(status, alive=False)
        kept = session_folder(journals, session, role)
        if not over or _procfs.session_process(status.get("pid"), path) is not None or not os.path.isdir(kept):
            continue
        result = os.path.join(kept, documents.RESULT)
        if not os.path.isfile(result):
            try:
                documents.write(result, status, durable=True)
            except OSError:
                continue
        shutil.rmtree(path, ignore_errors=True)


def _prune(root: str) -> None:
    oldest = time.time() - KEEP_DAYS * 86400
    for _dummy, _dummy2, path in session_folders(root):
        result = os.path.join(path, documents.RESULT)
        told = documents.read(result) or {}
        # A journal without its result, or whose end nobody knows, is evidence; it is kept.
        if told.get("owner") not in _SETTLED or in_doubt(told, alive=False):
            continue
        # A session that is started beside this one may have taken it away just now.
        with contextlib.suppress(FileNotFoundError):
            if os.stat(result).st_mtime < oldest:
                shutil.rmtree(path, ignore_errors=True)
