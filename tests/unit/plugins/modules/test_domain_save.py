# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that saves a domain, on a host of the double: what it writes, and what becomes of the guest."""

from __future__ import annotations

import json
import re
import stat
import uuid

import pytest
import yaml

from ansible_collections.dom0.xen.plugins.module_utils._image.reading import describe_file
from ansible_collections.dom0.xen.plugins.modules import domain_save
from ansible_collections.dom0.xen.tests.unit.plugins.modules.conftest import MakeSaving
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import NAME, UUID, Saving

# All but the first two by AnsibleModule.add_path_info, as in every result with a path.
ADDED_BY_ANSIBLE = {"changed", "invocation", "owner", "group", "mode", "uid", "gid", "size", "state"}


def test_shut_down(saving: Saving) -> None:
    """The domain is gone, its image whole, and xl restores it to the same boot."""
    domid = saving.start()
    boot = saving.boot_id()
    result = saving.saved(domain=UUID.upper())
    assert result["changed"] and saving.state() is None
    assert saving.files() == ["centos.xen", "centos.xen.json"]
    assert json.loads(saving.manifest_path.read_text()) == result["manifest"]
    assert result["manifest"]["sha256"] == saving.digest()
    assert result["stream_bytes"] == result["file_bytes"] == saving.path.stat().st_size
    assert result["domain"] == {"uuid": UUID, "name": NAME, "domid": domid, "type": "pvh"}
    assert (result["stop_ms"], result["monitor"]) == (None, None)
    assert {stat.S_IMODE(path.stat().st_mode) for path in saving.folder.iterdir()} == {0o600}
    assert saving.host.run("xl", "restore", str(saving.path)).status == 0
    guest = saving.host.guest()
    assert guest is not None and (guest["boot_id"], guest["verified"]) == (boot, True)


def test_what_is_returned_is_documented(saving: Saving) -> None:
    """A key that is added appears in ansible-doc, and none is promised that does not come."""
    saving.start()
    result = saving.saved()
    documented = yaml.safe_load(domain_save.RETURN)
    assert set(result) - ADDED_BY_ANSIBLE == set(documented) - {"code", "remedy"}
    for key in ("manifest", "domain"):
        assert set(result[key]) == set(documented[key]["contains"])


@pytest.mark.parametrize(("release", "monitor"), [((4, 17), "lost"), ((4, 20), "kept")])
def test_checkpoint(make_saving: MakeSaving, release: tuple[int, int], monitor: str) -> None:
    """The same boot goes on, and each run saves anew."""
    saving = make_saving(xen_major=release[0], xen_minor=release[1])
    saving.start()
    boot = saving.boot_id()
    first = saving.saved(after="checkpoint")
    assert (saving.state(), saving.boot_id(), first["monitor"]) == ("running", boot, monitor)
    assert 0 <= first["stop_ms"] < 20_000
    second = saving.saved(after="checkpoint")
    assert second["changed"] and second["manifest"]["sha256"] != first["manifest"]["sha256"]
    assert saving.files() == ["centos.xen", "centos.xen.json"]


def test_a_guest_that_does_not_come_back_is_warned_of(saving: Saving) -> None:
    """Its image is whole, and xl lists it as running; nothing else would tell."""
    saving.start(behaviour={"load": 1.0})
    seen = saving.saved(after="checkpoint")
    assert (seen["liveness"]["alive"], seen.get("warnings")) == (True, None)
    saving.host.behave(NAME, load=0.0)
    silent = saving.saved(after="checkpoint", liveness_timeout=1)
    assert silent["changed"] and silent["liveness"]["alive"] is None
    assert "no sign of life" in str(silent["warnings"]) and f"xl console {NAME}" in str(silent["warnings"])
    unasked = saving.saved(after="checkpoint", liveness_timeout=0)
    assert unasked["changed"] and unasked["liveness"] is None


def test_leave_paused(saving: Saving) -> None:
    """A second run sees that it has not run since; one after it has run saves it anew."""
    domid = saving.start()
    assert saving.saved(after="leave_paused")["changed"] and saving.state() == "paused"
    again = saving.saved(after="leave_paused")
    assert not again["changed"] and again["manifest"]["sha256"] == saving.digest()
    saving.xl.unpause(domid)
    assert saving.saved(after="leave_paused")["changed"]
    assert saving.refused()["code"] == "domain_paused"


@pytest.mark.parametrize(("compression", "command"), [("gzip", ["gzip", "-dc"]), ("zstd", ["zstd", "-dcq"])])
def test_compressed(saving: Saving, compression: str, command: list[str]) -> None:
    """What comes out again is what xl wrote."""
    saving.start()
    result = saving.saved(compression=compression)
    assert saving.digest(*command) == result["manifest"]["sha256"]
    assert result["file_bytes"] == saving.path.stat().st_size < result["stream_bytes"]
    seen = describe_file(str(saving.path), zstd="zstd")
    assert seen.complete and seen.problem is None and seen.compression == compression


@pytest.mark.parametrize("kind", ["pv", "hvm"])
def test_other_kinds(saving: Saving, kind: str) -> None:
    """PV and HVM guests have other records in their streams."""
    saving.start(kind=kind)
    assert saving.saved()["manifest"]["type"] == kind


def test_second_run(saving: Saving) -> None:
    """Nothing is changed when the domain is gone and its image is there; without the image that is an error."""
    saving.start()
    first = saving.saved()
    second = saving.saved()
    assert (second["changed"], second["manifest"], second["seconds"]) == (False, first["manifest"], None)
    assert saving.saved(domain=UUID)["changed"] is False
    saving.path.write_bytes(saving.path.read_bytes()[:-1])
    assert saving.refused()["code"] == "domain_unknown"


def test_cut_off_behind_the_last_byte(saving: Saving) -> None:
    """After a power loss the next run puts in place what was complete; in the same boot the guest has it all."""
    saving.start()
    saving.saved()
    aside = saving.folder / ".centos.xen.json.saving"
    saving.manifest_path.rename(aside)
    assert saving.run(_ansible_check_mode=True)["failed"]
    aside.write_text(re.sub(r'"boot_id": "[^"]+"', f'"boot_id": "{uuid.uuid4()}"', aside.read_text()))
    assert saving.saved(_ansible_check_mode=True)["changed"] is False and aside.exists()
    saving.path.rename(saving.folder / ".centos.xen.saving")
    assert saving.saved()["changed"]
    assert saving.files() == ["centos.xen", "centos.xen.json"]


def test_check_mode(saving: Saving) -> None:
    """It says what would be done, refuses what would be refused, and touches nothing."""
    saving.start()
    saving.host.record_points()
    result = saving.saved(_ansible_check_mode=True)
    assert result["changed"] and result["manifest"] is None and saving.files() == []
    saving.path.write_text("mine")
    assert saving.refused(_ansible_check_mode=True)["code"] == "image_exists"
    assert "save.start" not in saving.host.points() and saving.state() == "running"
