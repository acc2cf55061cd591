# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A claim is kept from the task that makes it to the end of the run, with the connection of that task."""

from __future__ import annotations

import os
import pathlib
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._marks import claims
from ansible_collections.dom0.xen.tests.unit.plugins.action.conftest import Playbook

pytestmark = pytest.mark.timeout(300)

TOKEN = "a" * 16
# Nothing is said on the host in so many seconds but what is said of this very claim.
IDLE_S = round(claims.BEAT_S) + 5


def claim(journal: pathlib.Path, state: str = "claimed") -> dict[str, t.Any]:
    """Return the task that claims a host, or gives it up."""
    given = {"state": state, "token": TOKEN, "run": "evacuate xen1", "journal_path": str(journal)}
    return {"name": "Claim", "dom0.xen.host_claim": given}


def shell(command: str, **more: t.Any) -> dict[str, t.Any]:
    """Return a task that does something here."""
    return {"name": "Do it", "ansible.builtin.shell": command, "changed_when": False, **more}


def test_kept_while_the_run_does_something_else(playbook: Playbook) -> None:
    """The caller's tasks take as long as they take. A host that is given up hears of the run no more, and no other
    process waits for the one that keeps the claim: the run ends when its last task has.
    """
    kept, given_up = playbook.folder / "kept", playbook.folder / "given_up"
    beats = [claims.beat_path(str(each), TOKEN) for each in (kept, given_up)]
    marks = f"cat {playbook.folder}/local_tmp/*/dom0-xen-claim-*"
    run = playbook.run(
        claim(kept),
        claim(given_up),
        shell(marks, register="marks", retries=10, delay=1, until="marks.stdout | length > 3"),
        claim(given_up, "released"),
        claim(kept),
        shell(f"touch -d '-1 hour' {beats[0]}"),
        {"name": "Idle", "ansible.builtin.wait_for": {"timeout": IDLE_S}},
        shell(f"echo $(($(date +%s) - $(stat -c %Y {beats[0]}))) $({marks})", register="result"),
    )
    assert run.rc == 0, run.log[-3000:]
    silence, pid = (int(each) for each in run.results["stdout"].split())
    assert silence < IDLE_S
    assert not os.path.exists(beats[1])
    end = time.monotonic() + 10.0
    while _procfs.is_alive(pid) and time.monotonic() < end:
        time.sleep(0.1)
    assert not _procfs.is_alive(pid)
