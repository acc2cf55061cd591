# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is being moved now, asked from a machine that has nothing to do with the moves."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
import time
import typing as t

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, read_until, where

pytestmark = pytest.mark.timeout(600)

HELD = """---
- name: Wait for the word
  ansible.builtin.wait_for:
    path: "{{ word }}"
    timeout: 200
  delegate_to: localhost
"""
GONE = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}


class Onlooker(User):
    """Somebody who asks."""

    def ask(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run the playbook; return its exit status, and its log without line breaks."""
        self.result_path.unlink(missing_ok=True)
        words = ("-e", f"status_result_path={self.result_path}", *arguments)
        process = self.start("dom0.xen.status", *words, **environment)
        log = process.communicate(timeout=LIMIT_S)[0]
        assert "changed=1" not in log
        return process.returncode, " ".join(log.split())

    def also(self, **hosts: t.Any) -> tuple[str, str]:
        """Return the arguments that add hosts to the group of the dom0s, and one to no group."""
        path = self.folder / "also.json"
        path.write_text(json.dumps({"dom0": {"hosts": hosts}, "web": {"hosts": {"www": {}}}}))
        return "-i", str(path)


@pytest.fixture
def site(tmp_path: pathlib.Path) -> t.Iterator[Site]:
    """Two hosts, the guest on xen1."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable, suspend_timeout_s=1.5)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield site
    site.down()


@pytest.fixture
def onlooker(site: Site, tmp_path: pathlib.Path) -> Onlooker:
    """Somebody with a folder of his own."""
    (tmp_path / "onlooker").mkdir()
    return Onlooker(site, tmp_path / "onlooker")


def test_a_move_is_seen_from_elsewhere_until_it_is_over(onlooker: Onlooker, user: User) -> None:
    """Held at the gate it is there, with who has the word; before and after nothing is. One module run on each host."""
    status, log = onlooker.ask("-vvv")
    assert status == 0 and "Nothing is being moved." in log, log[-4000:]
    assert log.count("Using module file") == 2
    assert (onlooker.result["moves"], onlooker.result["complete"]) == ([], True)
    (user.folder / "held.yml").write_text(HELD)
    word = user.folder / "word"
    held = (
        "-e",
        "migrate_gate=controller",
        "-e",
        f"migrate_gate_tasks={user.folder / 'held.yml'}",
        "-e",
        f"word={word}",
    )
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *held)
    read_until(process, "TASK [dom0.xen.migrate : Run the tasks at the gate]")
    status, log = onlooker.ask(ANSIBLE_SHOW_CUSTOM_STATS="1")
    assert status == 0 and "1 being moved." in log, log[-4000:]
    assert "domain from to method phase sent rate so far owner" in log
    assert "centos xen1 xen2 live at the gate: ready to run at the destination" in log
    assert "centos waits at the gate for the run that moves it." in log
    # What a workflow of AWX hands on.
    assert '"dom0_xen_status": { "complete": true, "counts": {' in log
    (move,) = onlooker.result["moves"]
    assert (move["uuid"], move["state"], move["phase"], move["owner"]) == (GUEST, "moving", "gate", "source")
    assert move["bytes"] > 0 and move["elapsed_s"] > 0 and move["waits_for_gate"]
    word.touch()
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 0 and where(user.site) == "xen2", log[-4000:]
    status, log = onlooker.ask()
    assert status == 0 and "Nothing is being moved." in log, log[-4000:]


def test_hosts_that_do_not_answer_or_are_left_out_hide_no_other_one(onlooker: Onlooker, user: User) -> None:
    """They are named; where none answers the run fails. Check mode asks, and writes nothing."""
    onlooker.site["xen1"].configure(save_rate=100_000)
    process = user.start("dom0.xen.migrate", *user.asking("xen2"))
    read_until(process, "first round")
    status, log = onlooker.ask(*onlooker.also(xen2=GONE, xen3=GONE))
    assert status == 0 and "1 being moved, as 1 of 3 dom0s told." in log, log[-4000:]
    assert "xen2 told nothing: " in log and "xen3 told nothing: " in log
    assert "centos xen1 xen2 live first round" in log
    assert sorted(onlooker.result["silent"]) == ["xen2", "xen3"] and onlooker.result["hosts"] == ["xen1"]
    status, log = onlooker.ask("--limit", "xen2", "--check")
    assert status == 0 and "Not asked, since the limit leaves them out: xen1." in log, log[-4000:]
    # Its receiver alone knows from where it comes, too.
    assert "centos xen1 xen2" in log and not onlooker.result_path.exists()
    status, log = onlooker.ask(*onlooker.also(xen1=GONE, xen2=GONE))
    assert status == 2 and "none of the 2 dom0s that were asked told anything: xen1: " in log, log[-4000:]
    status, log = onlooker.ask("--limit", "www", *onlooker.also())
    assert status == 2 and "no dom0 in its group dom0 that the limit www lets through" in log
    user.run("dom0.xen.migrate", *user.asking("xen2"), "-e", "migrate_state=cancelled")
    process.communicate(timeout=LIMIT_S)


def test_a_move_that_nobody_will_end_is_told_with_what_to_type(onlooker: Onlooker, user: User) -> None:
    """Both processes are killed, and the run with them: the next one who looks is told."""
    site = onlooker.site
    site["xen1"].configure(save_rate=100_000)
    process = user.start("dom0.xen.migrate", *user.asking("xen2"))
    read_until(process, "first round")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=LIMIT_S)
    assert site["xen1"].kill("_session.daemon", "sender") and site["xen2"].kill("_session.daemon", "receiver")
    deadline = time.monotonic() + LIMIT_S
    while onlooker.ask()[1] and onlooker.result["counts"]["interrupted"] != 1:
        assert time.monotonic() < deadline
    status, log = onlooker.ask()
    assert status == 0 and "1 interrupted." in log, log[-4000:]
    command = f"ansible-playbook -i {site.inventory} dom0.xen.settle -e domain={GUEST}"
    assert f"centos was interrupted: {command}" in log
    onlooker.run("dom0.xen.settle", "-e", "domain=centos")
    status, log = onlooker.ask()
    assert status == 0 and "Nothing is being moved." in log, log[-4000:]
    assert where(site) == "xen1"
