# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes xl fail after all memory was copied, or a guest break after its move, is found before, and it runs on."""

from __future__ import annotations

import json
import pathlib
import sys
import typing as t

import pytest
from dom0_double.driver.commands import namespaces
from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site

from ansible_collections.dom0.xen.tests.unit.playbooks.user import GUEST, LIMIT_S, User, where

pytestmark = pytest.mark.timeout(600)

# The guest of the double is shown CX16, which is bit 13 of the second word.
OLDER = "078bfbfd:80800001:2193fbff:00000005:00000000:00000000:00000000:00000100"
VOLUME = ("vg/centos", "LVM-abc", 1024)
ON_VOLUME = 'disk = [ "/dev/vg/centos,raw,xvda,w" ]'
needs_volumes = pytest.mark.skipif(not namespaces(), reason="needs mount namespaces")

MakeUser = t.Callable[..., User]


@pytest.fixture(name="make_user")
def fixture_make_user(tmp_path: pathlib.Path) -> t.Iterator[MakeUser]:
    """Return a function that makes two hosts with different settings, and a guest with more in its configuration."""
    sites: list[Site] = []

    def make(here: dict[str, t.Any], there: dict[str, t.Any], extra: str = "") -> User:
        site = Site(tmp_path / "double")
        sites.append(site)
        site.up(["xen1"], python=sys.executable, **here)
        site.up(["xen2"], python=sys.executable, **there)
        site["xen1"].start_guest(GuestConfig(memory_mib=16, compact=True, extra=extra))
        return User(site, tmp_path)

    yield make
    for site in sites:
        assert site.down() == []


def refused(user: User, *arguments: str) -> tuple[set[str], str]:
    """Try to move the guest to xen2, which must not happen; return the findings' codes but warnings', and the log."""
    before = user.site.intervals(GUEST)
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), *arguments)
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2, log[-4000:]
    assert user.site.intervals(GUEST) == before
    assert where(user.site) == "xen1"
    findings = user.result["findings"]
    return {f["code"] for f in findings if f["severity"] != "warning"}, " ".join(log.split())


def test_a_guest_that_was_shown_more_is_not_moved(make_user: MakeUser) -> None:
    """Xen tells what it was shown, and what the other Xen gives: nothing is begun."""
    user = make_user({}, {"hw_caps": OLDER})
    user.site["xen1"].record_points()
    codes, log = refused(user)
    assert codes == {"cpu_features_shown"}
    assert "centos was shown a processor with cx16, which xen2 does not give it" in log
    assert user.site["xen1"].passed("migrate.start") == [] and user.site["xen2"].domains() == []


def test_a_guest_that_was_shown_more_ends_the_move_before_memory(make_user: MakeUser) -> None:
    """Where nobody could say it before. It is never paused; who knows that it does not use that may say so."""
    user = make_user({"xen_cpuid": False}, {"hw_caps": OLDER})
    user.site["xen1"].record_points()
    codes, log = refused(user)
    assert codes == set()
    assert "lacks what that of xen1 has: cx16" in log
    assert (user.result["end_state"], user.result["error"]["code"]) == ("stayed", "cpu_features_shown")
    assert "the guest was shown a processor with cx16" in log
    assert user.site["xen1"].passed("suspend.request") == []
    assert user.site["xen2"].domains() == []
    user.move("xen2", "-e", "migrate_waive=cpu_features_shown")
    assert where(user.site) == "xen2"


def test_a_guest_that_was_shown_what_xen_there_refuses(make_user: MakeUser) -> None:
    """It is found before, and without xen-cpuid in the stream; to waive features does not help."""
    user = make_user({}, {"cpuid_highest_extended": 0x8000001C})
    codes, log = refused(user)
    assert codes == {"cpu_policy_refused", "cpu_features_shown"}
    assert "CPUID leaf 0x80000000 has 0x80000021, and 0x8000001c at most there" in log
    (user.site["xen1"].paths.bin / "xen-cpuid").unlink()
    user.site["xen1"].record_points()
    codes, log = refused(user, "-e", "migrate_waive=cpu_features_shown")
    assert codes == set()
    assert (user.result["end_state"], user.result["error"]["code"]) == ("stayed", "cpu_policy_refused")
    assert "the guest was shown what Xen on the destination refuses: CPUID leaf 0x80000000" in log
    assert user.site["xen1"].passed("suspend.request") == []
    assert user.site["xen2"].domains() == []


def test_a_guest_that_was_paused_for_its_transfer_goes_on(make_user: MakeUser) -> None:
    """With the method suspend it stands still when its stream begins. Without xen-cpuid hw_caps are compared."""
    user = make_user({"xen_cpuid": False}, {"hw_caps": OLDER, "xen_cpuid": False})
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), "-e", "migrate_method=suspend")
    log = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode == 2, log[-4000:]
    assert (user.result["end_state"], user.result["error"]["code"]) == ("stayed", "cpu_features_shown")
    assert where(user.site) == "xen1"
    assert user.site["xen2"].domains() == []


@needs_volumes
@pytest.mark.parametrize(
    ("there", "code", "words"),
    [
        (("vg/centos", "LVM-xyz", 1024), "disk_differs", "its lvm is LVM-xyz, not LVM-abc"),
        (("vg/web", "LVM-abc", 1024), "disk_missing", "xen2 has no disk /dev/vg/centos"),
        (("vg/centos", "LVM-abc", 512), "disk_size_differs", "has 536870912 bytes on xen2"),
    ],
)
def test_another_disk_of_that_name(make_user: MakeUser, there: t.Any, code: str, words: str) -> None:
    """The guest would have written over it."""
    user = make_user({"volumes": [VOLUME]}, {"volumes": [there]}, ON_VOLUME)
    codes, log = refused(user)
    assert codes == {code} and words in log


@needs_volumes
def test_a_disk_that_can_only_be_read_there(make_user: MakeUser) -> None:
    """xl would find out when all memory was copied; whoever makes it writable in time may say so."""
    user = make_user({"volumes": [VOLUME]}, {"volumes": [VOLUME], "volumes_read_only": True}, ON_VOLUME)
    codes, log = refused(user)
    assert codes == {"disk_read_only"} and "xen2 has /dev/vg/centos, which can only be read there" in log
    user.move("xen2", "-e", "migrate_waive=disk_read_only")
    assert where(user.site) == "xen2"


@needs_volumes
def test_the_same_disk(make_user: MakeUser) -> None:
    """Is not even told."""
    user = make_user({"volumes": [VOLUME]}, {"volumes": [VOLUME]}, ON_VOLUME)
    user.move("xen2")
    assert where(user.site) == "xen2"
    assert not [f["code"] for f in user.result["findings"] if f["code"].startswith("disk_")]


@needs_volumes
def test_a_disk_of_another_name_that_nothing_speaks_for(make_user: MakeUser) -> None:
    """That both have one size is no proof; whoever has looked by himself may say that it is the same."""
    here, there = ({"volumes": [(f"{group}/centos", "", 1024)]} for group in ("vg", "lun7"))
    user = make_user(here, there, 'disk = [ "/dev/mapper/vg-centos,raw,xvda,w" ]')
    names = {"migrate_map_disks": {"/dev/mapper/vg-centos": "/dev/mapper/lun7-centos"}}
    codes, log = refused(user, "-e", json.dumps(names))
    assert codes == {"disk_unproven"} and "/dev/mapper/lun7-centos is to be the disk /dev/mapper/vg-centos" in log
    user.move("xen2", "-e", json.dumps({**names, "migrate_waive": ["disk_unproven"]}))
    assert where(user.site) == "xen2"


def test_a_file_that_only_one_host_has(make_user: MakeUser) -> None:
    """Both hosts of the double have the file systems of this machine, of which none is shared."""
    user = make_user({}, {}, 'disk = [ "/usr/centos.img,raw,xvda,w" ]')
    codes, log = refused(user)
    assert codes == {"disk_not_shared"} and "the two hosts do not share what /usr/centos.img is on" in log


@pytest.mark.parametrize("method", ["live", "suspend"])
def test_an_image_in_a_drive_that_the_destination_does_not_have(make_user: MakeUser, method: str) -> None:
    """The check cannot see it, and warns; the receiver does, at once, and the guest is not asked to suspend."""
    path = "/opt/no-such-place/debian.iso"
    user = make_user({}, {}, f'disk = [ "vdev=xvdc,access=ro,format=raw,target={path}" ]')
    user.site["xen1"].record_points()
    # All of so small a guest would be on the way before the answer is back.
    user.site["xen1"].configure(save_rate=1_000_000)
    process = user.start("dom0.xen.migrate", *user.asking("xen2"), "-e", f"migrate_method={method}")
    log = " ".join(process.communicate(timeout=LIMIT_S)[0].split())
    assert process.returncode == 2, log[-4000:]
    told = user.result
    assert "disk_unchecked" in {finding["code"] for finding in told["findings"]}
    assert (told["end_state"], told["error"]["code"], told["error"]["host"]) == ("stayed", "disk_file_missing", "xen2")
    assert path in told["error"]["msg"] and told["error"]["remedy"] in log
    assert where(user.site) == "xen1" and user.site["xen1"].passed("suspend.request") == []
    assert user.site["xen2"].domains() == []


def test_what_xen_there_was_booted_with(make_user: MakeUser) -> None:
    """All at once."""
    fewer = "dom0_mem=1024M gnttab_max_frames=32 gnttab_max_maptrack_frames=512"
    user = make_user({}, {"xen_commandline": fewer, "cpu_khz": 2100000})
    codes, log = refused(user)
    assert codes == {"grant_limits"}
    assert "gnttab_max_frames is 32 there, and 64" in log and "gnttab_max_maptrack_frames is 512 there" in log
    assert "tsc_rate_differs" in {f["code"] for f in user.result["findings"]}


def test_limits_of_its_own_above_those_of_xen_there(make_user: MakeUser) -> None:
    """Xen before 4.18 does not make it; whoever waives that finds out, and the guest is where it was."""
    user = make_user({}, {"xen_commandline": "dom0_mem=1024M gnttab_max_frames=32"}, "max_grant_frames = 64")
    codes, log = refused(user)
    assert codes == {"grant_limits"} and "makes no domain with more than its gnttab_max_frames, which is 32" in log
    codes, log = refused(user, "-e", "migrate_waive=grant_limits")
    assert codes == {"grant_limits"} and user.result["end_state"] == "stayed"
    assert user.site["xen2"].domains() == []
