# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate stays closed while somebody else works on the domain, or the next boot would make a second copy."""

from __future__ import annotations

import contextlib
import os
import pathlib
import resource
import subprocess
import sys
import threading
import time
import typing as t
from dataclasses import replace

import pytest
from dom0_double.driver.fixture import MakeSite, make_site
from dom0_double.driver.host import GuestConfig, Host

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._session.deciding.source_state import SourceState
from ansible_collections.dom0.xen.plugins.module_utils._session.gate import disks
from ansible_collections.dom0.xen.plugins.module_utils._session.gate.guard import Guard
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.words import Failure, Owner, Phase
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

__all__ = ["make_site"]

GUEST = GuestConfig(memory_mib=16, compact=True)
STREAMING = SourceState(GUEST.name, phase=Phase.STREAMING, xl_runs=True)
TRANSFERRED = replace(STREAMING, phase=Phase.TRANSFERRED)
# Method suspend: the destination has made its domain, and this one is paused when it is saved.
PAUSED = replace(STREAMING, pauses=True, copy_told=True)


@pytest.fixture
def host(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> Host:
    """One whose helper writes slowly, so that it can be looked at; the test looks as one of its processes."""
    host = make_site("xen1", python=sys.executable, save_rate=4_000_000)["xen1"]
    monkeypatch.setenv("XENSTORED_PATH", host.environment["XENSTORED_PATH"])
    monkeypatch.setattr(autostart, "SETTINGS", (str(host.paths.default / "xendomains"),))
    host.start_guest(GUEST)
    return host


@pytest.fixture
def store(host: Host) -> t.Iterator[XenStore]:
    """The host's XenStore."""
    with XenStore(str(host.paths.store_socket)) as store:
        yield store


def guard(
    store: XenStore,
    folder: pathlib.Path,
    held: bool = False,
    clock: t.Callable[[], float] = time.monotonic,
    **more: t.Any,
) -> Guard:
    """Return the guard of a session that sends the guest, whose gate the controller may hold."""
    journal = folder / "journal"
    journal.mkdir(exist_ok=True)
    return Guard(
        SenderSettings(
            session="0123456789abcdef",
            uuid=GUEST.uuid,
            name=GUEST.name,
            runtime_folder=str(folder / "run" / "0123456789abcdef.sender"),
            journal_folder=str(journal),
            peer_certificate="",
            xl=more.pop("xl", "xl"),
            link_timeout=1,
            peer_host="",
            destination_address="",
            port=1,
            connect_timeout=1,
            stop_link_timeout=1,
            memory_kib=1,
            gate_held=held,
            gate_timeout=1,
            progress_interval=1,
            **more,
        ),
        store,
        clock,
    )


@contextlib.contextmanager
def saving(host: Host, domid: int, session: bool) -> t.Iterator[subprocess.Popen[bytes]]:
    """Have an xl save at work on the guest until its helper is there, and to its end, below this process or not."""
    command = ["xl", "save", "-c", str(domid), str(host.paths.lib / "image")]
    away = [] if session else ["setsid", "--fork"]  # its parent is not this process any more
    process = host.spawn(*away, *command)
    try:
        deadline = time.monotonic() + 20
        while not any(_procfs.sent_domid(_procfs.command_line(pid)) == domid for pid in host.pids):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
    finally:
        process.wait(60)
        deadline = time.monotonic() + 60
        while any("save" in _procfs.command_line(pid) for pid in host.pids) and time.monotonic() < deadline:
            time.sleep(0.05)


def test_xl_of_somebody_else_closes_the_gate(host: Host, store: XenStore, tmp_path: pathlib.Path) -> None:
    """The failure names the process; once it has ended nothing speaks against the commit."""
    domid = int(host.run("xl", "domid", "centos").stdout)
    with saving(host, domid, session=False):
        failure = guard(store, tmp_path).evidence(domid)
        assert failure is not None and failure.code == "foreign_hand" and failure.remedy
        assert failure.details["command"] == "xl save"
    assert guard(store, tmp_path).evidence(domid) is None


def test_others_that_cannot_be_seen_close_the_gate(host: Host, store: XenStore, tmp_path: pathlib.Path) -> None:
    """A host that is short of descriptors for a moment ends no sender: the guest would stand still until somebody
    settles.
    """
    watching = guard(store, tmp_path)
    domid = int(host.run("xl", "domid", "centos").stdout)
    watching.prepare(domid)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        watching.look(domid)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    against = watching.evidence(domid)
    assert isinstance(against, Failure) and against.code == "foreign_hand" and "cannot be seen" in against.msg


@pytest.mark.parametrize("held", [True, False])
def test_an_old_look_is_made_again(host: Host, store: XenStore, tmp_path: pathlib.Path, held: bool) -> None:
    """Minutes may pass before the controller permits, and before the destination is ready, whoever holds the gate."""
    now = [0.0]
    domid = int(host.run("xl", "domid", "centos").stdout)
    subject = guard(store, tmp_path, held, lambda: now[0])
    assert subject.evidence(domid) is None
    with saving(host, domid, session=False):
        assert subject.evidence(domid) is None
        now[0] = 60.0
        failure = subject.evidence(domid)
        assert failure is not None and failure.code == "foreign_hand"


def test_while_the_destination_takes_its_time_the_look_stays_young(
    host: Host, store: XenStore, tmp_path: pathlib.Path
) -> None:
    """So that none is made when it is ready: what came meanwhile is known by then."""
    now = [0.0]
    link = host.autostart(GUEST)
    subject = guard(store, tmp_path, clock=lambda: now[0])
    subject.prepare(1)
    subject.tend(TRANSFERRED, 1, idle=True)
    assert not link.is_symlink()
    host.autostart(GUEST)
    subject.tend(TRANSFERRED, 1, idle=True)
    now[0] = 0.5
    subject.tend(TRANSFERRED, 1, idle=False)
    assert link.is_symlink()
    subject.tend(TRANSFERRED, 1, idle=True)
    assert not link.is_symlink()


def test_nothing_is_set_aside_for_a_move_that_has_failed(host: Host, store: XenStore, tmp_path: pathlib.Path) -> None:
    """The guard goes by the state as it is now, whatever phase it has come to."""
    link = host.autostart(GUEST)
    subject = guard(store, tmp_path)
    subject.prepare(1)
    subject.tend(replace(TRANSFERRED, failure=Failure("stalled", "nothing has moved")), 1, idle=True)
    assert link.is_symlink()
    subject.tend(TRANSFERRED, 1, idle=True)
    assert not link.is_symlink()


@pytest.mark.parametrize(
    ("state", "asked"),
    [(STREAMING, True), (PAUSED, False), (replace(STREAMING, phase=Phase.SUSPENDING), False)],
    ids=["runs", "paused while its stream flows", "suspended"],
)
def test_nothing_more_is_asked_of_xl_when_the_guest_stands_still(
    store: XenStore, tmp_path: pathlib.Path, state: SourceState, asked: bool
) -> None:
    """What was begun is told; a second question is put only while the guest runs."""
    xl, questions, goes_on = tmp_path / "xl.sh", tmp_path / "questions", tmp_path / "goes_on"
    xl.write_text(f"#!/bin/sh\necho $1 >>{questions}\nuntil [ -e {goes_on} ]; do sleep 0.05; done\n")
    xl.chmod(0o755)
    subject = guard(store, tmp_path, xl=str(xl), liveness=True, method="suspend" if state.pauses else "live")
    subject.tend(STREAMING, 1, idle=False)
    deadline = time.monotonic() + 30
    while not questions.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    subject.tend(state, 1, idle=False)
    goes_on.touch()
    time.sleep(1.5)
    assert (len(questions.read_text().split()) > 1) is asked


def test_the_disks_are_looked_at_from_the_end_of_the_stream_on(
    host: Host, store: XenStore, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else there is to do: a destination may be ready before there is an idle moment."""
    disk = tmp_path / "disk"
    disk.write_bytes(b"")
    for key, value in {"mode": "w", "params": f"aio:{disk}"}.items():
        store.write(f"/local/domain/0/backend/qdisk/1/51712/{key}", value)
    flushed = threading.Event()
    fsync = os.fsync

    def noted(fd: int) -> None:
        fsync(fd)
        if os.readlink(f"/proc/self/fd/{fd}") == str(disk):
            flushed.set()

    monkeypatch.setattr(os, "fsync", noted)
    subject = guard(store, tmp_path)
    subject.prepare(1)
    subject.tend(TRANSFERRED, 1, idle=False)
    assert flushed.wait(20)


def test_our_own_xl_does_not(host: Host, store: XenStore, tmp_path: pathlib.Path) -> None:
    """It and its helper descend from this process, as they do from the sender."""
    domid = int(host.run("xl", "domid", "centos").stdout)
    with saving(host, domid, session=True):
        assert guard(store, tmp_path).evidence(domid) is None


@pytest.mark.parametrize("owner", [Owner.SOURCE, Owner.DESTINATION, Owner.UNSETTLED])
def test_autostart_is_away_at_the_gate(host: Host, store: XenStore, tmp_path: pathlib.Path, owner: Owner) -> None:
    """It comes back only with a domain that stayed."""
    link = host.autostart(GUEST)
    subject = guard(store, tmp_path)
    subject.prepare(1)
    assert link.is_symlink()
    assert subject.evidence(1) is None
    assert not link.is_symlink()
    subject.end(owner)
    assert link.is_symlink() is (owner is Owner.SOURCE)


def test_autostart_that_cannot_be_set_aside_closes_the_gate(
    host: Host, store: XenStore, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when that was seen while memory flows, and not told then."""
    host.autostart(GUEST)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    subject = guard(store, tmp_path)
    subject.prepare(1)
    failure = subject.evidence(1)
    assert failure is not None and failure.code == "autostart"


def test_disks_that_do_not_come_to_rest_close_the_gate(
    host: Host, store: XenStore, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for a session that comes to the gate before it looked for them."""
    device = tmp_path / "sys" / "dev" / "block" / "8:16"
    device.mkdir(parents=True)
    (device / "inflight").write_text("0 1\n")
    for key, value in {"mode": "w", "params": "/dev/sdb", "physical-device": "8:10"}.items():
        store.write(f"/local/domain/0/backend/vbd/1/51712/{key}", value)
    monkeypatch.setattr(disks, "SYSFS", str(tmp_path / "sys"))
    monkeypatch.setattr(disks, "LIMIT_S", 0.3)
    subject = guard(store, tmp_path)
    failure = subject.evidence(1)
    assert failure is not None and failure.code == "disk_busy"
    (device / "inflight").write_text("0 0\n")
    subject = guard(store, tmp_path)
    subject.prepare(1)
    while not subject.ready(1):
        time.sleep(0.01)
    assert subject.evidence(1) is None
