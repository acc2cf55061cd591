# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab asks of a machine, and tells Ansible and QEMU about itself."""

from __future__ import annotations

import json
import re
import typing as t

from dom0lab import inventory, needs, qemu, snapshot
from dom0lab.host import Host
from dom0lab.places import PROJECT_ROOT
from dom0lab.start import Settings

if t.TYPE_CHECKING:
    from pathlib import Path


def test_the_lab_stays_below_ten_gib() -> None:
    """A promise to whoever runs it on a small machine."""
    settings = Settings()
    assert needs.memory_needed_mib(len(settings.releases), settings.memory_mib) < 10 * 1024


def test_what_is_written_is_what_is_asked_for() -> None:
    """Whoever frees as much as the pages say is not turned away, and nobody is who has it."""
    settings = Settings()
    memory = -(-needs.memory_needed_mib(len(settings.releases), settings.memory_mib) // 1024)
    disk = -(-needs.DISK_MIB // 1024)
    pages = {page: (PROJECT_ROOT / page).read_text() for page in ("docs/docsite/rst/demo.rst", "CONTRIBUTING.md")}
    for page, text in pages.items():
        assert re.findall(r"([0-9]+) GiB of free memory", text) == [str(memory)], page
        assert re.findall(r"([0-9]+) GiB of (?:free )?disk", text) == [str(disk)], page


def test_available_memory_is_read() -> None:
    """Too little memory is told before QEMU is killed for it."""
    assert needs.available_mib("MemTotal:  8000000 kB\nMemAvailable:  2097152 kB\n") == 2048
    assert needs.available_mib("") == 0


def test_kvm_only_with_hardware_virtualisation(tmp_path: Path) -> None:
    """A /dev/kvm without VT-x or SVM cannot run Xen."""
    kvm = tmp_path / "kvm"
    kvm.touch()
    assert qemu.usable_kvm("flags\t\t: fpu svm sse\n", kvm)
    assert not qemu.usable_kvm("flags\t\t: fpu sse\nmodel name : vmx\n", kvm)
    assert not qemu.usable_kvm("flags\t\t: vmx\n", tmp_path / "none")


def test_emulated_processor_can_run_pvh_guests_and_aes(tmp_path: Path) -> None:
    """Without npt Xen refuses the guest; without aes every transport measures software ciphers."""
    spec = qemu.HostSpec(2, "bookworm", tmp_path)
    command = qemu.command(spec, kvm=False, ssh_port=2202, guest_disk=tmp_path / "lab.img")
    processor = command[command.index("-cpu") + 1].split(",")
    assert {"+svm", "+npt", "+aes"} <= set(processor)
    assert "mac=52:54:00:77:00:02" in " ".join(command)


def test_only_a_lab_that_shares_a_folder_opens_one_to_its_hosts(tmp_path: Path) -> None:
    """It is that of the lab's state, in which QEMU runs; the name of no place is part of a snapshot's."""
    spec = qemu.HostSpec(1, "bookworm", tmp_path)
    plain, shared = (
        " ".join(qemu.command(spec, kvm=False, ssh_port=2201, guest_disk=tmp_path / "lab.img", share=share))
        for share in (False, True)
    )
    assert "9p" not in plain and f"path={qemu.SHARE}," in shared and f"mount_tag={qemu.SHARE_TAG}" in shared


def test_a_processor_inside_a_guest_is_seen() -> None:
    """QEMU saves a processor inside a nested guest and never loads it again: such a lab would stay broken."""
    line = "RIP=ffff82d0402f9c06 RFL=00000206 HLT=1\nLDT=0000 0000 0000ffff\nGDT=     {} 0000efff\nIDT=  0 0\n"
    assert snapshot.outside_guest(line.format("ffff82d040461000"))
    assert snapshot.outside_guest(line.format("ffff820000000000"))
    assert not snapshot.outside_guest(line.format("fffffe0000001000"))
    assert not snapshot.outside_guest("")


def hosts(folder: Path) -> list[Host]:
    return [Host("xen1", "10.77.0.1", 2201, folder), Host("xen2", "10.77.0.2", 2202, folder)]


def test_inventory_has_what_ansible_needs(tmp_path: Path) -> None:
    """Pinned keys, a set interpreter, become only for the operators, its password only where one is asked."""
    keys = {name: tmp_path / name for name in ("xen1", "xen2")}
    passwords = {"xen1": "secret1", "xen2": "secret2"}
    made = {
        user: json.loads(inventory.inventory(hosts(tmp_path), keys, passwords, user))["all"]["children"]["dom0"][
            "hosts"
        ]
        for user in ("root", "operator", "operator-nopass")
    }
    root = made["root"]["xen2"]
    assert (root["ansible_port"], root["dom0_xen_address"]) == (2202, "10.77.0.2")
    assert root["ansible_python_interpreter"] == "/usr/bin/python3"
    assert f"UserKnownHostsFile={tmp_path / 'known_hosts'}" in root["ansible_ssh_common_args"]
    assert "StrictHostKeyChecking=yes" in root["ansible_ssh_common_args"]
    assert "ansible_become" not in root
    assert made["operator"]["xen2"]["ansible_become_password"] == "secret2"
    assert made["operator-nopass"]["xen1"]["ansible_become"] is True
    assert "ansible_become_password" not in made["operator-nopass"]["xen1"]


def test_known_hosts_pins_by_name(tmp_path: Path) -> None:
    """Ports change from lab to lab; the alias does not."""
    text = inventory.known_hosts(hosts(tmp_path), {"xen1": "ssh-ed25519 AAA", "xen2": "ssh-ed25519 BBB"})
    assert text == "xen1 ssh-ed25519 AAA\nxen2 ssh-ed25519 BBB\n"
