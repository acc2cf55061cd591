# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A word at the gate reaches the sender by one script, and every answer and silence becomes a result with a remedy."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.process import own_code
from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook
from ansible_collections.dom0.xen.tests.unit.plugins.action.connections import lose_the_first_answer
from ansible_collections.dom0.xen.tests.unit.plugins.answering import SESSION, Answering, HeldGate

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(300)

# What nobody has to do with the test may run as.
SYSTEM_PYTHON = "/usr/bin/python3"


def say(runtime_path: pathlib.Path, state: str, **options: t.Any) -> dict[str, t.Any]:
    """Return the task that says a word."""
    arguments = {"session": SESSION, "state": state, "runtime_path": str(runtime_path), **options}
    return {"name": "Say it", "dom0.xen.migration_gate": arguments, "register": "result", "ignore_errors": True}


def sender(runtime_path: pathlib.Path, **behaviour: t.Any) -> Answering:
    """Return a sender that listens in its folder."""
    return Answering(runtime_path / f"{SESSION}.sender", **behaviour)


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("state", "command"),
    [("started", "gate_start"), ("permitted", "permit"), ("undo_started", "undo_start"), ("undone", "undone")],
)
def test_each_word_is_taken(
    playbook: Playbook, runtime_path: pathlib.Path, state: str, command: str, pipelining: bool
) -> None:
    """It says how far the session is; no module runs, for which the guest would stand still."""
    playbook.host["ansible_pipelining"] = pipelining
    with sender(runtime_path) as session:
        run = playbook.run(say(runtime_path, state))
    assert run.rc == 0, run.log[-3000:]
    assert (run.results["changed"], run.results["phase"], run.results["owner"]) == (True, "gate", "source")
    assert session.commands == [command]
    assert "Using module file" not in run.log


def test_a_refusal_takes_its_reason_along(playbook: Playbook, runtime_path: pathlib.Path) -> None:
    """However long it is, and whatever a shell would make of it: the word must not be lost for it."""
    reason = 'it\'s "$(off)"\n' + "x" * 300_000
    with sender(runtime_path) as session:
        run = playbook.run(say(runtime_path, "refused", reason=reason))
    assert run.results["changed"], run.log[-3000:]
    assert session.heard == [{"command": "refuse", "reason": reason[:1024]}]


def test_a_word_that_is_not_taken(playbook: Playbook, runtime_path: pathlib.Path) -> None:
    """Nobody takes it for given; the message has the sender's own cause."""
    with sender(runtime_path, takes=lambda dummy: False):
        run = playbook.run(say(runtime_path, "permitted"))
    assert (run.results["failed"], run.results["changed"], run.results["code"]) == (True, False, "gate_closed")
    told = "xen1: the sender did not accept 'permitted' in its phase 'gate': nobody gave the permission within 120 s"
    assert told in run.results["msg"]
    assert "dom0.xen.settle" in run.results["remedy"]


@pytest.mark.parametrize("left", ["nothing", "its folder"])
def test_a_sender_that_is_gone(playbook: Playbook, runtime_path: pathlib.Path, left: str) -> None:
    """It has ended, or was killed: that is neither yes nor no, which the role must be able to tell apart."""
    if left == "nothing":
        run = playbook.run(say(runtime_path, "permitted"))
    else:
        with sender(runtime_path, silent=True):
            run = playbook.run(say(runtime_path, "permitted"))
    assert (run.results["failed"], run.results["code"]) == (True, "session_silent")
    assert "xen1: the session's process does not answer" in run.results["msg"]
    assert "dom0.xen.migration_info" in run.results["remedy"]


def test_a_name_that_is_no_session(playbook: Playbook, runtime_path: pathlib.Path) -> None:
    """Nothing of it becomes a path."""
    run = playbook.run(say(runtime_path, "permitted", session="../../tmp"))
    assert run.results["code"] == "session_invalid"


def test_in_check_mode_nothing_is_said(playbook: Playbook, runtime_path: pathlib.Path) -> None:
    """There is no gate then."""
    with sender(runtime_path) as session:
        run = playbook.run(say(runtime_path, "permitted"), arguments=["--check"])
    assert run.results["skipped"] is True
    assert session.heard == []


@pytest.mark.parametrize("pipelining", [True, False])
def test_another_user_than_root(
    playbook: Playbook, runtime_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, pipelining: bool
) -> None:
    """The session is that of the user that become names: its folder is closed to everybody else."""
    code = own_code.code_path()
    able = ["sudo", "-n", "-u", "nobody", SYSTEM_PYTHON, "-I", "-c", "import os, sys; os.listdir(sys.argv[1])", code]
    if os.geteuid() != 0 or shutil.which("sudo") is None or subprocess.run(able, check=False).returncode:
        pytest.skip("needs root, sudo, and a Python and a checkout that everybody can read")
    playbook.folder.chmod(0o755)
    playbook.host.update(ansible_become=True, ansible_become_user="nobody", ansible_pipelining=pipelining)
    # The session itself would run with it.
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", SYSTEM_PYTHON)
        session = sender(runtime_path)
        with session:
            patch.undo()
            for path in (runtime_path, session.folder, *session.folder.iterdir()):
                shutil.chown(path, "nobody")
            run = playbook.run(say(runtime_path, "permitted"))
    assert run.results["changed"] is True, run.log[-3000:]
    assert session.commands == ["permit"]


@pytest.mark.parametrize("pipelining", [True, False])
def test_over_ssh(playbook: Playbook, runtime_path: pathlib.Path, sshd: dict[str, t.Any], pipelining: bool) -> None:
    """The connection that everybody uses; also with a terminal, whose line ends are others."""
    playbook.host.update(sshd, ansible_connection="ssh", ansible_pipelining=pipelining)
    if not pipelining:
        playbook.host["ansible_ssh_common_args"] += " -tt"
    with sender(runtime_path) as session:
        run = playbook.run(say(runtime_path, "permitted"))
    assert run.results["changed"] is True, run.log[-3000:]
    assert session.commands == ["permit"]


def test_a_host_out_of_reach_is_unreachable(playbook: Playbook, runtime_path: pathlib.Path) -> None:
    """The role goes by that: it refuses nothing on behalf of a host that it cannot hear."""
    playbook.host["ansible_connection"] = "dom0.xen.move"
    with sender(runtime_path) as session:
        run = playbook.run({**say(runtime_path, "permitted"), "ignore_unreachable": True})
    assert run.results["unreachable"] is True
    assert session.heard == []


@pytest.mark.parametrize(("then", "told"), [("refused", "gate_closed"), ("permitted", None)])
def test_a_permission_whose_answer_is_lost(
    playbook: Playbook, runtime_path: pathlib.Path, then: str, told: str | None
) -> None:
    """The destination may run the domain by then: nobody refuses or undoes any more, and to say it again is no harm."""
    lose_the_first_answer(playbook)
    rules = HeldGate()
    with sender(runtime_path, takes=rules) as session:
        first = {**say(runtime_path, "permitted"), "register": "first", "ignore_unreachable": True}
        lost = {
            "name": "See that it is lost",
            "ansible.builtin.assert": {"that": "first.unreachable and first is not changed"},
        }
        run = playbook.run(first, lost, say(runtime_path, then))
    assert run.rc == 0, run.log[-3000:]
    assert run.results.get("code") == told and run.results["changed"] is (told is None)
    assert rules.state.commit_left and rules.state.failure is None
    assert [each["command"] for each in session.heard] == ["permit", {"refused": "refuse"}.get(then, "permit")]
