# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's command line for one Xen host, and whether the processor can help."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

QEMU = "qemu-system-x86_64"
# Without +npt Xen reports no hap and refuses PVH guests; the rest gives dom0 AES instructions.
TCG_CPU = "qemu64,+svm,+npt,+aes,+pclmulqdq,+ssse3,+sse4.1,+sse4.2,+movbe,+popcnt"
# Room for all that dom0 runs in a migration: when it is full QEMU translates everything anew, which takes seconds.
TRANSLATION_MIB = 1024
SNAPSHOT = "warm"
# A folder of this machine that hosts can mount: mount -t 9p -o trans=virtio,version=9p2000.L lab FOLDER.
SHARE = "share"
SHARE_TAG = "lab"


_SHARED = (
    "-fsdev", f"local,id={SHARE},path={SHARE},security_model=none",
    "-device", f"virtio-9p-pci,fsdev={SHARE},mount_tag={SHARE_TAG}",
)  # fmt: skip


@dataclass(frozen=True)
class HostSpec:
    """One host: its number gives its name, its address on the lab's network, and its cards' addresses."""

    number: int
    release: str
    image: Path
    memory_mib: int = 2048
    dom0_mib: int = 1024

    @property
    def name(self) -> str:
        return f"xen{self.number}"

    @property
    def address(self) -> str:
        return f"10.77.0.{self.number}"


def usable_kvm(cpuinfo: str, kvm: Path = Path("/dev/kvm")) -> bool:
    """Whether KVM can run Xen: a /dev/kvm without VT-x or SVM exists, too, and stops at Xen's first steps."""
    flags = {word for line in cpuinfo.splitlines() if line.startswith("flags") for word in line.split()}
    return bool(flags & {"vmx", "svm"}) and os.access(kvm, os.R_OK | os.W_OK)


def machine_kvm() -> bool:
    return usable_kvm(Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace"))


def version() -> str:
    """First line of QEMU's version: a snapshot is loaded only by the QEMU that made it."""
    return subprocess.run([QEMU, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]


def accelerator(kvm: bool) -> list[str]:
    if kvm:
        return ["-accel", "kvm", "-cpu", "host"]
    return ["-accel", f"tcg,tb-size={TRANSLATION_MIB}", "-cpu", TCG_CPU]


def command(host: HostSpec, *, kvm: bool, ssh_port: int, guest_disk: Path, share: bool = False) -> list[str]:
    """The line for ``host``; its own files (disk, sockets, serial log) are relative to the lab's state folder.

    ``share``: it can mount the folder :data:`SHARE` of that.
    """
    name, number = host.name, host.number
    dom0 = f"dom0_mem={host.dom0_mib}M,max:{host.dom0_mib}M dom0_max_vcpus=1"
    xen = f"{dom0} console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all"
    linux = (
        "root=/dev/vda rw console=hvc0 quiet systemd.show_status=false net.ifnames=0 "
        f"lab.id={number} systemd.hostname={name} systemd.machine_id={number:032x}"
    )
    return [
        QEMU, "-name", name, "-nodefaults", "-display", "none", "-no-reboot", "-machine", "pc",
        *accelerator(kvm),
        "-m", str(host.memory_mib), "-smp", "1",
        "-kernel", str(host.image / "xen"),
        "-initrd", f"{host.image / 'vmlinuz'} {linux},{host.image / 'initrd.img'}",
        "-append", xen,
        "-drive", f"file={name}.qcow2,if=virtio,format=qcow2,cache=unsafe",
        "-drive", f"file={guest_disk},if=virtio,format=raw,readonly=on",
        "-netdev", f"user,id=n0,hostfwd=tcp:127.0.0.1:{ssh_port}-:22",
        "-device", "virtio-net-pci,netdev=n0,romfile=",
        "-netdev", f"stream,id=n1,server=off,addr.type=unix,addr.path={name}.port",
        "-device", f"virtio-net-pci,netdev=n1,mac=52:54:00:77:00:{number:02x},romfile=",
        "-serial", f"file:{name}.serial",
        "-qmp", f"unix:{name}.qmp,server=on,wait=off",
        *(_SHARED if share else ()),
    ]  # fmt: skip
