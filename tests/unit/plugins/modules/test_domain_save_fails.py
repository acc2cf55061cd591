# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever fails before an image is complete: the guest goes on, and nothing is left."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import time
import types
import typing as t

import pytest
from dom0_double.driver.commands import namespaces

from ansible_collections.dom0.xen.plugins.module_utils._saving import save, task, xl_save
from ansible_collections.dom0.xen.plugins.module_utils._saving.errors import NoRoom
from ansible_collections.dom0.xen.tests.unit.plugins.modules.conftest import MakeSaving
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import NAME, Saving

MIB = 1 << 20
AFTER = ["shut_down", "checkpoint", "leave_paused"]


@contextlib.contextmanager
def largest_file(size: int) -> t.Iterator[None]:
    """No file may become larger."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_file_that_cannot_be_written(saving: Saving, compression: str) -> None:
    """A disk that takes no more, in the middle of the image."""
    saving.start(untouched=0.0)
    boot = saving.boot_id()
    with largest_file(100_000):
        result = saving.refused(compression=compression)
    assert result["code"] == ("compression_failed" if compression == "zstd" else "image_unwritable")
    assert result["details"]["guest"] == "running" and NAME in result["msg"]
    saving.untouched(boot)


def test_disk_that_fills_up(saving: Saving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others write to it as well: the reserve is looked at again while the image grows."""
    monkeypatch.setattr(xl_save, "_STEP", MIB)
    saving.start(untouched=0.0)
    boot = saving.boot_id()
    looks: list[str] = []

    def statvfs(folder: str) -> t.Any:
        looks.append(folder)
        return types.SimpleNamespace(f_bavail=1000 if len(looks) < 3 else 10, f_frsize=MIB)

    asked = task.Asked(**{**_asked(saving), "reserve_mib": 100})
    with pytest.raises(NoRoom, match="10 MiB free, of which 100 MiB are to stay free") as caught:
        task.run(asked, pytest.fail, statvfs)
    assert caught.value.details["guest"] == "running" and len(looks) == 3
    saving.untouched(boot)


# On a small file system of its own, which somebody else fills as soon as the image is begun.
FILLED = """
mount -t tmpfs -o size=32m none "$0" || exit 1
"$@" &
until [ -e "$0/.centos.xen.saving" ]; do sleep 0.01; done
cat /dev/zero > "$0/other" 2> /dev/null
wait
rm "$0/other"
ls -A "$0"
"""


@pytest.mark.skipif(not namespaces(), reason="needs a file system of its own (root, unshare)")
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_full_disk(make_saving: MakeSaving, compression: str) -> None:
    """The kernel has no block left in the middle of the image: it is told as that, whoever writes the file."""
    saving = make_saving(save_rate=4_000_000)
    saving.start(untouched=0.0)
    boot = saving.boot_id()
    alone = ("unshare", "--mount", "sh", "-c", FILLED, str(saving.folder))
    process = saving.spawn(*alone, compression=compression)
    said, *left = filter(None, process.communicate(timeout=120)[0].decode().splitlines())
    result = json.loads(said)
    assert (result["code"], result["details"]["guest"]) == ("no_room", "running"), result
    assert "No space left on device" in result["msg"] and "goes on here, and nothing was left" in result["msg"]
    assert result["msg"].startswith(f"{saving.host.name}: ") and "Make room" in result["remedy"]
    assert left == []
    saving.untouched(boot)


def test_no_room(saving: Saving) -> None:
    """It is known before that it does not fit, and then nothing is asked of the guest."""
    saving.start()
    boot = saving.boot_id()
    saving.host.record_points()
    result = saving.refused(reserve_mib=1 << 40)
    assert result["code"] == "no_room" and "save.start" not in saving.host.points()
    saving.untouched(boot)


def _asked(saving: Saving) -> dict[str, t.Any]:
    options = saving.arguments()
    rest = {"after": "shut_down", "compression": "none", "force": False, "zstd": None, "check": False}
    return {**rest, "liveness_timeout": 15, **options}


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [("ignore", "guest_ignores_suspend"), ("ack_only", "guest_ignores_suspend")],
)
def test_guest_that_does_not_suspend(saving: Saving, behaviour: str, code: str) -> None:
    """xl gives up after its time, and the guest was never stopped."""
    saving.start(behaviour={"suspend": behaviour})
    boot = saving.boot_id()
    result = saving.refused()
    assert result["code"] == code and result["details"]["guest"] == "running"
    saving.wait()
    saving.untouched(boot)


def test_guest_that_suspends_when_nobody_waits_any_more(saving: Saving, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would stand still for good; somebody is left who resumes it."""
    monkeypatch.setattr(save, "_WATCH_S", 60.0)
    saving.start(behaviour={"suspend_s": 4.0})
    boot = saving.boot_id()
    assert saving.refused()["code"] == "guest_ignores_suspend"
    deadline = time.monotonic() + 40
    saving.host.record_points()
    while "save.saved" not in saving.host.points() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "save.saved" in saving.host.points()  # it is resumed by xl save -c before Xen 4.20
    while saving.state() != "running" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (saving.state(), saving.boot_id(), saving.files()) == ("running", boot, [])


FAULTS = [
    {"point": "suspend.request", "action": "kill"},
    {"point": "save.byte", "at": 2_000_000, "action": "kill"},
    {"point": "save.byte", "at": 2_000_000, "action": "kill_parent"},
    {"point": "suspend.done", "action": "kill"},
    {"point": "save.saved", "action": "kill"},
    {"point": "save.paused", "action": "kill"},
    {"point": "save.start", "action": "exit", "status": 1},
]


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['point']}-{fault['action']}")
def test_killed_xl(saving: Saving, fault: dict[str, t.Any], after: str) -> None:
    """xl or its helper dies, at any moment: the guest is resumed and unpaused as far as it needs it."""
    saving.start(untouched=0.0)
    boot = saving.boot_id()
    saving.host.faults(fault)
    result = saving.refused(after=after)
    assert result["code"] == "save_failed" and result["details"]["guest"] == "running", result
    saving.untouched(boot)


def test_xl_that_lies(saving: Saving) -> None:
    """It ends with 0 and has written nothing."""
    saving.start()
    boot = saving.boot_id()
    saving.host.faults({"point": "save.start", "action": "exit", "status": 0})
    assert saving.refused()["code"] == "save_failed"
    saving.untouched(boot)


def _midway(saving: Saving, process: subprocess.Popen[bytes]) -> None:
    aside = saving.folder / ".centos.xen.saving"
    deadline = time.monotonic() + 30
    while not aside.exists() or aside.stat().st_size < MIB:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.02)


def _until_untouched(saving: Saving, boot: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (saving.state() != "running" or saving.files() or saving.host.left_over()):
        time.sleep(0.1)
    saving.untouched(boot)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_module_that_is_ended(make_saving: MakeSaving, number: signal.Signals) -> None:
    """It reports, and the guest goes on."""
    saving = make_saving(save_rate=4_000_000)
    saving.start(untouched=0.0)
    boot = saving.boot_id()
    process = saving.spawn()
    _midway(saving, process)
    process.send_signal(number)
    output = process.communicate(timeout=60)[0].decode()
    assert '"interrupted"' in output and number.name in output
    saving.untouched(boot)


def test_module_that_is_killed(make_saving: MakeSaving) -> None:
    """Its guardian reads xl to its end, removes the image and lets the guest go on."""
    saving = make_saving(save_rate=1_000_000)
    saving.start(untouched=0.0)
    boot = saving.boot_id()
    process = saving.spawn()
    _midway(saving, process)
    process.kill()
    # Nothing that is left holds the pipes to Ansible.
    process.communicate(timeout=5)
    assert saving.refused()["code"] in ("domain_suspended", "domain_paused", "foreign_hand")
    _until_untouched(saving, boot)
    assert saving.saved()["changed"]


@pytest.mark.parametrize(("after", "state"), [("shut_down", None), ("checkpoint", "running")])
def test_module_that_is_killed_when_the_image_is_in_place(saving: Saving, after: str, state: str | None) -> None:
    """Then its guardian does what would have come next: such an image must not grow old beside a running guest."""
    saving.start()
    saving.host.record_points()
    point = f"{'destroy' if after == 'shut_down' else 'unpause'}.start"
    saving.host.faults({"point": point, "action": "stall"})
    process = saving.spawn(after=after)
    deadline = time.monotonic() + 60
    while point not in saving.host.points():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    assert saving.manifest_path.exists() and saving.state() == "paused"
    stalled = saving.host.kill("xl", "destroy" if after == "shut_down" else "unpause", number=0)
    process.kill()
    process.communicate(timeout=5)
    for pid in stalled:
        os.kill(pid, signal.SIGKILL)
    while saving.state() != state and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (saving.state(), saving.files()) == (state, ["centos.xen", "centos.xen.json"])


def test_domain_that_stays(saving: Saving, monkeypatch: pytest.MonkeyPatch) -> None:
    """xl destroy that fails is told with what is to be done; the image stays, and the guest stays paused."""
    from ansible_collections.dom0.xen.plugins.module_utils._session.copies import copies

    monkeypatch.setattr(copies, "_FAILED_LIMIT", 0.5)
    saving.start()
    saving.host.faults({"point": "destroy.start", "action": "exit", "status": 1})
    result = saving.refused()
    assert result["code"] == "copy_stays" and "is complete" in result["msg"]
    assert "destroy it: it is in the image" in result["remedy"] and "settle" not in result["remedy"]
    assert (saving.state(), saving.files()) == ("paused", ["centos.xen", "centos.xen.json"])
    assert os.path.exists(saving.path)
