# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others do to a save, and what fails only once: the guest goes on, or the image is there."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import threading
import time
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.plugins.module_utils._saving import save, xl_save
from ansible_collections.dom0.xen.plugins.module_utils._saving.manifest import Manifest
from ansible_collections.dom0.xen.plugins.module_utils._saving.pair import Pair
from ansible_collections.dom0.xen.plugins.module_utils._session.copies import copies
from ansible_collections.dom0.xen.tests.unit.plugins.modules.conftest import MakeSaving
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import Saving

MIB = 1 << 20


def _until(condition: t.Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline and (process is None or process.poll() is None)
        time.sleep(0.02)


def test_image_that_somebody_takes_away(make_saving: MakeSaving) -> None:
    """A manifest without its image is no save, after which the guest could go."""
    saving = make_saving(save_rate=3_000_000)
    saving.start(untouched=0.0)
    boot = saving.boot_id()
    process = saving.spawn()
    aside = saving.folder / ".centos.xen.saving"
    _until(lambda: aside.exists() and aside.stat().st_size > MIB, process)
    aside.unlink()
    result = json.loads(process.communicate(timeout=60)[0])
    assert result["code"] == "image_unwritable" and "was removed while it was written" in result["msg"]
    saving.untouched(boot)


def test_domains_that_cannot_be_listed(saving: Saving) -> None:
    """A guest that is not seen does not pass for one that was saved."""
    saving.start()
    saving.saved()
    saving.start()
    boot = saving.boot_id()
    saving.host.faults({"point": "list.start", "action": "exit", "status": 1})
    assert saving.run().get("failed")
    assert saving.boot_id() == boot


def test_domains_that_cannot_be_listed_any_more(saving: Saving, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image has been begun by then: it goes, though nobody has asked anything of the guest."""
    begin = Pair.begin

    def begun(self: Pair) -> int:
        saving.host.faults({"point": "list.start", "action": "exit", "status": 1})
        return begin(self)

    monkeypatch.setattr(Pair, "begin", begun)
    saving.start()
    boot = saving.boot_id()
    assert "nothing was done to it" in saving.refused()["msg"]
    saving.untouched(boot)


def test_host_without_memory_for_another_process(saving: Saving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a guardian nothing is begun; the message says what is to be done."""

    def fork() -> int:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(os, "fork", fork)
    saving.start()
    boot = saving.boot_id()
    saving.host.record_points()
    result = saving.refused()
    assert result["code"] == "save_failed" and "Cannot allocate memory" in result["msg"], result
    assert "Make room in memory" in result["remedy"] and "save.start" not in saving.host.points()
    saving.untouched(boot)


def test_image_of_an_earlier_day(saving: Saving) -> None:
    """Nobody can tell whether the guest has run elsewhere since: that is said."""
    saving.start()
    saving.saved()
    # Warnings are kept in the process that has loaded Ansible, which here may be the controller's.
    result = json.loads(saving.spawn().communicate(timeout=60)[0])
    assert not result["changed"]
    assert any("does not fit its disks any more" in str(text) for text in result["warnings"]), result


def _xl_save(saving: Saving) -> list[int]:
    return [pid for pid in saving.host.pids if {"save", "-p"} <= set(_procfs.command_line(pid))]


def test_xl_that_ends_while_the_guest_is_asked(make_saving: MakeSaving, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guest suspends when nobody waits for it any more; somebody is left who resumes it."""
    monkeypatch.setattr(save, "_WATCH_S", 20.0)
    saving = make_saving(suspend_timeout_s=30.0)
    saving.start(behaviour={"suspend_s": 3.0})
    boot = saving.boot_id()
    saving.host.record_points()

    def end_it() -> None:
        _until(lambda: "suspend.request" in saving.host.points())
        time.sleep(0.5)
        for xl in _xl_save(saving):
            os.kill(xl, signal.SIGTERM)

    somebody = threading.Thread(target=end_it)
    somebody.start()
    result = saving.refused()
    somebody.join()
    assert result["details"]["guest"] == "running"
    saving.wait()
    saving.untouched(boot)


def test_save_behind_one_that_has_failed(saving: Saving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who still sees to the guest for the first one would undo what the second does to it."""
    monkeypatch.setattr(save, "_WATCH_S", 600.0)
    saving.start(behaviour={"suspend": "ignore"})
    assert saving.refused()["code"] == "guest_ignores_suspend"
    result = saving.refused()
    assert result["code"] == "domain_busy" and "minutes" in result["remedy"]
    for pid in saving.guardians():
        os.kill(pid, signal.SIGKILL)
    saving.wait()
    assert saving.refused()["code"] == "guest_ignores_suspend"
    for pid in saving.guardians():
        os.kill(pid, signal.SIGKILL)


def test_unpause_that_fails_once(saving: Saving, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module says so, and its guardian tries again."""
    monkeypatch.setattr(copies, "_FAILED_LIMIT", 0.5)
    saving.start()
    boot = saving.boot_id()
    saving.host.faults({"point": "unpause.start", "action": "exit", "status": 1})
    result = saving.refused(after="checkpoint")
    assert "is complete" in result["msg"]
    saving.wait()
    assert (saving.state(), saving.boot_id()) == ("running", boot)


def test_xl_that_hangs(saving: Saving, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has written everything and does not end: it is ended, and the guest goes on."""
    monkeypatch.setattr(xl_save, "_END_S", 2.0)
    saving.start()
    boot = saving.boot_id()
    saving.host.faults({"point": "save.paused", "action": "stall"})
    result = saving.refused()
    assert result["code"] == "save_failed" and "killed by signal 9" in result["msg"]
    saving.wait()
    saving.untouched(boot)


def _after(saving: Saving) -> str:
    return str(json.loads(saving.manifest_path.read_text())["after"])


@pytest.mark.parametrize("state", ["running", "paused"])
def test_guest_that_somebody_lets_go_on(saving: Saving, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept, also when it was paused again, and its image does not pass for one that fits its disks."""
    publish = Pair.publish

    def published(self: Pair, manifest: Manifest) -> None:
        publish(self, manifest)
        saving.xl.unpause(manifest.domid)
        if state == "paused":
            _until(lambda: saving.xl.domains()[-1].cpu_time_s > manifest.cpu_time_s)
            saving.xl.pause(manifest.domid)

    saving.start(behaviour={"load": 1.0})
    boot = saving.boot_id()
    with monkeypatch.context() as patched:
        patched.setattr(Pair, "publish", published)
        result = saving.refused()
    assert (result["code"], result["details"]["guest"]) == ("guest_went_on", state), result
    assert (saving.state(), saving.boot_id(), _after(saving)) == (state, boot, "checkpoint")
    assert saving.files() == ["centos.xen", "centos.xen.json"]
    if state == "running":
        assert saving.saved()["changed"] and _after(saving) == "shut_down"


def test_guest_that_goes_on_where_the_host_restores_at_its_boot(
    saving: Saving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """xendomains looks at no manifest: its image would meet the disks as they are by then."""
    publish = Pair.publish

    def published(self: Pair, manifest: Manifest) -> None:
        publish(self, manifest)
        saving.xl.unpause(manifest.domid)

    monkeypatch.setattr(autostart, "roots", lambda: autostart.Roots(None, str(saving.folder)))
    saving.start(behaviour={"load": 1.0})
    boot = saving.boot_id()
    with monkeypatch.context() as patched:
        patched.setattr(Pair, "publish", published)
        result = saving.refused()
    assert result["code"] == "guest_went_on" and "restore it at its next boot" in result["msg"]
    saving.untouched(boot)


def test_guest_that_goes_on_when_the_module_is_killed(saving: Saving) -> None:
    """The guardian keeps it too."""
    domid = saving.start()
    saving.host.record_points()
    saving.host.faults({"point": "destroy.start", "action": "stall"})
    process = saving.spawn()
    _until(lambda: "destroy.start" in saving.host.points(), process)
    saving.xl.unpause(domid)
    process.kill()
    process.communicate(timeout=5)
    saving.host.kill("xl", "destroy")
    saving.wait()
    assert (saving.state(), _after(saving)) == ("running", "checkpoint")
