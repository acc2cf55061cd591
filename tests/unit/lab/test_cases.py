# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the lab's cases that need no lab."""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from cases import plays
from cases.circumstances import CIB_TEXT
from cases.plays import Outcome, Running, family, wait_until
from cases.search import fragments, in_text
from cases.test_findings import CASES, DOMAINS, MEANT
from cases.test_findings_at_once import ANSWERS
from cases.test_suspended_source import AWAY, CUTS, KILLED
from cases.views import FOLDER, View, saying
from cases.world import ON_HOST
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from proof.cases import contract_cases

from ansible_collections.dom0.xen.plugins.module_utils._checks import waivers
from ansible_collections.dom0.xen.plugins.module_utils._facts.cluster import cluster_resources

PARENT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print("up", flush=True)
time.sleep(60)
"""


def test_kill_reaches_workers_with_a_session_of_their_own(tmp_path: Path) -> None:
    """Ansible's workers leave the process group; a kill that misses them would be no kill of the controller."""
    run = Running(tmp_path, [sys.executable, "-c", PARENT], {})
    while "up" not in (tmp_path / "log").read_text():
        time.sleep(0.05)
    killed = run.kill()
    assert len(killed) == 2
    assert not run.running()
    wait_until("both gone", lambda: not any(_alive(pid) for pid in killed), 20, 0.1)


def test_a_run_that_ends_before_is_shown_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would learn why from a limit that was reached minutes later."""
    monkeypatch.setattr(plays, "LAST_LOOK_S", 0.1)
    run = Running(tmp_path, [sys.executable, "-c", "print('refused: no memory')"], {})
    sign = subprocess.Popen(["sleep", "60"], text=True)
    with pytest.raises(AssertionError, match=r"(?s)the gate: the run ended before: .*refused: no memory"):
        run.reach("the gate", sign)
    assert sign.returncode is not None, "whoever watches for it was left running"


@pytest.mark.parametrize("lasts", ["0", "60"])
def test_what_was_reached_is_seen(tmp_path: Path, lasts: str) -> None:
    """The run may go on, and it may be over when it is looked for."""
    run = Running(tmp_path, ["sleep", lasts], {})
    run.reach("the gate", subprocess.Popen(["sleep", "0.5"], text=True))
    run.kill()


def test_a_watch_that_breaks_has_seen_nothing(tmp_path: Path) -> None:
    """A host that cannot be asked is no gate that was reached."""
    run = Running(tmp_path, ["sleep", "60"], {})
    with pytest.raises(AssertionError, match="ended with 1"):
        run.reach("the gate", subprocess.Popen(["false"], text=True))
    run.kill()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_family_is_this_process_and_its_children() -> None:
    """Nobody else's processes are ever in it."""
    child = subprocess.Popen(["sleep", "60"])
    try:
        assert family(child.pid) == [child.pid]
    finally:
        child.kill()
        child.wait()


def test_outcome_tells_the_last_failure_that_counts() -> None:
    """Failures that were ignored are no message of the run, and recaps of all hosts are added up."""
    counts = {"failures": 1, "unreachable": 0, "changed": 2}
    events: list[dict[str, t.Any]] = [
        {"kind": "failed", "ignored": False, "result": {"msg": "first"}},
        {"kind": "failed", "ignored": False, "result": {"msg": "last"}},
        {"kind": "failed", "ignored": True, "result": {"msg": "ignored"}},
        {"kind": "recap", "hosts": {"a": counts, "b": {"failures": 0, "unreachable": 0, "changed": 1}}},
    ]
    outcome = Outcome(2, "", {}, events)
    assert (outcome.message, outcome.changed, outcome.failures) == ("last", 3, 1)


def test_fragments_of_a_key_are_its_own() -> None:
    """What is searched for is in this key only, and is found in a log that escapes line ends."""
    keys = [
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
        for dummy in range(2)
    ]
    first, second = fragments(keys[:1]), fragments(keys[1:])
    assert len(first) >= 2 and not set(first) & set(second)
    assert in_text(repr(keys[0]), first) and not in_text(keys[1].replace("PRIVATE", ""), first)


def test_fragments_of_a_key_for_sshd_are_in_no_public_key() -> None:
    """The public key goes to the destination's disk; and all keys of the kind begin alike."""
    keys = [ed25519.Ed25519PrivateKey.generate() for dummy in range(2)]
    secrets = [
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        ).decode()
        for key in keys
    ]
    public = keys[0].public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    first, second = fragments(secrets[:1]), fragments(secrets[1:])
    assert len(first) >= 2 and not set(first) & set(second)
    assert not [line for line in first if line in public.decode()]


def test_knocking_tells_open_from_closed() -> None:
    """What is neither says nothing, which takes a wall."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [str(each.getsockname()[1]) for each in (server, other)]
        other.close()
        argv = [sys.executable, "-I", str(ON_HOST / "knock.py"), "127.0.0.1", *ports]
        told = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    assert told == dict(zip(ports, ("open", "closed"), strict=True))


def test_findings_that_are_provoked_are_ours() -> None:
    """A code that no rule has would never be found, and the hosts are changed for nothing."""
    cases = [*CASES.values(), *DOMAINS.values(), *MEANT.values()]
    found = [each for case in cases if case.forbids for each in case.found]
    beside = [each for case in cases for each in (case.beside if case.forbids else {*case.found, *case.beside})]
    for answer in ANSWERS:
        found += answer.found
        beside += answer.beside
    assert {code for code, dummy in found} <= {*waivers.WAIVABLE, *waivers.NEVER}
    assert {code for code, dummy in beside} <= waivers.WARNINGS


def test_a_view_of_a_host_says_other_things_of_it(tmp_path: Path) -> None:
    """What xl is asked besides, and a host of which nothing else is said, are as they were."""
    real = tmp_path / "xl"
    real.write_text('#!/bin/sh\necho "virt_caps : pv hvm hap gnttab-v1"; echo "$1"\n')
    real.chmod(0o755)
    files = View(saying("/^virt_caps/s/ hap//")).files("less")
    shown = tmp_path / "shown"
    shown.write_text(files[f"{FOLDER}/less.bin/xl"].replace("/usr/sbin/xl", str(real)))
    for word, caps in (("info", "pv hvm gnttab-v1"), ("list", "pv hvm hap gnttab-v1")):
        told = subprocess.run(["sh", str(shown), word], capture_output=True, text=True, check=True).stdout
        assert told.splitlines() == [f"virt_caps : {caps}", word]
    assert set(View(python="exec false").files("none")) == {f"{FOLDER}/none"}


@pytest.mark.parametrize(("name", "renamed"), [("paused and renamed", True), ("paused under its name", False)])
def test_an_xl_that_is_the_senders_last_deed_is_so_once(tmp_path: Path, name: str, renamed: bool) -> None:
    """It kills before or after it has renamed the copy; whoever settles renames it back with the same xl."""
    real, fake = tmp_path / "real", tmp_path / "xl"
    real.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/did\n')
    real.chmod(0o755)
    text = CUTS[name][0].replace("/usr/sbin/xl", str(real)).replace(KILLED, str(tmp_path / "killed"))
    assert text.count("pkill -KILL") == 1
    fake.write_text(text.replace("pkill -KILL", "echo kill"))
    did = [["list", "-v"], ["rename", "7", AWAY], ["rename", "7", AWAY], ["rename", "7", "centos"]]
    told = [subprocess.run(["sh", str(fake), *words], capture_output=True, text=True, check=False) for words in did]
    assert [("kill" in one.stdout, one.returncode) for one in told] == [
        (False, 0), (True, 1), (False, 0), (False, 0),
    ]  # fmt: skip
    left = [" ".join(words) for number, words in enumerate(did) if renamed or number != 1]
    assert (tmp_path / "did").read_text().splitlines() == left


def test_a_shell_that_kills_by_command_lines_does_not_kill_itself() -> None:
    """The pattern is in its own command line; what it is for, it finds."""
    line = CUTS["paused and still suspended"][1]
    (pattern,) = re.findall(r"pkill -KILL -f '([^']+)'", line)
    assert not re.search(pattern, line)
    for victim in (
        "python3 -I -c import sys; from x._session.daemon import main; sys.exit() sender /run/dom0-xen",
        "python3 -I -c import sys; from x._session.stand_ins.saver import main; sys.exit() /opt",
        "/usr/lib/xen-4.17/bin/xl save -p 5 /proc/self/fd/7",
        "/usr/lib/xen-4.17/bin/libxl-save-helper --save-domain",
    ):
        assert re.search(pattern, victim), victim


def test_a_store_that_refuses_and_one_that_is_mute(tmp_path: Path) -> None:
    """The one answers with an error of XenStore's, the other takes connections and says nothing."""
    mute, refusing = str(tmp_path / "mute"), str(tmp_path / "refusing")
    argv = [sys.executable, "-I", str(ON_HOST / "store.py"), mute, refusing]
    request = struct.pack("=IIII", 2, 7, 0, 2) + b"/\0"
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as daemon:
        try:
            assert t.cast(t.IO[str], daemon.stdout).readline() == "ready\n"
            with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
                one.connect(refusing)
                one.sendall(request)
                answer = one.recv(16, socket.MSG_WAITALL)
                assert struct.unpack("=IIII", answer) == (16, 7, 0, 4)
                assert one.recv(4, socket.MSG_WAITALL) == b"EIO\0"
                other.connect(mute)
                other.sendall(request)
                other.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    other.recv(16)
        finally:
            daemon.kill()


def test_the_cluster_of_a_case_keeps_the_guest() -> None:
    """What is written there is what we read."""
    (resource,) = cluster_resources(CIB_TEXT.format("centos").encode()) or ()
    assert resource.managed and resource.keeps("", "centos") and not resource.keeps("", "odd")


def test_contract_report_keeps_every_outcome() -> None:
    """A failed or skipped test of the contract cannot become a passed one."""
    report = """<testsuites><testsuite>
        <testcase name="test_a_b"/><testcase name="test_c"><failure message="x"/></testcase>
        <testcase name="test_d"><error message="x"/></testcase><testcase name="test_e"><skipped/></testcase>
        </testsuite></testsuites>"""
    cases = contract_cases(report)
    assert [case["outcome"] for case in cases] == ["passed", "failed", "failed", "skipped"]
    assert cases[0] == {"name": "contract: a b", "outcome": "passed", "total_ms": None, "stop_ms": None, "gap_ms": None}
