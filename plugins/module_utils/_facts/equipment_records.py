# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has that a domain may need there (private to the collection)."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy
from ansible_collections.dom0.xen.plugins.module_utils._record import Record

# What identifies a disk wherever it is seen, the surest first.
IDENTITIES = ("lvm", "wwn", "serial")
FILESYSTEM = "filesystem"
# For how many seconds libxl gives a number to no other domain (tools/libs/light/libxl_internal.h
# LIBXL_DOMID_REUSE_TIMEOUT), and the release of Xen that is the first to give a domain the number that is asked for.
DOMID_KEPT_S = 60
DOMID_ASKED_SINCE = (4, 14)
# Where distributions put what PV and PVH domains boot from: kernels, and the boot loaders that read a guest's disk.
BOOT_PLACES = (
    *(
        "boot/*",
        "usr/lib*/xen*/boot/*",
        "usr/local/lib*/xen*/boot/*",
        "usr/lib*/grub-xen*/*",
        "usr/share/grub2/*-xen/*",
    ),
    *("usr/lib*/xen*/bin/pygrub", "usr/local/lib*/xen*/bin/pygrub", "usr/bin/pygrub", "usr/local/bin/pygrub"),
)
# A host with more has its first ones told: what a list of so many lacks is not known, and is never taken for missing.
BOOT_MAX = 1024
DISKS_MAX = 2048
USERS_MAX = 512


@dataclasses.dataclass(frozen=True)
class Disk(Record):
    """A block device: its MAJOR:MINOR, its paths under /dev, and what it is identified by, by kind.

    ``lvm`` is the UUID of a volume group and a volume in it; ``wwn`` and ``serial`` are what the device says, followed
    by # and its number for a partition; ``filesystem`` is the UUID of what is on it, as it was when last looked at.
    """

    number: str
    names: tuple[str, ...]
    size_bytes: int
    ids: t.Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Mount(Record):
    """A file system in its place; ``root`` is the folder of it that is there, ``number`` its device's MAJOR:MINOR.

    ``cached`` is false where its options say that this host keeps nothing of its files, ``read_only`` is true where
    they say that nobody writes to one.
    """

    path: str
    type: str
    source: str
    root: str
    number: str
    cached: bool
    read_only: bool = False


@dataclasses.dataclass(frozen=True)
class Processor(Record):
    """The processor: ``features`` are the words of hw_caps in ``xl info``, hexadecimal; ``mhz`` its clock's rate.

    What Xen gives of it to a PV domain, and to any other (``hvm``): at most, and when nothing else is asked for. These
    are null where ``xen-cpuid`` does not tell.
    """

    RECORDS = {"pv_max": Policy, "hvm_max": Policy, "pv_default": Policy, "hvm_default": Policy}

    vendor: str | None
    features: tuple[str, ...]
    mhz: float | None
    pv_max: Policy | None = None
    hvm_max: Policy | None = None
    pv_default: Policy | None = None
    hvm_default: Policy | None = None

    def most(self, kind: str | None) -> Policy | None:
        """Return what Xen gives a domain of a type (pv, pvh or hvm) at most."""
        return self.pv_max if kind == "pv" else self.hvm_max

    def default(self, kind: str | None) -> Policy | None:
        """Return what Xen gives a domain of a type when nothing else is asked for."""
        return self.pv_default if kind == "pv" else self.hvm_default


@dataclasses.dataclass(frozen=True)
class Card(Record):
    """A network card of a domain that is on the host, by its address."""

    domid: int
    mac: str


@dataclasses.dataclass(frozen=True)
class Equipment(Record):
    """Disks and file systems, names of programs in /etc/xen/scripts, paths of programs and firmware, names of users.

    ``recent_domids`` are numbers that libxl gives to no domain, as one that had it was just destroyed. ``mtus`` has the
    longest frame of each bridge, ``cards`` are those of the domains, ``boot`` are the files in BOOT_PLACES, and
    ``emulator_versions`` has those of QEMU by their paths. ``ipv4`` are the interfaces with an IPv4 address of any
    kind, the loopback one too. ``read_only`` has the numbers of disks that nobody can write to. ``boot`` is null where
    nobody looked, or could; another list is empty then.
    """

    RECORDS = {"disks": Disk, "mounts": Mount, "processor": Processor, "cards": Card}

    disks: tuple[Disk, ...] = ()
    mounts: tuple[Mount, ...] = ()
    scripts: tuple[str, ...] = ()
    emulators: tuple[str, ...] = ()
    firmware: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    processor: Processor | None = None
    recent_domids: tuple[int, ...] = ()
    mtus: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    cards: tuple[Card, ...] = ()
    boot: tuple[str, ...] | None = None
    emulator_versions: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    ipv4: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class ConfigFile(Record):
    """A file that xl would make the domain from; ``name`` and ``uuid`` are null where it gives none.

    ``differs``: the respects in which it describes another domain than the one that runs
    (``_toolstack.config_file.differences``). Of a file that was named, or that differs, there is what xl makes of it,
    as a configuration of ``xl list -l`` with passwords masked, or null and why that is (``problem``), and the SHA-256
    of its content.
    """

    path: str
    name: str | None
    uuid: str | None
    differs: tuple[str, ...] = ()
    config: t.Mapping[str, t.Any] | None = None
    problem: str = ""
    digest: str = ""
