# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook over two dom0s of the double, as a user runs it."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import typing as t
import uuid

import pytest
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.plugins.plugin_utils._credentials import make_credentials
from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, other, read_until, where

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(600)

# How the text of every key on P-256 in PKCS 8 begins; test_keys_begin_so holds it to that.
KEY = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQ"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Two hosts, the guest on xen1."""
    site = Site(tmp_path_factory.mktemp("double"))
    site.up(["xen1", "xen2"], python=sys.executable)
    site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True))
    yield site
    left = site.down()
    assert left == []


def kill(process: subprocess.Popen[str], number: int = signal.SIGKILL) -> None:
    """End a run with a signal to all its processes, as a terminal and AWX do it, and wait for its end."""
    os.killpg(process.pid, number)
    process.wait(LIMIT_S)
    if process.stdout:
        process.stdout.close()


def changes(log: str) -> int:
    """Return how many tasks have changed something, on all hosts of the recap."""
    return sum(int(number) for number in re.findall(r"changed=(\d+)", log))


def test_keys_begin_so() -> None:
    """What the next test searches for is in every key."""
    assert KEY in make_credentials("a.sender").key.decode()


@pytest.mark.parametrize("pipelining", ["True", "False"])
def test_a_move_runs_few_modules_and_shows_no_key(user: User, pipelining: str) -> None:
    """At most eight modules on both hosts together; no key in the log, a command line, or a file on a disk."""
    destination = other(user.site)
    seen: set[str] = set()
    over = threading.Event()
    watcher = threading.Thread(target=collect_command_lines, args=(seen, over))
    watcher.start()
    try:
        log = user.move(destination, "-vvvvv", ANSIBLE_PIPELINING=pipelining, ANSIBLE_KEEP_REMOTE_FILES="1")
    finally:
        over.set()
        watcher.join()
    assert where(user.site) == destination
    assert 0 < log.count("Using module file") <= 8
    assert KEY not in log
    assert not [line for line in seen if KEY in line]
    for folder in (user.folder, user.site.state):
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert files
        assert [path for path in files if KEY.encode() in path.read_bytes()] == []


@pytest.fixture
def heard() -> t.Iterator[None]:
    """Let what is started here hear of Ctrl-C also where these tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_killed_controller_harms_nothing_and_the_next_run_adopts(user: User, number: int) -> None:
    """Ansible is killed, interrupted (Ctrl-C) or told to end (AWX) in the middle of the stream; then the same again."""
    source, destination = where(user.site), other(user.site)
    user.site[source].configure(save_rate=1_000_000)
    first = user.start("dom0.xen.migrate", *user.asking(destination))
    read_until(first, "first round")
    # However busy this machine is, the migration is under way when the second run looks.
    assert user.site[source].kill("libxl-save-helper", number=signal.SIGSTOP)
    kill(first, number)
    # What was to be done before the move has been done; were it tried again, and failed, the move would be called off.
    tasks = user.folder / "before.yml"
    tasks.write_text("- ansible.builtin.fail:\n    msg: this was done before\n")
    before = ("-e", f"migrate_before_tasks={tasks}")
    second = user.start("dom0.xen.migrate", *user.asking(destination), *before)
    log = read_until(second, "already moves centos from")
    assert user.site[source].kill("libxl-save-helper", number=signal.SIGCONT)
    log += second.communicate(timeout=LIMIT_S)[0]
    user.site[source].configure(save_rate=0)
    assert second.returncode == 0, log[-4000:]
    assert changes(log) == 0
    assert where(user.site) == destination
    told = user.result
    assert (told["owner"], told["end_state"]) == ("destination", "moved")
    again = user.move(destination)
    assert f"centos is already on {destination}" in again
    assert changes(again) == 0
    assert {**user.result, "reason": None} == {**told, "reason": None}


def test_a_controller_that_was_killed_is_reported_to_after_the_end(user: User) -> None:
    """Nobody watched: the next run still tells how it went, and changes nothing."""
    source, destination = where(user.site), other(user.site)
    user.site[source].configure(save_rate=8_000_000)
    process = user.start("dom0.xen.migrate", *user.asking(destination))
    read_until(process, "Confirm that the receiver has admitted the sender")
    kill(process)
    deadline = time.monotonic() + 60
    while user.site[source].guest("centos") and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(1)
    log = user.move(destination)
    user.site[source].configure(save_rate=0)
    assert changes(log) == 0
    assert (user.result["owner"], user.result["end_state"], user.result["method"]) == ("destination", "moved", "live")
    assert user.result["bytes"] > 0


def test_a_run_that_comes_while_life_is_looked_at_changes_nothing(user: User) -> None:
    """The move is behind it; what is left of its session comes to its end, and that is no news."""
    source, destination = where(user.site), other(user.site)
    journals = user.site[source].paths.lib / "dom0-xen"
    before = set(journals.glob("*.sender/result.json"))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        wanted = ("-e", f"migrate_liveness_address={address}", "-e", "migrate_liveness_timeout=200")
        process = user.start("dom0.xen.migrate", *user.asking(destination), *wanted)
        deadline = time.monotonic() + LIMIT_S
        while set(journals.glob("*.sender/result.json")) == before:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        kill(process)
        log = user.move(destination)
    assert "Settle step by step" in log
    assert changes(log) == 0
    assert where(user.site) == destination
    assert user.result["end_state"] == "moved"


def test_a_killed_sender_is_told_with_its_host_and_the_guest_stays(user: User) -> None:
    """Nothing but the process has gone: the guest runs on, the destination is clean, and the next run succeeds."""
    source, destination = where(user.site), other(user.site)
    user.site[source].configure(save_rate=1_000_000)
    process = user.start("dom0.xen.migrate", *user.asking(destination), "-e", "migrate_link_timeout=3")
    log = read_until(process, "first round")
    assert user.site[source].kill("_session.daemon", "sender")
    log += process.communicate(timeout=LIMIT_S)[0]
    user.site[source].configure(save_rate=0)
    assert process.returncode != 0
    assert f"{source}: the sender's process ended without leaving a result. Remedy: " in log
    assert where(user.site) == source
    assert (user.result["owner"], user.result["error"]["code"]) == ("source", "sender_gone")
    user.move(destination)
    assert where(user.site) == destination


def test_a_killed_xl_at_the_destination_ends_it_at_once(user: User) -> None:
    """Its helper lives on and would read the stream to its end; the guest must not have to stop for that."""
    source, destination = where(user.site), other(user.site)
    user.site[source].configure(save_rate=1_000_000)
    process = user.start("dom0.xen.migrate", *user.asking(destination))
    log = read_until(process, "first round")
    assert user.site[destination].kill("xl", "migrate-receive")
    log += process.communicate(timeout=LIMIT_S)[0]
    user.site[source].configure(save_rate=0)
    assert process.returncode != 0
    assert f"{destination}: xl was killed by signal 9" in log
    assert where(user.site) == source
    told = user.result
    assert (told["owner"], told["error"]["code"]) == ("source", "xl_migrate_receive")
    assert told["rounds"][-1]["kind"] == "live"
    assert len(told["rounds"]) == 1, "the stream went on after there was nobody to take it"
    user.move(destination)
    assert where(user.site) == destination


def test_a_normal_run_warns_of_nothing(user: User) -> None:
    """Nor one that has nothing to settle: who is used to a warning does not see the one that counts."""
    logs = user.run("dom0.xen.settle"), user.move(other(user.site))
    assert "Nothing to settle" in logs[0] and user.result["end_state"] == "moved"
    warned = [line for log in logs for line in log.splitlines() if "[WARNING]" in line]
    # The hosts of the double are all at 127.0.0.1, which is worth a warning.
    assert [line for line in warned if "address_doubtful" not in line] == []


def test_the_end_of_the_link_is_no_loss(user: User) -> None:
    """The destination ends first where the source is slow to destroy its copy: nothing was lost by that."""
    source, destination = where(user.site), other(user.site)
    user.site[source].configure(destroy_s=3)
    user.move(destination)
    user.site[source].configure(destroy_s=0.01)
    assert user.result["link_losses"] == 0


def test_a_domain_that_was_always_there_is_no_error(user: User) -> None:
    """Nobody knows where it came from, and nobody needs to."""
    here = where(user.site)
    user.site[here].start_guest(GuestConfig(name="always", uuid=str(uuid.uuid4()), memory_mib=16, compact=True))
    log = user.run("dom0.xen.migrate", "-e", "domain=always", "-e", f"destination={here}")
    user.site[here].run("xl", "destroy", "always")
    assert f"always is already on {here}" in log
    assert changes(log) == 0


def test_check_mode_changes_nothing(user: User) -> None:
    """It says what would be done, and a result file is not written."""
    before = where(user.site)
    log = user.move(other(user.site), "--check")
    assert "can be moved from" in log
    assert where(user.site) == before
    assert not user.result_path.exists()


def test_the_role_serves_a_play_of_ones_own(user: User) -> None:
    """Without the playbook: the play host is the source, and the role asks for the facts by itself."""
    source, destination = where(user.site), other(user.site)
    play = {
        "name": "Move a domain",
        "hosts": source,
        "gather_facts": False,
        "roles": [
            {
                "role": "dom0.xen.migrate",
                "vars": {"migrate_domain": "centos", "migrate_source": source, "migrate_destination": destination},
            }
        ],
    }
    path = user.folder / "play.yml"
    path.write_text(json.dumps([play]))
    log = user.run(str(path), "-vvv")
    assert where(user.site) == destination
    assert log.count("Using module file") <= 8


def test_the_destination_may_be_given_by_name(user: User) -> None:
    """The source looks it up; its inventory name is what it is reached at where nothing else is said."""
    destination = other(user.site)
    user.move(destination, "-e", "migrate_destination_address=localhost")
    assert where(user.site) == destination


def test_two_moves_on_one_play_host_are_not_mixed(user: User) -> None:
    """The second one fails before it has a sender: its receiver is given up, and nothing of the first one is told."""
    here, there = where(user.site), other(user.site)
    user.site[here].faults({"point": "receive.banner", "action": "text", "text": "no banner at all\n"})
    roles = [
        {
            "role": "dom0.xen.migrate",
            "vars": {
                "migrate_domain": "centos",
                "migrate_source": source,
                "migrate_destination": destination,
                "migrate_result_path": str(user.folder / f"{destination}.json"),
            },
        }
        for source, destination in ((here, there), (there, here))
    ]
    path = user.folder / "play.yml"
    path.write_text(json.dumps([{"name": "Move twice", "hosts": "localhost", "gather_facts": False, "roles": roles}]))
    process = user.start(str(path))
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2 and where(user.site) == there, log[-4000:]
    first, second = (json.loads((user.folder / f"{host}.json").read_text()) for host in (there, here))
    assert first["end_state"] == "moved" and first["bytes"]
    assert second["end_state"] == "stayed" and second["session"] is None and second["bytes"] is None
    assert "instead of its banner" in second["error"]["msg"]
    assert "TASK [dom0.xen.settle" not in log
    given_up = log.rpartition("TASK [dom0.xen.migrate : Give the receiver up]")[2].partition("TASK")[0]
    assert given_up and "skipping" not in given_up


def test_several_playbooks_in_one_run_do_each_its_own_move(user: User) -> None:
    """What one has planned and done is not done again by the next, though its hosts are still in the inventory."""
    here, there = where(user.site), other(user.site)
    before = len(user.site.intervals(GUEST))
    path = user.folder / "plays.yml"
    ways = [there, here, there]
    path.write_text(
        json.dumps(
            [
                {
                    "name": f"Move it to {host}",
                    "import_playbook": "dom0.xen.migrate",
                    "vars": {"domain": "centos", "destination": host},
                }
                for host in ways
            ]
        )
    )
    log = user.run(str(path))
    assert log.count("Moves planned: 1, done: 1.") == len(ways)
    assert where(user.site) == there
    assert len(user.site.intervals(GUEST)) == before + len(ways)


def collect_command_lines(seen: set[str], over: threading.Event) -> None:
    """Collect the command line of every process of this machine, again and again."""
    while not over.wait(0.01):
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    seen.add((entry / "cmdline").read_bytes().decode("utf-8", "replace"))
                except OSError:
                    continue


def test_a_domain_moves_within_its_host_twice(user: User) -> None:
    """What libxl keeps by UUID goes with the copy that is destroyed; it is there again for the one that runs."""
    here = where(user.site)
    before = sorted(user.site[here].run("xenstore-ls", f"/vm/{GUEST}").stdout.splitlines())
    for dummy in range(2):
        domid = user.site[here].run("xl", "domid", "centos").stdout
        user.move(here, "-e", f"source={here}", "-e", "allow_same_host=true")
        assert user.site[here].run("xl", "domid", "centos").stdout != domid
        assert sorted(user.site[here].run("xenstore-ls", f"/vm/{GUEST}").stdout.splitlines()) == before
