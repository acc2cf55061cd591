# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has is read from files of the kernel and of udev, in whatever state they are."""

from __future__ import annotations

import os
import pathlib
import time

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment import (
    disks,
    equipment,
    mounts,
    read_only,
    recent_domids,
    too_recent,
)
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import (
    DISKS_MAX,
    USERS_MAX,
    Equipment,
    Processor,
)


def put(root: pathlib.Path, path: str, text: str = "") -> None:
    """Write a file of the host."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def block(root: pathlib.Path, name: str, number: str, udev: str = "", parent: str = "", **files: str) -> None:
    """Make a block device as the kernel shows it; keys of ``files`` have __ for a slash."""
    device = f"sys/devices/{parent or 'x'}/{name}"
    for key, text in {"dev": number, "size": "2048", **files}.items():
        put(root, f"{device}/{key.replace('__', '/')}", text + "\n")
    (root / "sys/class/block").mkdir(parents=True, exist_ok=True)
    os.symlink(os.path.relpath(root / device, root / "sys/class/block"), root / "sys/class/block" / name)
    if udev:
        put(root, f"run/udev/data/b{number}", udev)


def test_disks_are_known_by_what_udev_has_on_record(tmp_path: pathlib.Path) -> None:
    """All their names, and what they are."""
    block(
        tmp_path,
        "sda",
        "8:0",
        "S:disk/by-id/wwn-0x6\nE:ID_WWN=0x6\nE:ID_WWN_WITH_EXTENSION=0x61\nE:ID_SERIAL=361\nE:ID_FS_UUID=u\nE:broken\n",
    )
    block(tmp_path, "dm-0", "253:0", "S:mapper/vg-a\nS:vg/a\nE:DM_UUID=LVM-xyz\n")
    block(tmp_path, "dm-1", "253:1", "E:DM_UUID=mpath-361\n")
    block(tmp_path, "dm-2", "253:2", "E:DM_UUID=part2-mpath-361\n")
    found = {disk.names[0]: disk for disk in disks(str(tmp_path))}
    assert found["/dev/sda"].names == ("/dev/sda", "/dev/disk/by-id/wwn-0x6")
    assert found["/dev/sda"].ids == {"wwn": "0x61", "serial": "361", "filesystem": "u"}
    assert found["/dev/sda"].size_bytes == 1 << 20
    assert found["/dev/dm-0"].ids == {"lvm": "LVM-xyz"}
    # One LUN over several paths, and over one: the same serial.
    assert found["/dev/dm-1"].ids == {"serial": "361"}
    assert found["/dev/dm-2"].ids == {"serial": "361#2"}


def test_disks_are_known_without_udev(tmp_path: pathlib.Path) -> None:
    """As on a small distribution: what the kernel says, in udev's spelling."""
    block(tmp_path, "sda", "8:0", device__wwid="naa.61")
    block(tmp_path, "sda1", "8:1", parent="x/sda", partition="1")
    block(tmp_path, "nvme0n1", "259:0", wwid="eui.5", serial="S1")
    block(tmp_path, "sdb", "8:16", device__wwid="t10.ATA     disk of which there are many")
    block(tmp_path, "dm-0", "253:0", dm__name="vg--0-a--b", dm__uuid="LVM-xyz")
    found = {disk.names[0]: disk for disk in disks(str(tmp_path))}
    assert found["/dev/sda"].ids == {"wwn": "0x61"}
    assert found["/dev/sda1"].ids == {"wwn": "0x61#1"}
    assert found["/dev/nvme0n1"].ids == {"wwn": "eui.5", "serial": "S1"}
    assert found["/dev/sdb"].ids == {}
    assert found["/dev/dm-0"].names == ("/dev/dm-0", "/dev/mapper/vg--0-a--b", "/dev/vg-0/a-b")


def test_disks_that_can_only_be_read(tmp_path: pathlib.Path) -> None:
    """By their numbers; a drive for media is none that a domain is moved with."""
    for name, number in (("sdb", "8:16"), ("drbd0", "147:0"), ("sr0", "11:0")):
        block(tmp_path, name, number, ro="1")
    block(tmp_path, "sda", "8:0", ro="0")
    block(tmp_path, "sdc", "8:32")
    assert sorted(read_only(str(tmp_path))) == ["147:0", "8:16"]


def test_what_is_no_shared_disk_is_left_out(tmp_path: pathlib.Path) -> None:
    """And a number that every emulated disk has identifies none."""
    for number, name in enumerate(("loop0", "ram1", "zram0", "sr0", "fd0")):
        block(tmp_path, name, f"7:{number}")
    block(tmp_path, "sdc", "8:32", size="0")
    block(tmp_path, "sdd", "8:48", "E:ID_SERIAL=0QEMU_QEMU_HARDDISK_drive-scsi0\n")
    assert [(disk.names, disk.ids) for disk in disks(str(tmp_path))] == [(("/dev/sdd",), {})]


def test_file_systems(tmp_path: pathlib.Path) -> None:
    """Those that files can be on; what mountinfo escapes is read back."""
    put(
        tmp_path,
        "proc/self/mountinfo",
        "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
        "23 22 0:21 / /proc rw - proc proc rw\n"
        "24 22 0:44 /vm /srv/a\\040b rw,noatime shared:9 master:1 - nfs4 nas:/xen rw,vers=4.2,noac\n"
        "25 22 0:50 / /mnt rw - fuse.curlftpfs curlftpfs#ftp://me:secret@nas/ rw\n"
        "26 22 0:51 / /vol ro - fuse.glusterfs nas:/vol rw\n"
        "broken line\n",
    )
    found = mounts(str(tmp_path))
    assert [(mount.path, mount.type, mount.source, mount.root) for mount in found] == [
        ("/", "ext4", "/dev/vda1", "/"),
        ("/srv/a b", "nfs4", "nas:/xen", "/vm"),
        ("/mnt", "fuse.curlftpfs", "", "/"),
        ("/vol", "fuse.glusterfs", "nas:/vol", "/"),
    ]
    assert [(mount.number, mount.cached) for mount in found[:2]] == [("254:1", True), ("0:44", False)]
    assert [mount.read_only for mount in found] == [False, False, False, True]


def test_a_host_where_nothing_can_be_seen(tmp_path: pathlib.Path) -> None:
    """Has empty lists, and is no failure."""
    assert equipment({}, str(tmp_path)) == Equipment(processor=Processor(None, (), None), boot=())


def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what domains boot from nothing is told then; an empty folder is told as such."""
    (tmp_path / "boot").mkdir()
    put(tmp_path, "usr/bin/pygrub")
    assert equipment({}, str(tmp_path)).boot == ("/usr/bin/pygrub",)
    listed = os.listdir

    def refused(path: str) -> list[str]:
        if path == str(tmp_path / "boot"):
            raise PermissionError(path)
        return listed(path)

    monkeypatch.setattr(os, "listdir", refused)
    assert equipment({}, str(tmp_path)).boot is None


def test_programs_users_and_the_processor(tmp_path: pathlib.Path) -> None:
    """Wherever a distribution has put them; xl cannot start a script that is no program."""
    for path in ("usr/libexec/xen-qemu-system-i386", "usr/share/ovmf/OVMF.fd", "etc/xen/scripts/vif-bridge"):
        put(tmp_path, path)
    put(tmp_path, "etc/xen/scripts/block")
    (tmp_path / "etc/xen/scripts/vif-bridge").chmod(0o755)
    for path in ("boot/vmlinuz-6.1", "boot/grub/grub.cfg", "usr/lib/xen-4.17/bin/pygrub", "usr/lib/xen-4.17/bin/xl"):
        put(tmp_path, path)
    put(tmp_path, "etc/passwd", "root:x:0:0::/root:/bin/sh\nxen-qemuuser-shared:x:900:900::/:/bin/false\n+\n")
    put(tmp_path, "proc/cpuinfo", "processor\t: 0\nvendor_id\t: AuthenticAMD\n\nprocessor\t: 1\nvendor_id\t: other\n")
    found = equipment({"hw_caps": "078bfbfd:80802001", "cpu_mhz": "2599.998"}, str(tmp_path))
    assert found.emulators == ("/usr/libexec/xen-qemu-system-i386",)
    assert (found.firmware, found.scripts) == (("/usr/share/ovmf/OVMF.fd",), ("vif-bridge",))
    assert found.users == ("root", "xen-qemuuser-shared")
    assert found.boot == ("/boot/grub", "/boot/vmlinuz-6.1", "/usr/lib/xen-4.17/bin/pygrub")
    assert found.processor == Processor("AuthenticAMD", ("078bfbfd", "80802001"), 2599.998)
    assert Equipment.from_result(found.to_result()) == found


def test_the_version_of_qemu_stands_in_the_program(tmp_path: pathlib.Path) -> None:
    """So it need not be started; what tells none, such as a script that starts the right one, has none."""
    text = "\0" * 5000 + "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright"
    put(tmp_path, "usr/libexec/xen-qemu-system-i386", text)
    put(tmp_path, "usr/bin/qemu-system-x86_64", "#!/bin/sh\n")
    put(tmp_path, "usr/bin/qemu-system-xen", "")
    put(tmp_path, "usr/lib/xen/bin/qemu-system-x86_64", "QEMU emulator version %s")
    (tmp_path / "usr/bin/qemu-system-i386").symlink_to("../libexec/xen-qemu-system-i386")
    found = equipment({}, str(tmp_path))
    assert len(found.emulators) == 5
    assert found.emulator_versions == {
        "/usr/bin/qemu-system-i386": "7.2.22",
        "/usr/libexec/xen-qemu-system-i386": "7.2.22",
    }


@pytest.mark.parametrize("folder", ["run/xen", "var/run/xen"])
def test_numbers_of_domains_that_were_just_destroyed(tmp_path: pathlib.Path, folder: str) -> None:
    """As libxl has them on file, and of a file that is none of libxl's no more than its end."""
    now = int(time.monotonic())
    lines = f"{now - 3600} 5\n{now} 7\n{now - 10} 4\nnonsense\n{now} 4\n{now + 99} 8\n{now} 0\n{now} 65535\n{now} -1\n"
    put(tmp_path, f"{folder}/domid-history", lines)
    assert recent_domids(str(tmp_path)) == (4, 7)
    put(tmp_path, f"{folder}/domid-history", f"{now} 1\n" * 20000 + f"{now} 2\n")
    assert 2 in recent_domids(str(tmp_path))


def test_how_long_a_number_is_recent() -> None:
    """For a minute, the last second of it too."""
    history = b"100 1\n101 2\n161 3\n162 4"
    assert too_recent(history, 161) == (2, 3)


def test_a_host_with_more_tells_as_many_as_the_checks_count(tmp_path: pathlib.Path) -> None:
    """By that number they know that a list is not the whole of it."""
    put(tmp_path, "etc/passwd", "".join(f"user{n}:x:{n}:{n}::/:/bin/false\n" for n in range(USERS_MAX + 1)))
    for number in range(DISKS_MAX + 1):
        block(tmp_path, f"sd{number}", f"8:{number}")
    found = equipment({}, str(tmp_path))
    assert (len(found.users), len(found.disks)) == (USERS_MAX, DISKS_MAX)
