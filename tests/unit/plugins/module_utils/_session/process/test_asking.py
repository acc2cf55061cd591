# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session's process that ends, or falls silent, in the moment in which whoever settles asks it for something."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.found.here import Here
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents, journal
from ansible_collections.dom0.xen.plugins.module_utils._session.process import control
from ansible_collections.dom0.xen.plugins.module_utils._session.settling import fence, settle
from ansible_collections.dom0.xen.plugins.module_utils._settling.decision import CANCEL, OUTCOME
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.process import subprocess_runner
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import NAME, UUID, Make

Word = t.Callable[[Here, float], bool]

# Takes one connection and answers nothing; then it ends, or stays.
PROGRAM = """
import os, socket, sys, time
os.chdir(sys.argv[1])
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind("control.sock")
listener.listen(1)
print("ready", flush=True)
client = listener.accept()[0]
if sys.argv[2] == "hangs up":
    client.close()
    time.sleep(60)
"""


@contextlib.contextmanager
def asked(folder: pathlib.Path, how: str) -> t.Iterator[Here]:
    """A session whose process behaves so when it is asked."""
    here = Here(str(folder / "run"), str(folder / "lib"), "0123456789abcdef", "sender", UUID, NAME, "settler")
    os.makedirs(here.runtime)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, here.runtime, how], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        status = {"session": here.session, "role": here.role, "pid": process.pid, "phase": "finishing"}
        documents.write(os.path.join(here.runtime, documents.STATUS), status)
        yield here
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("verb", [OUTCOME, CANCEL])
def test_one_that_ends_while_it_is_asked(tmp_path: pathlib.Path, verb: str) -> None:
    """It has left its end on record: whoever settles looks again, and does not fail."""
    with asked(tmp_path, "ends") as here:
        done = settle.act(here, Xl(subprocess_runner(), "xl"), settle.Act(verb, 3), 20)
    assert done == {"changed": False, "accepted": False}


@pytest.mark.parametrize("word", [settle.undo_started, settle.undone])
def test_one_that_ends_while_it_hears_of_the_tasks_at_the_gate(tmp_path: pathlib.Path, word: Word) -> None:
    """Nothing is undone on its word, nor is it on record for it: it may have given the permission."""
    with asked(tmp_path, "ends") as here:
        assert word(here, 20) is False


@pytest.mark.parametrize("word", [settle.undo_started, settle.undone, settle.tasks_done])
def test_one_that_has_ended_since_it_was_looked_at(tmp_path: pathlib.Path, word: Word) -> None:
    """No other run has anything to do with that, and none is waited for."""
    here = Here(str(tmp_path / "run"), str(tmp_path / "lib"), "0123456789abcdef", "sender", "uuid", "centos", "settler")
    os.makedirs(here.journal)
    os.makedirs(here.runtime_root)
    file = journal.Journal(here.journal)
    file.write("permission_held", {"gate": "controller"})
    file.write("gate_tasks_started")
    file.close()
    assert word(here, 600) is False
    assert [record["step"] for record in journal.read(here.journal)] == ["permission_held", "gate_tasks_started"]
    fence.mark(here)
    assert word(here, 600) is True


@pytest.mark.parametrize("word", [settle.undo_started, settle.undone])
def test_one_that_lives_and_does_not_hear_of_the_tasks_at_the_gate(tmp_path: pathlib.Path, word: Word) -> None:
    """That is told too."""
    with asked(tmp_path, "hangs up") as here, pytest.raises(control.SessionSilent):
        word(here, 0.2)


def test_one_that_lives_and_does_not_answer(tmp_path: pathlib.Path) -> None:
    """That is told: nobody else may do what it does."""
    with asked(tmp_path, "hangs up") as here, pytest.raises(control.SessionSilent):
        settle.act(here, Xl(subprocess_runner(), "xl"), settle.Act(OUTCOME, 3), 0.2)


def test_a_sender_is_not_told_to_give_up_a_copy_that_runs(make: Make, tmp_path: pathlib.Path) -> None:
    """Somebody may have let it go on since it was looked at; xl destroys it without looking."""
    dom0 = make()
    domid = dom0.suspended()
    with asked(tmp_path, "hangs up") as here:
        with pytest.raises(control.SessionSilent):
            settle.act(here, dom0.xl, settle.Act(OUTCOME, 0), 0.2)
        dom0.xl.destroy(domid)
        dom0.start()
        done = settle.act(here, dom0.xl, settle.Act(OUTCOME, 0), 0.2)
    assert done == {"changed": False, "accepted": False, "msg": f"the domain {NAME} runs here"}
