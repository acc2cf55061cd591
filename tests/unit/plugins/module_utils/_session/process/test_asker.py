# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session leaves behind for a shell says a word to its process, and gives the answer back."""

from __future__ import annotations

import json
import os
import pathlib
import stat
import subprocess

from ansible_collections.dom0.xen.plugins.module_utils._session.process import asker, control
from ansible_collections.dom0.xen.tests.unit.plugins.answering import SESSION, Answering


def say(folder: pathlib.Path, request: control.Document, timeout: str = "10") -> control.Document:
    """Run the program as a script does, with nothing of this environment; return the answer."""
    command = ["/bin/sh", str(folder / asker.PROGRAM), json.dumps(request), timeout]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", env={"PYTHONPATH": "/nowhere"})
    assert done.stdout.startswith(asker.ANSWER) and done.stdout.count("\n") == 1, done.stdout + done.stderr
    answer: control.Document = json.loads(done.stdout[len(asker.ANSWER) :])
    return answer


def test_a_word_comes_to_the_process_as_it_was_said(tmp_path: pathlib.Path) -> None:
    """Quotes, line ends and letters of any language survive the shell, in a folder whose name needs quoting."""
    reason = 'a task\'s "error"\nwas $(odd) – très'
    with Answering(tmp_path / "it's here" / f"{SESSION}.sender") as session:
        told = say(session.folder, {"command": control.REFUSE, "reason": reason})
    assert told == {"accepted": True, "phase": "gate", "owner": "source", "error": None}
    assert session.heard == [{"command": control.REFUSE, "reason": reason}]


def test_what_is_not_taken_is_told_with_its_cause(tmp_path: pathlib.Path) -> None:
    """The session's error comes along whole."""
    with Answering(tmp_path / f"{SESSION}.sender", takes=lambda dummy: False) as session:
        told = say(session.folder, {"command": control.PERMIT})
    assert not told["accepted"] and told["error"]["code"] == "gate_timeout"


def test_a_process_that_is_gone_is_said_to_be_silent(tmp_path: pathlib.Path) -> None:
    """Nobody takes silence for an answer."""
    with Answering(tmp_path / f"{SESSION}.sender", silent=True) as session:
        told = say(session.folder, {"command": control.PERMIT})
    assert set(told) == {"silent"} and "does not answer" in told["silent"]


def test_nobody_but_its_user_can_change_it(tmp_path: pathlib.Path) -> None:
    """What it holds is run by whoever has a word for the session."""
    before = os.umask(0)
    try:
        asker.offer(str(tmp_path))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / asker.PROGRAM).stat().st_mode) == 0o600
