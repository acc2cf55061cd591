# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever fails before the domain may run: no copy is left, and the image is as if nothing had been."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import signal
import time
import typing as t

import pytest
from dom0_double.machine import runlog

from ansible_collections.dom0.xen.plugins.module_utils._restoring import xl_restore
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import RESTORED, Mark, Marker
from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import READ_BYTES
from ansible_collections.dom0.xen.tests.unit.plugins.modules.conftest import MakeRestoring
from ansible_collections.dom0.xen.tests.unit.plugins.modules.restoring import Restoring
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import UUID

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(600)


def _flip(path: pathlib.Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def _starts(restoring: Restoring) -> int:
    """How often a copy of the guest was let run."""
    return len(runlog.intervals(restoring.host.paths.run_log, UUID))


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("place", ["middle", "end"])
def test_altered_image_that_is_read_once(make_restoring: MakeRestoring, compression: str, place: str) -> None:
    """It is found out when xl has nearly all of it, or has refused it, and what xl has built never runs."""
    restoring = make_restoring({"compression": compression})
    before = _starts(restoring)
    size = restoring.path.stat().st_size
    _flip(restoring.path, size // 2 if place == "middle" else size - 6)
    result = restoring.refused(verify="quick")
    assert result["code"] == "image_altered", result
    assert (result["details"]["copy"], _starts(restoring)) == ("gone", before)
    assert "nothing of centos is left here" in result["msg"] and "restore.start" in restoring.host.points()
    restoring.as_before()


def test_altered_image_that_xl_gives_up(restoring: Restoring) -> None:
    """xl ends long before the place, and says something else: that the image was altered is told all the same."""
    _flip(restoring.path, restoring.path.stat().st_size - 6)
    restoring.host.faults({"point": "restore.byte", "at": 2_000_000, "action": "exit", "status": 1})
    result = restoring.refused(verify="quick")
    assert result["code"] == "image_altered" and result["details"]["copy"] == "gone", result
    restoring.as_before()


def test_image_that_changes_behind_its_check(restoring: Restoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was checked is not what counts, but what xl gets."""
    claim = Marker.claim

    def changed(self: Marker, *arguments: t.Any) -> bool:
        _flip(restoring.path, restoring.path.stat().st_size // 2)
        return claim(self, *arguments)

    monkeypatch.setattr(Marker, "claim", changed)
    before = _starts(restoring)
    assert restoring.refused()["code"] == "image_altered"
    assert _starts(restoring) == before
    restoring.as_before()


def test_stream_that_ends_before_its_end(restoring: Restoring) -> None:
    """xl makes a domain of what looks whole; it stays paused, and is destroyed when the hash is known."""
    data = restoring.path.read_bytes()
    manifest = json.loads(restoring.manifest_path.read_text())
    longer = {"file_bytes": len(data) + READ_BYTES, "stream_bytes": len(data) + READ_BYTES}
    restoring.path.write_bytes(data + bytes(READ_BYTES))
    restoring.manifest_path.write_text(json.dumps({**manifest, **longer}))
    before = _starts(restoring)
    assert restoring.refused(verify="quick")["code"] in ("image_altered", "restore_failed")
    assert _starts(restoring) == before
    restoring.as_before()


FAULTS = [
    {"point": "restore.start", "action": "exit", "status": 1},
    {"point": "restore.start", "action": "exit", "status": 0},
    {"point": "receive.header", "action": "kill"},
    {"point": "receive.created", "action": "kill"},
    {"point": "restore.byte", "at": 2_000_000, "action": "kill"},
    {"point": "restore.byte", "at": 2_000_000, "action": "kill_parent"},
    {"point": "receive.restored", "action": "kill"},
    {"point": "receive.devices", "action": "kill"},
    {"point": "receive.devices", "action": "exit", "status": 1},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['point']}-{fault['action']}-{fault.get('status')}")
def test_killed_xl(restoring: Restoring, fault: dict[str, t.Any]) -> None:
    """xl or its helper dies, at any moment; then the next run succeeds."""
    before = _starts(restoring)
    restoring.host.faults(fault)
    result = restoring.refused()
    assert result["code"] == "restore_failed" and result["details"]["copy"] == "gone", result
    assert _starts(restoring) == before
    restoring.as_before()
    restoring.restored()
    restoring.intact()


def test_xl_refuses(restoring: Restoring) -> None:
    """What it says is in the message."""
    restoring.host.configure(memory_mib=1030)
    result = restoring.refused(waive=["not_enough_memory"])
    assert result["code"] == "restore_failed" and result["details"]["stderr"] and "error" in result["msg"]
    restoring.as_before()


def test_xl_that_waits(restoring: Restoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """For its lock, for ever: it is ended, and nothing is left."""
    monkeypatch.setattr(xl_restore, "_STALL_S", 1.0)
    monkeypatch.setattr(xl_restore, "_UNDO_S", 1.0)
    restoring.host.faults({"point": "restore.start", "action": "stall"})
    assert "has read nothing" in restoring.refused()["msg"]
    restoring.as_before()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("point", ["restore.byte", "receive.restored"])
def test_module_that_is_ended(restoring: Restoring, number: signal.Signals, point: str) -> None:
    """It reports, before the last byte and behind it, and takes back what was begun."""
    with restoring.held_at(point):
        process = restoring.spawn()
        restoring.until(lambda: point in restoring.host.points())
        process.send_signal(number)
        time.sleep(0.5)
    output = process.communicate(timeout=120)[0].decode()
    assert '"interrupted"' in output and number.name in output
    restoring.until_nobody_is_left()
    restoring.as_before()


@pytest.mark.parametrize("point", ["receive.header", "restore.byte", "receive.restored", "receive.devices"])
def test_module_that_is_killed(restoring: Restoring, point: str) -> None:
    """Before the last byte xl itself takes it back, behind it the guardian does; nothing holds the pipes to Ansible."""
    before = _starts(restoring)
    with restoring.held_at(point):
        process = restoring.spawn()
        restoring.until(lambda: point in restoring.host.points())
        process.kill()
        process.communicate(timeout=5)
        assert restoring.refused()["code"] in ("restore_under_way", "image_restored", "domain_busy")
    restoring.until_nobody_is_left()
    assert _starts(restoring) == before
    restoring.as_before()
    restoring.restored()
    restoring.intact()


def test_second_restore_that_fails_at_its_last_step(restoring: Restoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes back what it has put on record, and not that the image was restored before."""
    domid = restoring.restored(leave_paused=True)["domain"]["domid"]
    restoring.saving.xl.destroy(domid)
    before = (restoring.mark(), restoring.facts()["host"]["restored"])
    update = Marker.update

    def full(self: Marker, mark: Mark) -> None:
        if mark.state == RESTORED and mark.domid not in (None, domid):
            raise OSError(errno.ENOSPC, "No space left on device")
        update(self, mark)

    monkeypatch.setattr(Marker, "update", full)
    result = restoring.refused(waive=["image_restored"])
    assert (result["code"], result["details"]["copy"]) == ("image_unmarkable", "gone"), result
    assert before == (restoring.mark(), restoring.facts()["host"]["restored"]) and before[1]


def test_module_that_is_killed_when_the_domain_may_run(restoring: Restoring) -> None:
    """Then its guardian lets it: a copy that is on record as restored must not stand still for nobody."""
    restoring.host.faults({"point": "unpause.start", "action": "stall"})
    process = restoring.spawn()
    restoring.until(lambda: "unpause.start" in restoring.host.points())
    process.kill()
    process.communicate(timeout=5)
    restoring.host.kill("xl", "unpause")
    restoring.until_nobody_is_left()
    restoring.intact()
    assert not restoring.restored()["changed"]


@pytest.mark.parametrize("point", ["restore.byte", "receive.devices"])
def test_everything_is_killed(restoring: Restoring, point: str) -> None:
    """Module, guardian and xl: what is left has never run. The next run takes it away and begins anew, also where the
    host has no room for both."""
    before = _starts(restoring)
    restoring.host.faults({"point": point, "at": 2_000_000, "action": "stall", "seconds": 600})
    process = restoring.spawn()
    restoring.until(lambda: point in restoring.host.points())
    guardians = [pid for pid in restoring.saving.guardians() if pid != process.pid]
    assert guardians
    for pid in (*guardians, process.pid):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=5)
    restoring.host.kill("xl")
    restoring.host.kill("libxl-save-helper")
    restoring.host.kill("libxl_save_helper")
    restoring.until(lambda: restoring.host.left_over() == [])
    assert (restoring.saving.state(), _starts(restoring)) == ("paused", before)
    mark = restoring.mark()
    assert mark is not None and mark["state"] == "restoring"
    # What Xen and dom0 have, the guest, and a little.
    restoring.host.configure(memory_mib=64 + 1024 + 8 + 6)
    assert restoring.restored()["changed"]
    restoring.intact()
    assert len([row for row in restoring.saving.xl.domains() if row.uuid == UUID]) == 1


def test_copy_of_a_cut_off_restore_that_somebody_let_run(restoring: Restoring) -> None:
    """It is the domain of this image, and it runs."""
    restoring.host.faults({"point": "unpause.start", "action": "exit", "status": 0, "times": 9})
    domid = restoring.restored(leave_paused=True)["domain"]["domid"]
    restoring.host.faults()
    mark = restoring.mark()
    assert mark is not None
    restoring.mark_path.write_text(json.dumps({**mark, "state": "restoring"}))
    restoring.saving.xl.unpause(domid)
    assert not restoring.restored()["changed"]
    assert restoring.saving.state() == "running"


def test_domain_that_does_not_run(restoring: Restoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is complete, and the message says what to type."""
    from ansible_collections.dom0.xen.plugins.module_utils._session.copies import copies

    monkeypatch.setattr(copies, "_LOOK_LIMIT", 0.5)
    restoring.host.faults({"point": "unpause.start", "action": "exit", "status": 0, "times": 9})
    result = restoring.refused()
    assert result["code"] == "copy_stays" and "xl unpause" in result["remedy"] and "complete here" in result["msg"]
    restoring.host.faults()
    assert restoring.restored()["changed"]
    restoring.intact()
