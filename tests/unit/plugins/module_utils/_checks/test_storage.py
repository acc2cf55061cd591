# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk is taken for the same on two hosts when something but its name says so."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._checks.engine import findings
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Finding
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import (
    DISKS_MAX,
    Disk,
    Equipment,
    Mount,
)
from ansible_collections.dom0.xen.plugins.module_utils._records import DomainFacts, HostFacts
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._checks.examples import (
    EQUIPMENT,
    host,
    request,
    with_config,
)

PATH = "/dev/vg/centos"
LVM = {"lvm": "LVM-abcd"}
GIB = 1 << 30
Given = dict[str, t.Any]


def disk(ids: t.Mapping[str, str], path: str = PATH, size: int = GIB, number: str = "253:3") -> Disk:
    """A block device that has this path."""
    return Disk(number, ("/dev/dm-3", path), size, ids)


def mount(kind: str, source: str, path: str = "/srv", **changes: t.Any) -> Mount:
    """A file system."""
    return dataclasses.replace(Mount(path, kind, source, "/", "253:3", True), **changes)


ROOT = mount("ext4", "/dev/vda1", "/", number="254:1")
NFS = mount("nfs4", "nas:/xen")


def guest(
    path: str = PATH, kind: str = "pvh", links: t.Mapping[str, str] | None = None, **changes: t.Any
) -> DomainFacts:
    """The domain with one disk that it writes to."""
    entry = {"pdev_path": path, "vdev": "xvda", "backend": "phy", "format": "raw", "readwrite": 1, **changes}
    entry = {key: value for key, value in entry.items() if value is not None}
    return dataclasses.replace(with_config(c_info={"type": kind}, disks=[entry]), links=links or {})


def equipped(name: str, has: Equipment, **changes: t.Any) -> HostFacts:
    """The host of the examples with these disks and file systems."""
    equipment = dataclasses.replace(EQUIPMENT, disks=has.disks, mounts=has.mounts, read_only=has.read_only)
    return host(name, equipment=equipment, **changes)


def check(subject: DomainFacts, here: Equipment, there: Equipment, **asked: t.Any) -> tuple[Finding, ...]:
    """Check the move of the domain between hosts with this equipment."""
    return findings(equipped("xen1", here), equipped("xen2", there), subject, request(**asked))


def codes(found: t.Iterable[Finding]) -> list[str]:
    """Return the codes."""
    return [finding.code for finding in found]


MANY = [Disk(f"8:{n}", (f"/dev/sd{n}",), GIB, {}) for n in range(DISKS_MAX)]
DEVICES: list[tuple[t.Sequence[Disk], t.Sequence[Disk], list[str], list[str]]] = [
    # the source's, the destination's, codes, words
    ([disk(LVM)], [disk(LVM)], [], []),
    ([disk({"wwn": "0xABC", "serial": "a"})], [disk({"wwn": "0xabc", "serial": "b"})], [], []),
    ([disk({"serial": "36001405"})], [disk({"wwn": "0x6001405", "serial": "36001405"})], [], []),
    ([disk(LVM)], [disk({"lvm": "LVM-efgh"})], ["disk_differs"], ["LVM-efgh, not LVM-abcd", "by-id", "write over"]),
    ([disk({"wwn": "0x1#1"})], [disk({"wwn": "0x1#2"})], ["disk_differs"], ["0x1#2"]),
    (
        [disk(LVM)],
        [disk(LVM, path="/dev/vg/web")],
        ["disk_missing"],
        ["no disk /dev/vg/centos", "migrate_before_tasks"],
    ),
    ([disk(LVM)], [disk(LVM, size=2 * GIB)], ["disk_size_differs"], [str(GIB), str(2 * GIB), "rescan"]),
    ([disk({})], [disk({}, size=2 * GIB)], ["disk_size_differs"], ["another disk"]),
    ([disk({})], [disk({})], ["disk_unchecked"], [PATH]),
    ([disk(LVM)], [disk({"wwn": "0x1"})], ["disk_unchecked"], [PATH]),
    ([disk({"filesystem": "a"})], [disk({"filesystem": "a"})], ["disk_unchecked"], ["cannot be seen"]),
    ([disk({"filesystem": "a"})], [disk({"filesystem": "b"})], ["disk_unchecked"], ["cannot be seen"]),
    ([], [disk(LVM)], ["disk_unchecked"], [PATH]),
    ([disk(LVM)], [], ["disk_unchecked"], [PATH]),
    # A host tells so many, and what is among them counts.
    ([disk(LVM)], MANY[1:], ["disk_missing"], ["no disk /dev/vg/centos"]),
    ([disk(LVM)], MANY, ["disk_unchecked"], [PATH]),
    ([disk(LVM)], [*MANY[1:], disk({"lvm": "LVM-efgh"})], ["disk_differs"], ["LVM-efgh"]),
]


@pytest.mark.parametrize(("mine", "theirs", "expected", "words"), DEVICES)
def test_block_devices(mine: t.Any, theirs: t.Any, expected: list[str], words: list[str]) -> None:
    """One name is no proof; the UUID of what is on it is none either, since copies have it as well."""
    found = check(guest(), Equipment(disks=tuple(mine)), Equipment(disks=tuple(theirs)))
    assert codes(found) == expected
    for finding in found:
        assert finding.host == "xen2"
        for word in words:
            assert word in f"{finding.message} {finding.remedy}"
        if finding.severity == "error":
            assert finding.details["source"] != finding.details["destination"]


def mounted(*more: Mount, disks: t.Sequence[Disk] = ()) -> Equipment:
    """A host with a root file system and others."""
    return Equipment(mounts=(ROOT, *more), disks=tuple(disks))


OCFS = mount("ocfs2", "/dev/sdb")
FILES: dict[str, tuple[Equipment, Equipment, list[str]]] = {
    "one server": (mounted(NFS), mounted(NFS), ["disk_cache_stale"]),
    "one server without caches": (
        mounted(dataclasses.replace(NFS, cached=False)),
        mounted(dataclasses.replace(NFS, cached=False)),
        ["disk_cached"],
    ),
    "one cluster": (mounted(mount("ceph", "mon:6789:/")), mounted(mount("ceph", "mon:6789:/")), []),
    "shared device": (
        mounted(OCFS, disks=[disk({"wwn": "1"}, "/dev/sdb")]),
        mounted(OCFS, disks=[disk({"wwn": "1"}, "/dev/sdb")]),
        [],
    ),
    "two devices of one name": (
        mounted(OCFS, disks=[disk({"wwn": "1"}, "/dev/sdb")]),
        mounted(OCFS, disks=[disk({"wwn": "2"}, "/dev/sdb")]),
        ["disk_not_shared"],
    ),
    "device without identity": (mounted(OCFS), mounted(OCFS), ["disk_unchecked"]),
    "local on both": (mounted(), mounted(), ["disk_cached", "disk_not_shared"]),
    "not mounted there": (mounted(mount("ceph", "mon:/")), mounted(), ["disk_not_shared"]),
    "not mounted here": (mounted(), mounted(mount("ceph", "mon:/")), ["disk_cached", "disk_not_shared"]),
    "hidden by another mount": (
        mounted(mount("ceph", "mon:/"), mount("xfs", "/dev/sdc", "/srv/vm")),
        mounted(mount("ceph", "mon:/")),
        ["disk_cached", "disk_not_shared"],
    ),
    "hidden by one mounted above it later": (
        mounted(mount("xfs", "/dev/sdc", "/srv/vm"), mount("ceph", "mon:/")),
        mounted(mount("ceph", "mon:/")),
        [],
    ),
    "a name that only begins so": (
        mounted(mount("ceph", "mon:/"), mount("xfs", "/dev/sdc", "/srv/v")),
        mounted(mount("ceph", "mon:/")),
        [],
    ),
    "another folder of the same": (
        mounted(mount("ceph", "mon:/", root="/a")),
        mounted(mount("ceph", "mon:/", root="/b")),
        ["disk_unchecked"],
    ),
    "the same folder, mounted otherwise": (
        mounted(mount("ceph", "mon:/")),
        mounted(mount("ceph", "mon:/", "/srv/vm", root="/vm")),
        [],
    ),
    "another name of the server, perhaps": (
        mounted(mount("ceph", "a:/")),
        mounted(mount("ceph", "b:/")),
        ["disk_unchecked"],
    ),
    "each its own server": (
        mounted(mount("nfs", "localhost:/xen", cached=False)),
        mounted(mount("nfs", "localhost:/xen", cached=False)),
        ["disk_cached", "disk_unchecked"],
    ),
    "what nobody knows": (
        mounted(mount("fuse.x", "a")),
        mounted(mount("fuse.x", "a")),
        ["disk_cached", "disk_unchecked"],
    ),
    "no facts": (Equipment(), Equipment(), ["disk_cached", "disk_unchecked"]),
}


@pytest.mark.parametrize("name", FILES)
def test_files(name: str) -> None:
    """What counts is the file system that each host has there, and the place within it."""
    here, there, expected = FILES[name]
    assert codes(check(guest("/srv/vm/a.img"), here, there)) == expected


def test_what_an_hvm_domains_qemu_keeps_is_let_go_of() -> None:
    """On xl migrate it flushes, and the new one reads anew."""
    assert codes(check(guest("/srv/a", "hvm", backend="qdisk"), mounted(NFS), mounted(NFS))) == []


def test_a_raw_file_of_an_hvm_domain_goes_through_the_cache_too() -> None:
    """Such a disk is no qdisk but a loop device, which nobody tells to let go; a device has no such cache."""
    for kind in ("hvm", "pvh"):
        assert codes(check(guest("/srv/a", kind), mounted(NFS), mounted(NFS))) == ["disk_cache_stale"], kind
        assert codes(check(guest("/srv/a", kind), mounted(OCFS), mounted(OCFS))) == ["disk_unchecked"], kind
    assert codes(check(guest(kind="hvm"), Equipment(disks=(disk(LVM),)), Equipment(disks=(disk(LVM),)))) == []


def test_what_goes_around_the_cache_is_in_none() -> None:
    """QEMU opens such a file with O_DIRECT, where a loop device does not."""
    direct = guest("/srv/a", backend="qdisk", direct_io_safe="True")
    assert codes(check(direct, mounted(NFS), mounted(NFS))) == []
    loop = guest("/srv/a", direct_io_safe="True")
    assert codes(check(loop, mounted(NFS), mounted(NFS))) == ["disk_cache_stale"]


@pytest.mark.parametrize("path", [PATH, "/vm/a"])
def test_a_device_that_qemu_serves_is_in_the_caches_of_both_hosts(path: str) -> None:
    """Unless QEMU goes around them, or it is one host, or an HVM domain, whose QEMU lets go; phy has no such cache."""
    here = Equipment(disks=(disk(LVM),), mounts=(ROOT,))

    def found(**changes: t.Any) -> list[str]:
        kind = changes.pop("kind", "pvh")
        return codes(check(guest(path, kind, {"/vm/a": PATH}, **changes), here, here))

    assert found(backend="qdisk") == ["disk_cache_stale"]
    assert found(backend="qdisk", direct_io_safe="True") == found(backend="qdisk", kind="hvm") == found() == []
    assert found(backend="qdisk", readwrite=0) == ["disk_cached"]
    one = equipped("xen1", here)
    within = findings(
        one, one, guest(path, links={"/vm/a": PATH}, backend="qdisk"), request(destination="xen1", allow_same_host=True)
    )
    assert codes(within) == []


def test_a_disk_that_is_only_read_may_be_a_copy() -> None:
    """Such as an image of a CD, which QEMU serves to an HVM domain; libxl leaves the field out."""
    found = check(guest("/srv/a.iso", "hvm", backend="qdisk", readwrite=None), mounted(), mounted())
    assert codes(found) == ["disk_unchecked"]


def test_links_lead_to_the_file_system_that_counts() -> None:
    """The path as it is written would be a file of the root file system."""
    pool = mounted(mount("ceph", "mon:/", "/pool"))
    linked = guest("/vm/a", links={"/vm/a": "/pool/a"})
    assert codes(check(linked, pool, pool)) == []
    assert codes(check(guest("/vm/a"), pool, pool)) == ["disk_cached", "disk_not_shared"]


def test_a_link_to_a_device_says_nothing_of_the_kernels_name_there() -> None:
    """The destination's dm-3 is another volume; the right one is found by what it is."""
    linked = guest("/vm/a", links={"/vm/a": "/dev/dm-3"})
    other = Disk("253:3", ("/dev/dm-3",), GIB, {"lvm": "LVM-other"})
    same = Disk("253:9", ("/dev/dm-9",), GIB, LVM)
    here = Equipment(disks=(disk(LVM),), mounts=(ROOT,))
    assert "disk_unchecked" not in codes(check(linked, here, Equipment(disks=(other, same))))
    found = codes(check(linked, here, Equipment(disks=(other,))))
    assert "disk_unchecked" in found and "disk_differs" not in found


@pytest.mark.parametrize(
    "changes",
    [
        {"script": "block"},
        {"script": "block", "pdev_path": "r0"},
        {"backend_domname": "store"},
        {"pdev_path": "rbd:pool/a"},
    ],
    ids=str,
)
def test_what_is_no_path_of_dom0_is_not_compared(changes: Given) -> None:
    """Whatever the destination has under that name; what a script makes goes through no cache of a file."""
    store = dataclasses.replace(host("xen2").domains[0], name="store", domid=9)
    there = equipped("xen2", Equipment(disks=(disk({"lvm": "b"}),)), domains=(store,))
    found = findings(equipped("xen1", Equipment(disks=(disk({"lvm": "a"}),))), there, guest(**changes), request())
    cached = ["disk_cached"] if changes.get("pdev_path") == "rbd:pool/a" else []
    assert codes(found) == [*cached, "disk_unchecked"]


def test_within_one_host_the_question_does_not_arise() -> None:
    """One path is one disk there, and one cache."""
    one = equipped("xen1", mounted())
    found = findings(one, one, guest("/srv/a"), request(destination="xen1", allow_same_host=True))
    assert codes(found) == []


def test_what_a_waiver_answers_for() -> None:
    """A disk that the caller's tasks bring, but never another disk."""
    gone = check(
        guest(), Equipment(disks=(disk(LVM),)), Equipment(disks=(disk(LVM, "/dev/x"),)), waive=("disk_missing",)
    )
    assert [(f.code, f.severity) for f in gone] == [("disk_missing", "waived")]
    other = Equipment(disks=(disk({"lvm": "LVM-b"}),))
    found = check(guest(), Equipment(disks=(disk(LVM),)), other, waive=("disk_differs",))
    assert codes(found) == ["waiver_forbidden", "disk_differs"]


THERE = "/dev/mapper/lun7"
MAPPED: Given = {"map_disks": {PATH: THERE}}


@pytest.mark.parametrize(
    ("there", "expected", "words"),
    [
        ([disk(LVM, path=THERE)], [], []),
        # The source's own name is somebody else's disk there, which does not matter.
        ([disk(LVM, path=THERE), disk({"lvm": "LVM-web"}, number="253:9")], [], []),
        ([disk(LVM)], ["disk_missing"], [f"no disk {THERE} (on xen1 {PATH})"]),
        ([disk({"lvm": "LVM-efgh"}, path=THERE)], ["disk_differs"], [THERE, PATH, "LVM-efgh, not LVM-abcd"]),
        ([disk(LVM, path=THERE, size=2 * GIB)], ["disk_size_differs"], [THERE]),
        ([disk({}, path=THERE)], ["disk_unproven"], [THERE, PATH, "lsblk", "waive disk_unproven"]),
        ([], ["disk_unproven"], [THERE]),
    ],
)
def test_a_disk_of_another_name_is_proven_all_the_same(
    there: list[Disk], expected: list[str], words: list[str]
) -> None:
    """What the destination calls so is compared with what the source calls otherwise."""
    found = check(guest(), Equipment(disks=(disk(LVM),)), Equipment(disks=tuple(there)), **MAPPED)
    assert codes(found) == expected
    for word in words:
        assert word in f"{found[0].message} {found[0].remedy}"


def test_a_file_of_another_name() -> None:
    """The same file of the same file system, mounted elsewhere; a device in its place is nothing to compare."""
    here = Equipment(mounts=(ROOT, NFS))
    there = Equipment(disks=(disk(LVM),), mounts=(ROOT, mount("nfs4", "nas:/xen", "/mnt")))
    file = guest("/srv/a.img", backend="qdisk", direct_io_safe="True")
    for called, expected in (
        ("/mnt/a.img", []),
        ("/mnt/b.img", ["disk_unproven"]),
        ("/srv/a.img.new", ["disk_not_shared"]),
        (PATH, ["disk_unproven"]),
    ):
        assert codes(check(file, here, there, map_disks={"/srv/a.img": called})) == expected, called


def test_what_is_mapped_and_cannot_be_compared_is_a_persons_word() -> None:
    """One who looked by himself may waive it; what is only read cannot be destroyed, and one name speaks for itself."""
    here = Equipment(disks=(disk({}),))
    there = Equipment(disks=(disk({}, path=THERE), disk({}, number="253:9")))
    waived = check(guest(), here, there, **MAPPED, waive=("disk_unproven",))
    assert [(finding.code, finding.severity) for finding in waived] == [("disk_unproven", "waived")]
    assert codes(check(guest(readwrite=0), here, there, **MAPPED)) == ["disk_unchecked"]
    assert codes(check(guest(), here, there, map_disks={PATH: PATH})) == ["disk_unchecked"]
    assert codes(check(guest(script="block"), here, there, **MAPPED)) == ["disk_unproven"]


def test_what_can_only_be_read_there() -> None:
    """A disk that the domain writes to, by whatever name it has there; not one that it reads, or a script makes."""
    both = Equipment(disks=(disk(LVM),), read_only=("253:3",))
    (found,) = check(guest(), both, both)
    assert (found.code, found.host, found.severity) == ("disk_read_only", "xen2", "error")
    assert PATH in found.message and "drbdadm primary" in found.remedy
    assert codes(check(guest(), both, dataclasses.replace(both, read_only=("253:4",)))) == []
    assert codes(check(guest(readwrite=0), both, both)) == []
    assert codes(check(guest(script="block"), both, both)) == ["disk_unchecked"]
    there = Equipment(disks=(disk(LVM, THERE),), read_only=("253:3",))
    assert codes(check(guest(), both, there, **MAPPED)) == ["disk_read_only"]
    waived = check(guest(), both, both, waive=("disk_read_only",))
    assert [(finding.code, finding.severity) for finding in waived] == [("disk_read_only", "waived")]


def test_a_file_system_that_can_only_be_read_there() -> None:
    """The one that the file is on at the destination, under the name that it has there."""
    ceph = mounted(mount("ceph", "mon:/"))
    there = mounted(mount("ceph", "mon:/", read_only=True))
    (found,) = check(guest("/srv/vm/a.img"), ceph, there)
    assert (found.code, found.details["found"]) == ("disk_read_only", "/srv/vm/a.img on a file system (ceph at /srv)")
    assert codes(check(guest("/srv/vm/a.img"), there, ceph)) == []
    assert codes(check(guest("/vm/a", links={"/vm/a": "/srv/a"}), ceph, there)) == ["disk_read_only"]
    more = mounted(mount("ceph", "mon:/"), mount("ceph", "mon:/", "/mnt", read_only=True))
    assert codes(check(guest("/srv/a"), ceph, more, map_disks={"/srv/a": "/mnt/a"})) == ["disk_read_only"]
