# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session leaves for those who come through a shell and have a word for it (private to the collection).

At the gate the guest stands still for every word, and a module run takes a second and more where the controller or the
host is busy. A script of one line needs to know which Python there is and where this code lies: the session does.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import syslog

from ansible_collections.dom0.xen.plugins.module_utils._session.process import control
from ansible_collections.dom0.xen.plugins.module_utils._session.process.own_code import code_path

PROGRAM = "ask"
"""A file in the session's runtime folder, for ``sh``: its words are a request as JSON, and a time limit in seconds.

It is not executable, since what lies in memory is often mounted so that nothing there is.
"""
ANSWER = "dom0-xen-answer "
"""What the line begins with that holds the answer."""

# -I: nothing of the environment or the working folder gets in. -S: nothing but the standard library is needed.
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from ansible_collections.dom0.xen.plugins.module_utils._session.process.asker import main; "
    "main(*sys.argv[2:])"
)
# As Ansible names what a module says to the host's log.
_LOGS_AS = "ansible-dom0.xen.migration_gate"


def offer(folder: str) -> None:
    """Put the program into the session's runtime folder ``folder``. Raises :class:`OSError`."""
    words = [sys.executable, "-I", "-S", "-c", _START, code_path(), folder]
    fd = os.open(os.path.join(folder, PROGRAM), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as handle:
        handle.write("exec " + " ".join(shlex.quote(word) for word in words) + ' "$@"\n')


def main(folder: str, request: str, timeout: str) -> None:
    """Ask, and write the answer as a line of JSON behind :data:`ANSWER`; where none came, why, as ``silent``."""
    document = json.loads(request)
    try:
        told = control.ask(folder, document, float(timeout))
    except control.SessionSilent as exc:
        told = {"silent": str(exc)}
    sys.stdout.write(ANSWER + json.dumps(told) + "\n")
    sys.stdout.flush()
    if told.get("accepted"):
        session = os.path.basename(folder).partition(".")[0]
        syslog.openlog(_LOGS_AS, 0, syslog.LOG_USER)
        syslog.syslog(syslog.LOG_INFO, f"dom0.xen {session}: gate: {document.get('command')}")
