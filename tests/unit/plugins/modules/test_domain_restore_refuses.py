# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against a restore is said before anything is touched."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._domain_lock import DomainLock
from ansible_collections.dom0.xen.plugins.module_utils._facts import autostart, equipment
from ansible_collections.dom0.xen.plugins.module_utils._restoring.history import History
from ansible_collections.dom0.xen.plugins.module_utils._saving.marker import Mark
from ansible_collections.dom0.xen.tests.unit.plugins.modules.conftest import MakeRestoring
from ansible_collections.dom0.xen.tests.unit.plugins.modules.restoring import Restoring
from ansible_collections.dom0.xen.tests.unit.plugins.modules.saving import NAME, UUID

OTHER = "11111111-2222-3333-4444-555555555555"

# A busy machine is no failure; a run that hangs is.
pytestmark = pytest.mark.timeout(600)


# The image. ---


def _altered(path: pathlib.Path, at: int) -> None:
    with path.open("r+b") as image:
        image.seek(at)
        byte = image.read(1)
        image.seek(at)
        image.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_truncated(make_restoring: MakeRestoring, compression: str) -> None:
    """Wherever it was cut, and however its end is read."""
    restoring = make_restoring({"compression": compression})
    data = restoring.path.read_bytes()
    for size in (len(data) - 1, len(data) // 2, 100, 0):
        restoring.path.write_bytes(data[:size])
        result = restoring.refused_before("image_truncated", verify="quick")
        assert f"it has {size} bytes" in result["msg"]


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_altered(make_restoring: MakeRestoring, compression: str) -> None:
    """One bit, in the memory, where no record tells that it is wrong."""
    restoring = make_restoring({"compression": compression})
    _altered(restoring.path, restoring.path.stat().st_size // 2)
    restoring.refused_before("image_altered")
    restoring.as_before()


def test_longer(restoring: Restoring) -> None:
    """Something was added behind its end."""
    with restoring.path.open("ab") as image:
        image.write(bytes(8))
    restoring.refused_before("image_altered", verify="quick")


@pytest.mark.parametrize(
    ("key", "value"),
    [("uuid", OTHER), ("name", "other"), ("type", "pv"), ("xen_version", "4.14"), ("sha256", "0" * 64)],
)
def test_manifest_of_another(restoring: Restoring, key: str, value: str) -> None:
    """What is in the image counts, and must be what the manifest says."""
    _manifest(restoring, **{key: value})
    result = restoring.refused_before("image_altered")
    assert key == "sha256" or value in result["msg"]


def test_stream_that_is_none_with_its_hash(restoring: Restoring) -> None:
    """A manifest can be right about something that xl has not written, or not to its end."""
    import hashlib

    data = restoring.path.read_bytes()[:-8]
    restoring.path.write_bytes(data)
    _manifest(restoring, sha256=hashlib.sha256(data).hexdigest(), stream_bytes=len(data), file_bytes=len(data))
    restoring.refused_before("image_altered")


def test_newer_xen(restoring: Restoring) -> None:
    """A stream goes up, not down."""
    _manifest(restoring, xen_version="4.99")
    result = restoring.refused_before("image_from_newer_xen")
    assert "Xen 4.99" in result["msg"] and "Xen 4.17" in result["msg"]


@pytest.mark.parametrize("content", [None, "", "{}", "[]"])
def test_no_manifest(restoring: Restoring, content: str | None) -> None:
    """Nobody knows whether it is whole."""
    restoring.manifest_path.unlink()
    if content is not None:
        restoring.manifest_path.write_text(content)
    assert "xl restore FILE" in restoring.refused_before("manifest_missing")["remedy"]


def test_manifest_that_cannot_be_read(restoring: Restoring) -> None:
    """Its blocks have gone bad: the kernel says EIO, as it does here of a file that is there, and is regular."""
    restoring.manifest_path.unlink()
    restoring.manifest_path.symlink_to("/proc/self/mem")
    result = restoring.refused()
    assert result["code"] == "manifest_missing" and "Input/output error" in result["msg"], result


def test_no_image(restoring: Restoring) -> None:
    """A path that is wrong, and what is no file."""
    restoring.path.unlink()
    restoring.refused_before("file_missing")
    restoring.path.mkdir()
    restoring.refused_before("file_not_regular")


def test_zstd_missing(make_restoring: MakeRestoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before."""
    from ansible.module_utils.basic import AnsibleModule

    restoring = make_restoring({"compression": "zstd"})
    monkeypatch.setattr(AnsibleModule, "get_bin_path", lambda *dummy: None)
    restoring.refused_before("zstd_missing")


def _manifest(restoring: Restoring, **changes: t.Any) -> None:
    manifest = json.loads(restoring.manifest_path.read_text())
    restoring.manifest_path.write_text(json.dumps({**manifest, **changes}))


# What is on record. ---


def test_restore_that_was_cut_off(restoring: Restoring) -> None:
    """By a power loss: it may have run."""
    restoring.restored()
    mark = restoring.mark()
    assert mark is not None
    restoring.saving.xl.destroy(mark["domid"])
    restoring.host.record_points()
    History(restoring.arguments()["journal_path"]).take_back(Mark.from_result(mark))
    restoring.mark_path.write_text(json.dumps({**mark, "state": "restoring", "host": "xen9", "boot_id": "another"}))
    assert "on xen9 at" in restoring.refused_before("image_restored")["msg"]
    restoring.mark_path.write_text("?")
    assert "remove that file" in restoring.refused_before("image_unmarkable")["remedy"]


def test_folder_that_cannot_be_written(restoring: Restoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the image could be restored twice."""

    def link(*dummy: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "link", link)
    assert "Read-only" in restoring.refused()["msg"]
    restoring.as_before()


# Where the domain is. ---


def test_on_this_host(restoring: Restoring) -> None:
    """In any state, whoever has made it."""
    domid = restoring.saving.start()
    result = restoring.refused_before("domain_here")
    assert f"domid {domid}, running" in result["msg"]
    restoring.saving.xl.rename(domid, f"{NAME}--incoming")
    restoring.refused_before("domain_here")
    restoring.saving.xl.pause(domid)
    assert f"xl unpause {domid}" in restoring.refused_before("domain_here")["remedy"]


def test_name_taken(restoring: Restoring) -> None:
    """By another domain."""
    restoring.saving.start(uuid=OTHER)
    restoring.refused_before("name_taken")


def _elsewhere(restoring: Restoring, word: str = "running", **changes: t.Any) -> dict[str, t.Any]:
    """Return what another host tells which has the domain."""
    facts = restoring.facts()["host"]
    state = {**facts["domains"][0]["state"], "running": False, word: True}
    row = {**facts["domains"][0], "domid": 5, "uuid": UUID, "name": NAME, "state": state, **changes}
    return {"host": {**facts, "hostname": "xen2", "domains": [facts["domains"][0], row]}}


@pytest.mark.parametrize("word", ["running", "paused", "shutdown"])
def test_on_another_host(restoring: Restoring, word: str) -> None:
    """In any state: it could be let run there."""
    hosts = {"xen1": restoring.facts(), "xen2": _elsewhere(restoring, word)}
    result = restoring.refused_before("domain_elsewhere", "xen2", hosts=hosts)
    assert "centos is on xen2 (domid 5" in result["msg"]
    # What runs beside it is never let run.
    restoring.refused_before("domain_elsewhere", "xen2", hosts=hosts, waive=["domain_elsewhere"])
    assert restoring.restored(hosts=hosts, waive=["domain_elsewhere"], leave_paused=True)["changed"]
    assert restoring.saving.state() == "paused"
    # Nor is that copy, and it is said how to be rid of it.
    domid = restoring.saving.xl.domains()[-1].domid
    assert f"xl destroy {domid} takes it away" in restoring.refused("xen2", hosts=hosts)["remedy"]
    assert restoring.saving.state() == "paused"


def test_on_another_host_is_told_before_the_image_is_read(restoring: Restoring) -> None:
    """That takes minutes, and whatever is in it the domain is not restored; so what is wrong with it is not told."""
    hosts = {"xen1": restoring.facts(), "xen2": _elsewhere(restoring)}
    _altered(restoring.path, restoring.path.stat().st_size // 2)
    restoring.refused_before("domain_elsewhere", "xen2", hosts=hosts)
    restoring.refused_before("image_altered", hosts=hosts, waive=["domain_elsewhere"], leave_paused=True)


def test_not_on_another_host(restoring: Restoring) -> None:
    """A host that has other domains, one that is torn down, and this host under another name."""
    hosts = {"xen1": restoring.facts(), "xen2": _elsewhere(restoring, uuid=OTHER), "alias": restoring.facts()}
    hosts["xen3"] = _elsewhere(restoring, "dying")
    assert restoring.restored(hosts=hosts)["changed"]
    restoring.intact()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"unreachable": True, "msg": "no route to host"}, "host_unreachable"),
        ({"failed": True, "msg": "sudo wants a password"}, "host_without_facts"),
        (None, "host_not_asked"),
        ({"host": {"hostname": "xen2", "boot_id": "x", "domains": []}}, "host_without_facts"),
    ],
)
def test_host_that_does_not_tell(restoring: Restoring, answer: dict[str, t.Any] | None, code: str) -> None:
    """The domain may run there, unless somebody says that it has no power."""
    hosts = {"xen1": restoring.facts(), **({"xen2": answer} if answer is not None else {})}
    asked = {"hosts": hosts, "inventory": ["xen1", "xen2"]}
    result = restoring.refused_before(code, "xen2", **asked)
    assert "restore_switched_off=xen2" in result["remedy"] and (answer or {}).get("msg", "") in result["msg"]
    restoring.refused_before("host_not_in_inventory", "xen3", **asked, switched_off=["xen2", "xen3"])
    result = restoring.restored(**asked, switched_off=["xen2"])
    assert [each["code"] for each in result["accepted"]] == ["host_switched_off"]
    restoring.intact()


def test_session(restoring: Restoring) -> None:
    """A migration to this host holds the domain's lock."""
    memory = pathlib.Path(restoring.arguments()["runtime_path"])
    memory.mkdir(mode=0o700, exist_ok=True)
    lock = DomainLock(str(memory), UUID, "receiver")
    try:
        result = restoring.refused()
        assert result["code"] == "domain_busy" and "another restore" in result["msg"]
    finally:
        lock.release()
    restoring.as_before()


def leave(folder: pathlib.Path, name: str, **document: t.Any) -> None:
    """A sender of the domain has left this, or what is in here, as its status or result."""
    domain = {"uuid": UUID, "name": "centos"}
    path = folder / name / "result.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"domain": domain, "phase": "ended", **document}))


def test_interrupted_session(restoring: Restoring) -> None:
    """Settling it may start the domain, which a host does not show that has shut it down for a move."""
    journals = pathlib.Path(restoring.arguments()["journal_path"])
    leave(journals, "0123456789abcdef.sender", owner="unsettled", end_state="unsettled")
    result = restoring.refused_before("session_interrupted")
    assert f"dom0.xen.settle -e domain={UUID}." in result["remedy"]
    (journals / "0123456789abcdef.sender" / "result.json").write_text(
        json.dumps({"domain": {"uuid": UUID}, "phase": "ended", "owner": "elsewhere", "end_state": "down"})
    )
    restoring.restored()
    restoring.intact()


@pytest.mark.parametrize(("alive", "code"), [(False, "session_interrupted"), (True, "session_running")])
def test_session_of_other_hosts(restoring: Restoring, alive: bool, code: str) -> None:
    """The domain is on none of them: it is shut down for a move."""
    session = {"session": "0123456789abcdef", "role": "sender", "phase": "transferred", "owner": "source"}
    more = {"end_state": None, "domain": {"uuid": UUID, "name": "centos"}, "pid": 1, "alive": alive}
    mine = restoring.facts()["host"]
    other = {**mine, "hostname": "xen2", "boot_id": "x", "sessions": [{**session, **more}]}
    hosts = {"xen1": {"host": mine}, "xen2": {"host": other}}
    restoring.refused_before(code, "xen2", hosts=hosts, inventory=["xen1", "xen2"])


# The host. ---


def test_folder_of_the_next_boot(restoring: Restoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """xendomains would restore the image once more."""
    monkeypatch.setattr(autostart, "roots", lambda: autostart.Roots(None, str(restoring.folder)))
    restoring.refused_before("image_in_autostart")


def test_bridge(restoring: Restoring) -> None:
    """What xl would refuse is said before, and can be taken upon oneself; then xl refuses, and nothing is left."""
    restoring.host.configure(bridges=())
    result = restoring.refused_before("bridge_missing")
    assert "restore it on a host that has it" in result["remedy"]


def test_disk(make_restoring: MakeRestoring, tmp_path: pathlib.Path) -> None:
    """It is there, or told with what can be done."""
    disk = tmp_path / "centos.img"
    restoring = make_restoring(guest={"extra": f'disk = [ "format=raw,vdev=xvda,access=rw,target={disk}" ]'})
    assert str(disk) in restoring.refused_before("disk_missing")["msg"]
    assert restoring.restored(_ansible_check_mode=True, waive=["disk_missing"])["changed"]
    disk.touch()
    assert restoring.restored()["changed"]


def test_memory(make_restoring: MakeRestoring) -> None:
    """xl would find out when it has begun."""
    restoring = make_restoring(guest={"memory_mib": 64, "compact": True}, memory_mib=4096)
    restoring.host.configure(memory_mib=1024)
    result = restoring.run()
    assert result["code"] == "not_enough_memory", result


# The guest of the double is shown CX16, which is bit 13 of the second word.
OLDER = "078bfbfd:80800001:2193fbff:00000005:00000000:00000000:00000000:00000100"


@pytest.mark.parametrize("verify", ["full", "quick"])
@pytest.mark.parametrize("xen_cpuid", [True, False])
def test_processor_with_less(make_restoring: MakeRestoring, verify: str, xen_cpuid: bool) -> None:
    """The image tells what the guest was shown; it can be taken upon oneself."""
    restoring = make_restoring(xen_cpuid=xen_cpuid)
    restoring.host.configure(hw_caps=OLDER)
    result = restoring.refused_before("cpu_features_shown", verify=verify)
    assert "a processor with cx16, which xen1 does not give it" in result["msg"]
    assert "waive: [cpu_features_shown]" in result["remedy"]
    if xen_cpuid:
        assert restoring.restored(waive=["cpu_features_shown"], verify=verify)["changed"]
        restoring.intact()


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"cpuid_highest_extended": 0x8000001C}, "cpu_policy_refused", "CPUID leaf 0x80000000 has 0x80000021"),
        ({"cpu_maker": "GenuineIntel"}, "cpu_vendor", "is of GenuineIntel, and centos was shown one of AuthenticAMD"),
    ],
)
def test_processor_that_xen_refuses(restoring: Restoring, settings: dict[str, t.Any], code: str, words: str) -> None:
    """Nobody can take that upon himself."""
    restoring.host.configure(**settings)
    assert words in restoring.refused_before(code, waive=["cpu_features_shown"])["msg"]


def test_image_of_an_old_xen(make_restoring: MakeRestoring) -> None:
    """It does not tell what the guest was shown."""
    restoring = make_restoring(xen_minor=13)
    for verify in ("quick", "full"):
        result = restoring.restored(_ansible_check_mode=True, verify=verify)
        assert [each["code"] for each in result["accepted"]] == ["cpu_unchecked"]


def test_grants(restoring: Restoring) -> None:
    """The manifest says what domains were given where the image was saved; an older one does not."""
    restoring.host.configure(xen_commandline="dom0_mem=1024M gnttab_max_frames=32")
    assert restoring.restored(_ansible_check_mode=True)["accepted"] == []
    _manifest(restoring, boot_id="77777777-6513-48e3-a9c6-d2d0263407a2")
    result = restoring.refused_before("grant_limits")
    assert "gnttab_max_frames is 32 there, and 64 on the host that it was saved on" in result["msg"]
    assert restoring.restored(_ansible_check_mode=True, waive=["grant_limits"])["changed"]
    _manifest(restoring, xen_commandline=None)
    assert restoring.restored(_ansible_check_mode=True)["accepted"] == []


def test_script_and_user_of_the_device_model(
    make_restoring: MakeRestoring, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """What xl would miss in the middle is said before."""
    extra = 'device_model_user = "nobody-here"\nvif = [ "mac=00:16:3e:00:00:65,bridge=xenbr0,script=vif-ours" ]'
    restoring = make_restoring(guest={"kind": "hvm", "bridge": None, "extra": extra})
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "vif-bridge").touch(mode=0o755)
    monkeypatch.setattr(equipment, "_SCRIPTS", str(tmp_path / "scripts"))
    result = restoring.run()
    codes = {each["code"] for each in result["details"]["findings"]}
    assert codes == {"script_missing", "device_model_user_missing"} and "vif-ours" in result["msg"], result
    waived = restoring.restored(_ansible_check_mode=True, waive=["script_missing", "device_model_user_missing"])
    assert {"script_missing", "device_model_user_missing"} <= {each["code"] for each in waived["accepted"]}
