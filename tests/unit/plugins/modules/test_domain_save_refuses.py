# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against a save is said before anything is touched."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart
from ansible_collections.dom0.xen.tests.unit.plugins.modules.conftest import MakeSaving
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import NAME, UUID, Saving

OTHER = "11111111-2222-3333-4444-555555555555"


def _refused(saving: Saving, **options: t.Any) -> str:
    """Return the code; check mode refuses in the same way, and xl save is never started."""
    saving.host.record_points()
    before = saving.files()
    codes = {saving.refused(**options, _ansible_check_mode=check)["code"] for check in (True, False)}
    assert "save.start" not in saving.host.points() and saving.files() == before
    assert len(codes) == 1
    return str(codes.pop())


@pytest.mark.parametrize(
    ("domain", "code"),
    [("7", "domain_is_domid"), ("Domain-0", "domain_is_dom0"), ("0", "domain_is_dom0"), ("other", "domain_unknown")],
)
def test_domain(saving: Saving, domain: str, code: str) -> None:
    """Names and UUIDs of guests that are there."""
    saving.start()
    assert _refused(saving, domain=domain) == code


@pytest.mark.parametrize(
    ("reason", "code"),
    [(2, "domain_suspended"), (3, "domain_crashed"), (0, "domain_shut_down"), (None, "domain_paused")],
)
def test_state(saving: Saving, reason: int | None, code: str) -> None:
    """Only a guest that runs can suspend."""
    domid = saving.start(extra='on_crash = "preserve"\non_poweroff = "preserve"')
    if reason is None:
        saving.xl.pause(domid)
    else:
        saving.host.machine.call("shut_down", domid=domid, reason=reason)
    assert _refused(saving) == code


def test_words_are_those_of_a_save(saving: Saving) -> None:
    """Nobody asked for a move."""
    saving.start(extra="nomigrate = 1")
    results = [saving.refused(), saving.refused(domain="0")]
    assert not any(word in f"{each['msg']}" for each in results for word in ("moved", "migrate it", "destination"))


def test_cut_off_with_everything_that_saw_to_it(saving: Saving) -> None:
    """Module and guardian were killed: the guest stands still, and the next run says why."""
    domid = saving.start()
    saving.xl.pause(domid)
    assert "cut off" not in saving.refused()["msg"]
    (saving.folder / ".centos.xen.saving").write_bytes(b"Xen saved domain")
    result = saving.refused()
    assert result["code"] == "domain_paused" and "A save of it to" in result["msg"] and "was cut off" in result["msg"]
    saving.xl.unpause(domid)
    assert saving.saved()["changed"] and saving.files() == ["centos.xen", "centos.xen.json"]


def test_left_by_a_migration(saving: Saving) -> None:
    """Whether that copy counts is not for us to say."""
    saving.xl.rename(saving.start(), f"{NAME}--migratedaway")
    assert _refused(saving, domain=UUID) == "leftover_name"
    assert _refused(saving) == "leftover_name"


@pytest.mark.parametrize("after", ["checkpoint", "leave_paused"])
def test_a_guest_that_its_xl_does_not_bring_back(make_saving: MakeSaving, after: str) -> None:
    """Its kernel would stop; one that is shut down for the save comes back from its image."""
    saving = make_saving(xen_minor=14)
    saving.start()
    assert _refused(saving, after=after) == "resume_broken"
    assert saving.host.guest() is not None
    warned = str(saving.saved()["warnings"])
    assert "resumes a PVH guest as if it had been restored" in warned and "a save that fails" in warned
    assert "migrate_method" not in warned


@pytest.mark.parametrize("after", ["checkpoint", "leave_paused"])
@pytest.mark.parametrize(("kind", "code"), [("hvm", "suspend_disk_cached"), ("pvh", "disk_not_raw")])
def test_disks_that_qemu_caches(saving: Saving, after: str, kind: str, code: str) -> None:
    """Where QEMU goes on, image and disks may differ."""
    disk = "format=qcow2,vdev=xvda,access=rw,backendtype=qdisk,target=/srv/centos.qcow2"
    saving.start(kind=kind, extra=f'disk = [ "{disk}" ]')
    assert _refused(saving, after=after) == code
    assert saving.saved()["changed"]


def test_session(saving: Saving) -> None:
    """A migration of the domain holds its lock."""
    saving.start()
    memory = pathlib.Path(saving.arguments()["runtime_path"])
    memory.mkdir(mode=0o700)
    lock = DomainLock(str(memory), UUID, "sender")
    try:
        result = saving.refused()
        assert result["code"] == "domain_busy" and "another save of centos" in result["msg"]
    finally:
        lock.release()
    assert saving.state() == "running" and saving.files() == []


def test_foreign_hand(saving: Saving) -> None:
    """Somebody's own xl works on the domain."""
    domid = saving.start()
    saving.host.faults({"point": "save.start", "action": "stall"})
    saving.host.run("sh", "-c", f"xl save {domid} /dev/null >/dev/null 2>&1 </dev/null &")
    assert saving.refused(_ansible_check_mode=True)["code"] == "foreign_hand"
    assert saving.refused()["code"] == "foreign_hand"
    saving.host.kill("xl", "save")


def test_zstd_missing(saving: Saving, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before, with what can be done."""
    from ansible.module_utils.basic import AnsibleModule

    saving.start()
    monkeypatch.setattr(AnsibleModule, "get_bin_path", lambda *dummy: None)
    assert _refused(saving, compression="zstd") == "zstd_missing"


def test_folder_of_the_next_boot(saving: Saving, monkeypatch: pytest.MonkeyPatch) -> None:
    """xendomains would restore a domain that has gone on since, over its disks."""
    monkeypatch.setattr(autostart, "roots", lambda: autostart.Roots(None, str(saving.folder)))
    saving.start()
    assert _refused(saving, after="checkpoint") == "image_in_autostart"
    assert saving.saved(after="checkpoint", compression="gzip")["changed"]
    assert saving.saved()["changed"]


# What is at the path. ---


def test_no_folder(saving: Saving) -> None:
    """It is not made: a file system that is not mounted looks so."""
    saving.start()
    assert _refused(saving, path=str(saving.folder / "more" / "centos.xen")) == "image_folder_missing"


@pytest.mark.parametrize("name", ["centos.xen", "centos.xen.json", ".centos.xen.saving"])
@pytest.mark.parametrize("kind", ["link", "folder", "fifo"])
def test_no_file(saving: Saving, name: str, kind: str) -> None:
    """Not even with force."""
    saving.start()
    path = saving.folder / name
    if kind == "link":
        path.symlink_to("/dev/null")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert _refused(saving, force=True) == "image_not_regular"


def test_image_of_another(saving: Saving) -> None:
    """Another domain's image, one without a manifest and one that was changed are kept unless forced."""
    saving.start()
    saving.saved(after="checkpoint")
    assert saving.saved(after="checkpoint")["changed"]
    text = saving.manifest_path.read_text()
    saving.manifest_path.write_text(json.dumps({**json.loads(text), "uuid": OTHER}))
    assert _refused(saving) == "image_exists"
    saving.manifest_path.unlink()
    assert _refused(saving) == "image_exists"
    saving.manifest_path.write_text(text)
    with saving.path.open("ab") as image:
        image.write(b"x")
    assert _refused(saving) == "image_exists"
    assert saving.saved(force=True)["changed"]
    assert saving.files() == ["centos.xen", "centos.xen.json"] and saving.state() is None


def test_what_xendomains_leaves_of_an_image(saving: Saving) -> None:
    """It restores the image at boot and removes it, and knows nothing of a manifest: the domain can be saved again."""
    saving.start()
    saving.saved()
    assert saving.host.run("xl", "restore", str(saving.path)).status == 0
    saving.path.unlink()
    manifest = json.loads(saving.manifest_path.read_text())
    saving.manifest_path.write_text(json.dumps({**manifest, "uuid": OTHER}))
    assert _refused(saving) == "image_exists"
    saving.manifest_path.write_text(json.dumps(manifest))
    assert saving.saved()["changed"] and saving.files() == ["centos.xen", "centos.xen.json"]


def test_failure_keeps_the_image_that_was_there(saving: Saving) -> None:
    """It is replaced by a whole one, or not at all."""
    saving.start()
    saving.saved(after="checkpoint")
    digest = saving.digest()
    saving.host.faults({"point": "save.byte", "at": 100_000, "action": "kill"})
    saving.refused()
    assert saving.digest() == digest and saving.files() == ["centos.xen", "centos.xen.json"]
    assert json.loads(saving.manifest_path.read_text())["sha256"] == digest
