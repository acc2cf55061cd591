# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of machine a host of the double pretends to be."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing as t


@dataclasses.dataclass(frozen=True)
class Settings:
    """Facts of one host. Memory in MiB, times in seconds. Defaults are those of a small Debian 12 dom0."""

    xen_major: int = 4
    xen_minor: int = 17
    xen_extra: str = ".7"
    xen_caps: str = "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 "
    virt_caps: str = "pv hvm hap gnttab-v1 gnttab-v2"
    xen_commandline: str = "dom0_mem=1024M,max:1024M loglvl=all guest_loglvl=all dom0_max_vcpus=1"
    cpus: int = 1
    cpu_khz: int = 2599998
    hw_caps: str = "078bfbfd:80802001:2193fbff:00000005:00000000:00000000:00000000:00000100"
    #: The words of features that follow; ``xl info`` does not print them, ``xen-cpuid`` does.
    more_caps: str = "00000000:00000000:00000000:00000004"
    #: The maker as CPUID spells it, the highest leaves, and whether Xen can answer CPUID for PV guests (faulting).
    cpu_maker: str = "AuthenticAMD"
    cpuid_highest: int = 0xD
    cpuid_highest_extended: int = 0x80000021
    cpuid_faulting: bool = False
    #: Whether there is a program ``xen-cpuid``.
    xen_cpuid: bool = True
    memory_mib: int = 2047
    dom0_memory_mib: int = 1024
    dom0_minimum_mib: int = 512
    #: ``auto`` as in xl.conf: off when the hypervisor's command line says dom0_mem=.
    autoballoon: str = "auto"
    bridges: tuple[str, ...] = ("xenbr0",)
    bridge_mtu: int = 1500
    addresses: tuple[tuple[str, str], ...] = (("lo", "127.0.0.1/8"),)
    #: Logical volumes: GROUP/VOLUME, the UUID of both as LVM writes it, and MiB. Empty: this machine's disks.
    volumes: tuple[tuple[str, str, int], ...] = ()
    #: Whether nobody can write to them.
    volumes_read_only: bool = False
    #: The version of the QEMU in /usr/local/libexec/xen, where mount namespaces are to be had. Empty: there is none.
    qemu: str = ""
    #: How long libxl waits for the guest to acknowledge, and again for it to suspend (libxl_dom_suspend.c: 60 s).
    suspend_timeout_s: float = 60.0
    #: How long devices and hotplug scripts take at the destination.
    attach_s: float = 0.02
    #: How long a destroy takes.
    destroy_s: float = 0.01
    #: How long a destroyed domain stays as a zombie, because a backend holds on to its memory.
    zombie_s: float = 0.0
    #: How long a domain takes to be made before it can take pages.
    create_s: float = 0.0
    #: Bytes per second the save helper writes at most, 0 for as fast as the pipe takes them.
    save_rate: int = 0
    #: Description of a captured stream that takes the place of guests' memory: see stream/replay.py. Empty: none does.
    replay: str = ""
    #: Whether the host starts, when it boots, what xendomains would: see driver/xendomains.py.
    xendomains: bool = False

    @property
    def xen_version(self) -> str:
        """Version as ``xl info`` spells it."""
        return f"{self.xen_major}.{self.xen_minor}{self.xen_extra}"

    @property
    def xen(self) -> tuple[int, int]:
        """The release."""
        return self.xen_major, self.xen_minor

    @property
    def gives_domids(self) -> bool:
        """Whether libxl gives a domain the number that its configuration asks for, and none that was just in use."""
        return (self.xen_major, self.xen_minor) >= (4, 14)

    def resumes_anew(self, kind: str) -> bool:
        """Whether libxl resumes a guest as if it had been restored (libxl_dom_suspend.c libxl__domain_resume)."""
        return kind != "hvm" and self.xen in ((4, 13), (4, 14))

    def refuses_grants(self, info: dict[str, t.Any]) -> bool:
        """Whether a domain asks for more than Xen has as its own limits (xen/common/grant_table.c grant_table_init)."""
        options = (("max_frames", "max_grant_frames", 64), ("max_maptrack_frames", "max_maptrack_frames", 1024))
        words = dict(word.partition("=")[::2] for word in self.xen_commandline.split())
        asked = ((info.get(key, 0), int(words.get(f"gnttab_{name}", most))) for name, key, most in options)
        return (self.xen_major, self.xen_minor) < (4, 18) and any(wanted > most for wanted, most in asked)

    @property
    def shadow(self) -> bool:
        """Whether this Xen was built with shadow paging, without which PV guests cannot be migrated live."""
        return "shadow" in self.virt_caps.split()

    @property
    def balloons(self) -> bool:
        """Whether xl makes room by shrinking dom0 (tools/xl/xl.c auto_autoballoon)."""
        if self.autoballoon == "auto":
            return "dom0_mem=" not in self.xen_commandline
        return self.autoballoon in ("1", "on", "true", "yes")

    @classmethod
    def load(cls, path: pathlib.Path) -> t.Self:
        """Read settings; what the file does not name keeps its default."""
        values = json.loads(path.read_text()) if path.exists() else {}
        return cls.of(values)

    @classmethod
    def of(cls, values: dict[str, t.Any]) -> t.Self:
        """Build settings from plain values; TypeError for a name that does not exist."""
        values = dict(values)
        for name in ("bridges", "addresses", "volumes"):
            if name in values:
                values[name] = tuple(tuple(v) if isinstance(v, list) else v for v in values[name])
        return cls(**values)

    def save(self, path: pathlib.Path) -> None:
        """Write settings to a file."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")
