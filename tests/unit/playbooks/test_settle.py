# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A migration is interrupted, and one run of a playbook brings the domain to one owner."""

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

# Before xl asks for it: afterwards the sender races with its own end.
SENDER_AT_THE_PERMISSION = ("xen1", {"point": "migrate.renamed", "action": "kill_parent"})
RECEIVER_AT_THE_COMMIT = ("xen2", {"point": "receive.go", "action": "kill_parent"})
DESTINATION_AT_THE_COMMIT = ("xen2", {"point": "receive.go", "action": "kill"})


@pytest.fixture
def user(tmp_path: pathlib.Path) -> t.Iterator[User]:
    """Somebody with two hosts, the guest on xen1."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable, suspend_timeout_s=1.5)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield User(site, tmp_path)
    site.down()


@pytest.mark.parametrize(
    ("fault", "owner"),
    [
        pytest.param(SENDER_AT_THE_PERMISSION, "xen1", id="sender killed"),
        pytest.param(RECEIVER_AT_THE_COMMIT, "xen2", id="receiver killed"),
    ],
)
def test_one_run_settles(user: User, fault: tuple[str, dict[str, t.Any]], owner: str) -> None:
    """Whoever was killed, the domain then runs on exactly one host, under its own name, and nothing is left."""
    site, (host, what) = user.site, fault
    site[host].faults(what)
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), "-e", "migrate_silence_timeout=5")
    moved = process.communicate(timeout=LIMIT_S)[0]
    print(moved[-3000:])
    log = user.run("dom0.xen.settle", "-e", "domain=centos", "-v")
    print(log[-6000:])
    assert where(site) == owner, log
    assert [each["name"] for each in site["xen1"].domains() + site["xen2"].domains()] == ["centos"]
    # What was resumed was suspended before, which its monitor does not outlive on this Xen.
    assert ("centos has lost its monitor" in moved + log) == (owner == "xen1")
    again = user.run("dom0.xen.settle")
    assert "Nothing to settle: no migration was interrupted." in again
    assert "changed=0" in again and "changed=1" not in again


def test_two_runs_settle_at_once(user: User) -> None:
    """Both end well, whoever of them takes the steps: the user who was second has done nothing wrong."""
    site, (host, what) = user.site, SENDER_AT_THE_PERMISSION
    site[host].faults(what)
    user.start("dom0.xen.migrate", *user.asking("xen2"), "-e", "migrate_silence_timeout=5").communicate(timeout=LIMIT_S)
    runs = [user.start("dom0.xen.settle", "-e", "domain=centos", "-v") for dummy in range(2)]
    logs = [run.communicate(timeout=LIMIT_S)[0] for run in runs]
    for run, log in zip(runs, logs, strict=True):
        assert run.returncode == 0, log[-4000:]
    assert where(site) == "xen1"
    assert [each["name"] for each in site["xen1"].domains() + site["xen2"].domains()] == ["centos"]


def test_the_role_alone_settles_first(user: User) -> None:
    """Without the playbook too: the source is not taken for the owner of what the destination may run."""
    site, (host, what) = user.site, RECEIVER_AT_THE_COMMIT
    site[host].faults(what)
    first = user.start("dom0.xen.migrate", *user.asking("xen2"))
    read_until(first, "Confirm that the receiver has admitted the sender")
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate(timeout=LIMIT_S)
    deadline = time.monotonic() + LIMIT_S
    while site[host].paths.faults.read_text() != "[]":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    asked = {"migrate_domain": "centos", "migrate_source": "xen1", "migrate_destination": "xen2"}
    role = {"role": "dom0.xen.migrate", "vars": asked}
    play = {"name": "Move a domain", "hosts": "localhost", "gather_facts": False, "roles": [role]}
    (user.folder / "play.yml").write_text(json.dumps([play]))
    log = user.run(str(user.folder / "play.yml"))
    assert "TASK [dom0.xen.settle : Put the end on record" in log, log[-6000:]
    assert "centos is already on xen2" in log, log[-6000:]
    assert where(site) == "xen2"
    assert [each["name"] for each in site["xen1"].domains() + site["xen2"].domains()] == ["centos"]


def test_a_move_is_called_off(user: User) -> None:
    """A second run ends it while memory flows and says so; the first one reports that the domain has stayed."""
    site = user.site
    site["xen1"].configure(save_rate=100_000)
    move = user.start("dom0.xen.migrate", *user.asking("xen2"))
    read_until(move, "first round")
    log = user.run("dom0.xen.migrate", *user.asking("xen2"), "-e", "migrate_state=cancelled")
    assert "It runs on xen1" in log, log[-4000:]
    moved = move.communicate(timeout=LIMIT_S)[0]
    assert move.returncode != 0, moved[-4000:]
    assert where(site) == "xen1"
    assert [each["name"] for each in site["xen1"].domains() + site["xen2"].domains()] == ["centos"]
    nothing = user.run("dom0.xen.migrate", *user.asking("xen2"), "-e", "migrate_state=cancelled")
    assert "is not being moved" in nothing


HELD = """---
- name: Tell that the gate is reached
  ansible.builtin.file:
    path: "{{ held_by }}.reached"
    state: touch
    mode: "0600"
  delegate_to: localhost

- name: Wait for the word
  ansible.builtin.wait_for:
    path: "{{ held_by }}"
    timeout: 120
  delegate_to: localhost

- name: Say no
  ansible.builtin.fail:
    msg: no
"""
UNDONE = """---
- name: There is nothing to undo
  ansible.builtin.debug:
    msg: nothing
"""

WRITTEN = """---
- name: Hand the storage over
  ansible.builtin.file:
    path: "{{ written }}"
    state: touch
    mode: "0600"
  delegate_to: localhost
"""


def at_the_gate(user: User, tasks: str, undo: str, **more: object) -> list[str]:
    """Return the options of a move that holds the gate with these files of the user's folder."""
    files = {"migrate_gate_tasks": tasks, "migrate_gate_undo_tasks": undo}
    values = {
        "migrate_gate": "controller",
        **{name: user.folder / f"{file}.yml" for name, file in files.items()},
        **more,
    }
    return [f"-e{name}={value}" for name, value in values.items()]


def test_a_run_that_cleans_up_leaves_the_last_copy_alone(user: User) -> None:
    """The source loses its power at the gate, and then a task there fails: the run must not call the receiver off."""
    site, word = user.site, user.folder / "word"
    (user.folder / "held.yml").write_text(HELD)
    (user.folder / "undone.yml").write_text(UNDONE)
    gate = at_the_gate(user, "held", "undone", migrate_silence_timeout=5, held_by=word)
    move = user.start("dom0.xen.migrate", *user.asking("xen2"), *gate)
    deadline = time.monotonic() + LIMIT_S
    while not pathlib.Path(f"{word}.reached").exists():
        assert time.monotonic() < deadline and move.poll() is None
        time.sleep(0.1)
    site["xen1"].power_off()
    word.touch()
    log = move.communicate(timeout=LIMIT_S)[0]
    assert move.returncode == 2, log[-4000:]
    assert [each["name"] for each in site["xen2"].domains()] == ["centos--incoming"], log[-6000:]
    site["xen1"].power_on()
    asked = user.start("dom0.xen.settle", "-e", "domain=centos").communicate(timeout=LIMIT_S)[0]
    assert "The tasks at the gate are not known to have been run to their end" in asked, asked[-4000:]
    assert [each["name"] for each in site["xen2"].domains()] == ["centos--incoming"]
    (user.folder / "given.yml").write_text(WRITTEN)
    given = ("-e", f"migrate_gate_tasks={user.folder / 'given.yml'}", "-e", f"written={user.folder / 'given'}")
    log = user.run("dom0.xen.settle", "-e", "domain=centos", "-v", *given)
    assert where(site) == "xen2", log[-4000:]
    assert (user.folder / "given").exists()


REFUSED = """---
- name: Say no
  ansible.builtin.fail:
    msg: no
"""


def test_a_guest_that_stays_after_its_suspend_has_lost_its_monitor(user: User) -> None:
    """Nothing would restart it when it reboots: the run says so, and how to reboot it once, and so does the result."""
    (user.folder / "refused.yml").write_text(REFUSED)
    (user.folder / "undone.yml").write_text(UNDONE)
    move = user.start("dom0.xen.migrate", *user.asking("xen2"), *at_the_gate(user, "refused", "undone"))
    log = move.communicate(timeout=LIMIT_S)[0]
    assert where(user.site) == "xen1", log[-4000:]
    assert (user.result["end_state"], user.result["monitor"]) == ("stayed", "lost")
    assert [(one["code"], one["host"]) for one in user.result["remarks"]] == [("monitor_missing", "xen1")]
    assert "xen1: no process of xl handles the domain's end any more" in log.replace("\n", " "), log[-4000:]
    user.site["xen1"].run("xl", "destroy", "centos")
    user.site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    user.move("xen2")
    assert (user.result["monitor"], user.result["remarks"]) == ("kept", [])


PERMITTED = """---
- name: Give the permission, as another run may have done
  dom0.xen.migration_gate:
    session: "{{ __migrate_check.session.session }}"
    state: permitted
    runtime_path: "{{ __migrate_check.source.runtime_path }}"
  delegate_to: xen1

- name: Fail
  ansible.builtin.fail:
    msg: no
"""


def test_nothing_is_undone_behind_a_permission(user: User) -> None:
    """A run that fails at the gate when the permission is given must not take the storage from the destination."""
    back = user.folder / "back"
    (user.folder / "permitted.yml").write_text(PERMITTED)
    (user.folder / "written.yml").write_text(WRITTEN)
    gate = at_the_gate(user, "permitted", "written", written=back)
    move = user.start("dom0.xen.migrate", *user.asking("xen2"), *gate)
    log = move.communicate(timeout=LIMIT_S)[0]
    assert where(user.site) == "xen2", log[-4000:]
    assert not back.exists(), log[-4000:]
    # Unless the sender's end was faster: then the run knows only that its task failed.
    assert move.returncode == 0 or "was moved from xen1 to xen2, but: A task at the gate failed" in log, log[-4000:]


SILENT = """---
- name: Lose the source from sight
  ansible.builtin.set_fact:
    ansible_connection: dom0.xen.move
  delegate_to: xen1
  delegate_facts: true
"""


def test_a_source_that_falls_silent_at_the_gate_fails_the_run(user: User) -> None:
    """It does not leave the play without a word; and whoever can see the source again brings the guest back."""
    back = user.folder / "back"
    (user.folder / "silent.yml").write_text(SILENT)
    (user.folder / "written.yml").write_text(WRITTEN)
    gate = at_the_gate(user, "silent", "written", written=back)
    limits = ("-e", "migrate_gate_timeout=20", "-e", "migrate_silence_timeout=5")
    move = user.start("dom0.xen.migrate", *user.asking("xen2"), *gate, *limits)
    log = move.communicate(timeout=LIMIT_S)[0]
    assert move.returncode == 2, log[-4000:]
    assert "TASK [dom0.xen.migrate : Refuse the permission]" in log, log[-6000:]
    assert not back.exists()
    undo = ("-e", f"migrate_gate_undo_tasks={user.folder / 'written.yml'}", "-e", f"written={back}")
    deadline = time.monotonic() + LIMIT_S
    while user.site.running(GUEST) == [] and time.monotonic() < deadline:
        log = user.start("dom0.xen.settle", "-e", "domain=centos", *undo).communicate(timeout=LIMIT_S)[0]
    assert where(user.site) == "xen1", log[-6000:]
    assert back.exists()


UNDONE_MEANWHILE = """---
- name: Have another run undo them and give the source its guest back
  ansible.builtin.command:
    argv: "{{ [ansible_playbook_python, '-m', 'ansible.cli.playbook', '-i', known_hosts, 'dom0.xen.settle',
      '-e', 'domain=centos', '-e', 'migrate_gate_undo_tasks=' ~ other_undo] }}"
  delegate_to: localhost
  changed_when: true

- name: Hand the storage over, too late
  ansible.builtin.file:
    path: "{{ storage }}"
    state: touch
    mode: "0600"
  delegate_to: localhost
"""
FETCHED = """---
- name: Take the storage back
  ansible.builtin.file:
    path: "{{ storage }}"
    state: absent
  delegate_to: localhost
"""


def test_what_was_done_after_another_run_had_undone_it_is_undone_again(user: User) -> None:
    """The tasks outlast the gate's time, another run lets the source go on, and then they take its storage."""
    storage = user.folder / "storage"
    (user.folder / "meanwhile.yml").write_text(UNDONE_MEANWHILE)
    (user.folder / "fetched.yml").write_text(FETCHED)
    (user.folder / "undone.yml").write_text(UNDONE)
    other = user.folder / "undone.yml"
    told = {"storage": storage, "other_undo": other, "known_hosts": user.site.inventory}
    gate = at_the_gate(user, "meanwhile", "fetched", migrate_gate_timeout=1, **told)
    log = user.start("dom0.xen.migrate", *user.asking("xen2"), *gate).communicate(timeout=LIMIT_S)[0]
    assert where(user.site) == "xen1", log[-4000:]
    assert not storage.exists(), log[-6000:]


def test_what_cannot_be_settled_yet_is_observed_all_the_same(user: User) -> None:
    """The destination loses power after the commit, and a person must say more: the run still tells what it sees."""
    user.site["xen2"].faults({"point": "receive.go", "action": "power_loss"})
    (user.folder / "after.yml").write_text(WRITTEN)
    after = ("-e", f"migrate_after_tasks={user.folder / 'after.yml'}", "-e", f"written={user.folder / 'after'}")
    move = user.start("dom0.xen.migrate", *user.asking("xen2"), "-e", "migrate_link_timeout=3", *after)
    log = move.communicate(timeout=LIMIT_S)[0]
    assert move.returncode == 2, log[-4000:]
    assert user.result["owner"] == "unsettled" and user.result["error"], log[-6000:]
    assert (user.folder / "after").exists()
    assert [each["name"] for each in user.site["xen1"].domains()] == ["centos--migratedaway"]


def test_a_guest_that_suspends_when_xl_has_given_up_is_resumed(tmp_path: pathlib.Path) -> None:
    """The sender watches for that after its end, and the run that cleans up behind it must not call that off."""
    site = Site(tmp_path / "double")
    site.up(["xen1", "xen2"], python=sys.executable, suspend_timeout_s=1.5)
    try:
        site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True, behaviour={"suspend_s": 30}))
        user = User(site, tmp_path)
        began = time.monotonic()
        log = user.start("dom0.xen.migrate", *user.asking("xen2")).communicate(timeout=LIMIT_S)[0]
        print(log[-4000:])
        assert user.result["error"]["code"] == "guest_ignores_suspend", log[-4000:]
        records = next((site["xen1"].paths.lib / "dom0-xen").glob("*.sender/journal")).read_text()
        assert '"step":"late_suspend"' in records and '"end":"resume"' in records, records
        assert time.monotonic() - began > 30, "the guest had not suspended yet"
        assert where(site) == "xen1"
        assert [each["name"] for each in site["xen1"].domains() + site["xen2"].domains()] == ["centos"]
    finally:
        site.down()


def test_a_domain_is_not_moved_beside_what_is_not_settled(user: User) -> None:
    """Of two sessions the later one comes to its end, and the other, whose destination may have it, does not."""
    site = user.site
    opened = {"uuid": GUEST, "name": "centos", "role": "sender", "boot_id": "an earlier one", "peer_host": "xen9"}
    for number, more in ((1, ["permission_held", "commit_requested"]), (2, [])):
        journal = site["xen1"].paths.lib / "dom0-xen" / f"{number:016x}.sender" / "journal"
        journal.parent.mkdir(mode=0o700, parents=True)
        steps = [{"step": "opened", "details": opened}, *({"step": step} for step in more)]
        journal.write_text("".join(json.dumps(step) + "\n" for step in steps))
        os.utime(journal.parent, (10**9 + number, 10**9 + number))
    process = user.start("dom0.xen.migrate", *user.asking("xen2"))
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2, log[-4000:]
    assert f"before what was interrupted has come to its end: centos@{1:016x} (see above)" in log, log[-6000:]
    assert "TASK [dom0.xen.migrate" not in log
    assert where(site) == "xen1"


def test_how_it_must_not_be_called(user: User) -> None:
    """An empty group finds nothing to settle, a word about one migration is none about all, and a typing error no
    all-clear.
    """
    for arguments, text in (
        (("-e", "dom0_group=nobody"), "There is nothing to look at"),
        (("-e", "settle_ran=no"), "Name the one that it is about"),
        (("-e", "domain=cents"), "No dom0 has a domain 'cents', or a session of it. The domains there are: xen1:"),
        (("-e", "migrate_gate_undo_tasks=/no/such.yml"), "migrate_gate_undo_tasks: /no/such.yml"),
    ):
        process = user.start("dom0.xen.settle", *arguments)
        log = process.communicate(timeout=LIMIT_S)[0]
        assert process.returncode == 2 and text in log, log[-4000:]
