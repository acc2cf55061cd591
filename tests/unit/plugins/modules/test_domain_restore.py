# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that restores a domain, on a host of the double: what becomes of the guest, and what is put on record."""

from __future__ import annotations

import copy
import json

import pytest
import yaml

from ansible_collections.dom0.xen.plugins.module_utils import _procfs
from ansible_collections.dom0.xen.plugins.modules import domain_restore
from ansible_collections.dom0.xen.tests.unit.plugins.modules.conftest import MakeRestoring
from ansible_collections.dom0.xen.tests.unit.plugins.modules.restoring import Restoring
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import NAME, UUID
from ansible_collections.dom0.xen.tests.unit.plugins.modules.test_domain_save import ADDED_BY_ANSIBLE

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("verify", ["full", "quick"])
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_restored(make_restoring: MakeRestoring, compression: str, verify: str) -> None:
    """The same boot goes on, and it is on record that it does."""
    restoring = make_restoring({"compression": compression})
    result = restoring.restored(verify=verify)
    restoring.intact()
    domid = restoring.saving.xl.domains()[-1].domid
    assert result["changed"] and result["seconds"] >= 0
    assert result["domain"] == {"uuid": UUID, "name": NAME, "type": "pvh", "domid": domid, "state": "running"}
    mark = restoring.mark()
    assert mark is not None and (mark["host"], mark["domid"], mark["boot_id"]) == ("xen1", domid, _procfs.boot_id())
    assert mark["sha256"] == result["manifest"]["sha256"]


@pytest.mark.parametrize("kind", ["pv", "hvm"])
def test_other_kinds(make_restoring: MakeRestoring, kind: str) -> None:
    """PV and HVM guests have other records in their streams."""
    restoring = make_restoring(guest={"kind": kind})
    restoring.restored()
    restoring.intact()


def test_what_is_returned_is_documented(restoring: Restoring) -> None:
    """A key that is added appears in ansible-doc, and none is promised that does not come."""
    result = restoring.restored()
    documented = yaml.safe_load(domain_restore.RETURN)
    assert set(result) - ADDED_BY_ANSIBLE == set(documented) - {"code", "remedy"}
    assert set(result["domain"]) == set(documented["domain"]["contains"])


def test_second_run(restoring: Restoring) -> None:
    """Nothing is changed while the domain runs here; when it is gone it would be a second restore."""
    first = restoring.restored()
    for options in ({}, {"leave_paused": True}, {"_ansible_check_mode": True}):
        second = restoring.restored(**options)
        assert not second["changed"] and second["domain"] == first["domain"] and second["seconds"] is None
    restoring.saving.xl.destroy(first["domain"]["domid"])
    restoring.host.record_points()
    result = restoring.refused_before("image_restored")
    assert "file systems" in result["msg"] and "waive: [image_restored]" in result["remedy"]
    again = restoring.restored(waive=["image_restored"])
    assert again["changed"] and [each["severity"] for each in again["accepted"]] == ["waived"]
    restoring.intact()


def test_a_copy_of_the_image(restoring: Restoring) -> None:
    """The record lies beside the image that was restored: of its copies each dom0 tells which one it has restored."""
    domid = restoring.restored()["domain"]["domid"]
    (told,) = restoring.facts()["host"]["restored"]
    assert (told["name"], told["path"]) == (NAME, str(restoring.path))
    restoring.saving.xl.destroy(domid)
    restoring.host.record_points()
    restoring.mark_path.unlink()
    refused = restoring.refused_before("image_restored")
    assert str(restoring.path) in refused["msg"] and "waive: [image_restored]" in refused["remedy"]
    assert restoring.restored(waive=["image_restored"], leave_paused=True)["changed"]
    assert restoring.restored()["changed"]
    restoring.intact()


def test_a_copy_of_the_image_on_another_host(restoring: Restoring) -> None:
    """What is let run here must not have been restored there meanwhile."""
    manifest = json.loads(restoring.manifest_path.read_text())
    there = copy.deepcopy(restoring.facts())
    others = [{**row, "uuid": f"{row['domid']}"} for row in there["host"]["domains"]]
    there["host"].update(hostname="xen2", boot_id="another", domains=others)
    values = {"host": "xen2", "at": "2026-11-23T04:05:06Z", "name": NAME, "path": "/srv/copy.xen"}
    there["host"]["restored"] = [{"sha256": manifest["sha256"], "saved_at": manifest["saved_at"], **values}]
    hosts = {restoring.host.name: restoring.facts(), "xen2": there}
    refused = restoring.refused_before("image_restored", "xen2", hosts=hosts)
    assert "/srv/copy.xen" in refused["msg"]
    there["host"]["restored"][0]["saved_at"] = "2026-11-20T00:00:00Z"
    assert restoring.restored(hosts=hosts)["changed"]


def test_left_paused(restoring: Restoring) -> None:
    """It has not run, and the next run may let it; one that was paused after it had run is left to whoever did that."""
    domid = restoring.restored(leave_paused=True)["domain"]["domid"]
    guest = restoring.host.guest()
    assert restoring.saving.state() == "paused" and guest is not None and not guest["running"]
    assert not restoring.restored(leave_paused=True)["changed"]
    assert restoring.restored(_ansible_check_mode=True)["changed"] and restoring.saving.state() == "paused"
    assert restoring.restored()["changed"]
    restoring.intact()
    restoring.until(lambda: restoring.saving.xl.domains()[-1].cpu_time_s > 0)
    restoring.saving.xl.pause(domid)
    assert "xl unpause" in restoring.refused()["remedy"]


def test_check_mode(restoring: Restoring) -> None:
    """It says what would be done, and touches nothing."""
    result = restoring.restored(_ansible_check_mode=True)
    assert result["changed"] and result["domain"]["domid"] is None
    assert "restore.start" not in restoring.host.points()
    restoring.as_before()


@pytest.mark.parametrize("after", ["checkpoint", "leave_paused"])
def test_checkpoint(make_restoring: MakeRestoring, after: str) -> None:
    """The guest went on: only with its disks put back, which somebody has to say."""
    restoring = make_restoring({"after": after})
    restoring.refused_before("domain_here")
    restoring.saving.xl.destroy(restoring.saving.xl.domains()[-1].domid)
    result = restoring.refused_before("image_checkpoint")
    assert "back to copies from that very moment" in result["remedy"]
    assert restoring.restored(waive=["image_checkpoint"])["changed"]
    restoring.intact()


def test_saved_again(restoring: Restoring) -> None:
    """What is on record is about the image that it names, and goes with it."""
    restoring.restored()
    stale = restoring.mark_path.read_bytes()
    restoring.saving.saved()
    assert restoring.mark() is None
    restoring.mark_path.write_bytes(stale)
    restoring.restored()
    restoring.intact()


def test_save_of_what_was_restored_and_has_ended(restoring: Restoring) -> None:
    """The image that is there is no save of what the domain has done since."""
    domid = restoring.restored()["domain"]["domid"]
    restoring.saving.xl.destroy(domid)
    assert restoring.saving.refused()["code"] == "domain_unknown"
