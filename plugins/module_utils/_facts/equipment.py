# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at what this host has that a domain may need (private to the collection). Runs no process.

Every function takes the folder that stands for ``/``, so that tests can hand in one of their own.
"""

from __future__ import annotations

import glob
import mmap
import os
import re
import time
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.cpu_policy import Policy
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import (
    BOOT_MAX,
    BOOT_PLACES,
    DISKS_MAX,
    DOMID_KEPT_S,
    FILESYSTEM,
    USERS_MAX,
    Disk,
    Equipment,
    Mount,
    Processor,
)

# A host with more has none of them told: what hides a file system would be missing.
MOUNTS_MAX = 1024
EMULATORS_MAX = 8

# Kernel names of what is no disk that another host could have: memory, loops, drives for media.
_NO_DISKS = re.compile(r"\A(?:loop|ram|zram|sr|fd|mtdblock)\d")
# What emulated disks say when nobody gave them a serial number: the same on every machine.
_NOT_UNIQUE = re.compile(r"\A[0 -]*\Z|QEMU_(?:QEMU_)?(?:HARDDISK|DVD)|\AVMware_Virtual_|\AVirtual_Disk")
_MULTIPATH = re.compile(r"\A(?:part(?P<part>\d+)-)?mpath-(?P<serial>.+)\Z")
_PSEUDO = frozenset(
    {
        *("autofs", "bpf", "binfmt_misc", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "efivarfs", "fusectl"),
        *("hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tracefs"),
        "xenfs",
    }
)
# nfs(5), mount.cifs(8): nothing of a file is trusted without asking the server.
_UNCACHED = frozenset({"noac", "cache=none"})
_ESCAPED = re.compile(r"\\([0-7]{3})")

# What is no program there cannot be started by xl (tools/libs/light/libxl_exec.c libxl__exec).
_SCRIPTS = "etc/xen/scripts"
# Where distributions put the device model, and what it boots a guest with (configure.ac of Xen and packages).
_EMULATORS = (
    *("usr/lib*/xen*/bin/qemu-system-*", "usr/local/lib*/xen*/bin/qemu-system-*", "usr/lib*/xen*/libexec/qemu-*"),
    *("usr/libexec/xen*qemu-system-*", "usr/libexec/xen*/bin/qemu-system-*", "usr/local/libexec/xen*/bin/qemu-*"),
    *("usr/bin/qemu-system-i386", "usr/bin/qemu-system-x86_64", "usr/bin/qemu-system-xen"),
)
_FIRMWARE = (
    *("usr/lib*/xen*/boot/*", "usr/local/lib*/xen*/boot/*", "usr/libexec/xen*/boot/*", "usr/share/xen*/*.fd"),
    *("usr/share/seabios/*.bin", "usr/share/ovmf/*.fd", "usr/share/OVMF/*.fd", "usr/share/edk2/*/*.fd"),
    *("usr/share/qemu/bios*.bin", "usr/share/qemu/ovmf*.bin", "usr/share/edk2-ovmf/*.fd", "usr/share/qemu-xen/*.bin"),
)
# What QEMU prints for --version stands in the program as one text (QEMU, system/vl.c version()).
_QEMU = b"QEMU emulator version "
_VERSION = re.compile(rb"\d+(?:\.\d+)+")
# XEN_RUN_DIR as distributions have it. libxl drops what is old whenever it writes: a longer file is none of its own.
_HISTORIES = ("run/xen/domid-history", "var/run/xen/domid-history")
_HISTORY_MAX = 64 * 1024
_FIRST_RESERVED_DOMID = 0x7FF0


def equipment(info: t.Mapping[str, str], root: str = "/", policies: t.Mapping[str, Policy] | None = None) -> Equipment:
    """Return what this host has; ``info`` are the fields of ``xl info``, empty without Xen.

    ``policies`` are those of :class:`Processor`, by field.
    """
    emulators = _found(root, _EMULATORS)
    return Equipment(
        disks=disks(root),
        mounts=mounts(root),
        scripts=tuple(
            name for name in _names(root, _SCRIPTS) if os.access(os.path.join(root, _SCRIPTS, name), os.X_OK)
        ),
        emulators=emulators,
        firmware=_found(root, _FIRMWARE),
        users=_users(root),
        processor=_processor(info, root, policies or {}),
        recent_domids=recent_domids(root),
        boot=_boot(root),
        emulator_versions=dict(_versions(root, emulators)),
        read_only=read_only(root),
    )


def disks(root: str = "/") -> tuple[Disk, ...]:
    """Return the block devices with a size, as the kernel and udev know them."""
    folder = os.path.join(root, "sys/class/block")
    found = (_disk(root, folder, name) for name in _names(root, "sys/class/block") if not _NO_DISKS.match(name))
    return tuple(disk for disk in found if disk is not None)[:DISKS_MAX]


def read_only(root: str = "/") -> tuple[str, ...]:
    """Return the MAJOR:MINOR of block devices that nobody can write to, such as DRBD as Secondary (drbd_set_role)."""
    folder = os.path.join(root, "sys/class/block")
    devices = [os.path.join(folder, name) for name in _names(root, "sys/class/block") if not _NO_DISKS.match(name)]
    return tuple(_line(device, "dev") for device in devices if _line(device, "ro") == "1")[:DISKS_MAX]


def _disk(root: str, folder: str, name: str) -> Disk | None:
    device = os.path.join(folder, name)
    number, size = _line(device, "dev"), _line(device, "size")
    if not number or not size.isdigit() or size == "0":
        return None
    links, values = _udev(root, number)
    names = [f"/dev/{name.replace('!', '/')}", *links, *_mapper(_line(device, "dm/name"), _line(device, "dm/uuid"))]
    part = _line(device, "partition")
    # The kernel counts in sectors of 512 bytes whatever the device's are (Documentation/ABI/stable/sysfs-block).
    return Disk(number, tuple(dict.fromkeys(names)), int(size) * 512, _ids(device, values, part))


def _ids(device: str, values: t.Mapping[str, str], part: str) -> dict[str, str]:
    mapped = values.get("DM_UUID") or _line(device, "dm/uuid")
    multipath = _MULTIPATH.match(mapped)
    whole = os.path.dirname(os.path.realpath(device)) if part else device
    wwn = values.get("ID_WWN_WITH_EXTENSION") or values.get("ID_WWN") or _wwid(whole)
    serial = values.get("ID_SERIAL") or _line(whole, "serial")
    if multipath:
        # multipathd names a device after what udev calls ID_SERIAL of each of its paths.
        wwn, serial, part = "", multipath.group("serial"), multipath.group("part") or ""
    found = {
        "lvm": mapped if mapped.startswith("LVM-") else "",
        "wwn": f"{wwn}#{part}" if wwn and part else wwn,
        "serial": f"{serial}#{part}" if serial and part else serial,
        FILESYSTEM: values.get("ID_FS_UUID", ""),
    }
    return {kind: value for kind, value in found.items() if value and not _NOT_UNIQUE.search(value)}


def _wwid(device: str) -> str:
    """Return what the kernel knows, as udev would write it; empty for what is not unique in the world."""
    text = _line(device, "wwid") or _line(device, "device/wwid")
    return f"0x{text[4:]}" if text.startswith("naa.") else text if text.startswith("eui.") else ""


def _mapper(name: str, uuid: str) -> t.Iterator[str]:
    """Yield the names that udev gives a mapped device, for a host where it keeps no records."""
    if name:
        yield f"/dev/mapper/{name}"
        # lvm2 joins group and volume by a hyphen and doubles those within (dm_build_dm_name).
        pieces = [piece.replace("\0", "-") for piece in name.replace("--", "\0").split("-")]
        if uuid.startswith("LVM-") and len(pieces) == 2:
            yield "/dev/" + "/".join(pieces)


def _udev(root: str, number: str) -> tuple[list[str], dict[str, str]]:
    """Return links and properties that udev has on record (systemd, src/libsystemd/sd-device/device-private.c)."""
    links, values = [], {}
    for line in _text(os.path.join(root, "run/udev/data", f"b{number}")).splitlines():
        if line.startswith("S:"):
            links.append(f"/dev/{line[2:]}")
        elif line.startswith("E:"):
            key, equals, value = line[2:].partition("=")
            values[key] = value
    return links, values


def mounts(root: str = "/") -> tuple[Mount, ...]:
    """Return the file systems that files can be on (proc(5), /proc/PID/mountinfo), in the order of mounting."""
    found = []
    for line in _text(os.path.join(root, "proc/self/mountinfo")).splitlines():
        before, separator, after = line.partition(" - ")
        place, kind = before.split(" "), after.split(" ")
        if not separator or len(place) < 6 or len(kind) < 3 or kind[0] in _PSEUDO:
            continue
        options = {*place[5].split(","), *kind[2].split(",")}
        found.append(
            Mount(
                path=_plain(place[4]),
                type=kind[0],
                source=_source(kind[0], _plain(kind[1])),
                root=_plain(place[3]),
                number=place[2],
                cached=not options & _UNCACHED,
                read_only="ro" in options,
            )
        )
    return tuple(found) if len(found) <= MOUNTS_MAX else ()


def _source(kind: str, text: str) -> str:
    """Leave out what programs of users call their sources: these may hold passwords, and say nothing to others."""
    ours = kind.startswith("fuse") and kind != "fuse.glusterfs"
    return "" if ours or "://" in text else text


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)


def _processor(info: t.Mapping[str, str], root: str, policies: t.Mapping[str, Policy]) -> Processor:
    # The kernel writes one paragraph for each processor.
    first = _text(os.path.join(root, "proc/cpuinfo"), 16384).partition("\n\n")[0]
    lines = (line.partition(":") for line in first.splitlines())
    vendor = next((value.strip() for key, dummy, value in lines if key.strip() == "vendor_id"), None)
    try:
        mhz: float | None = float(info.get("cpu_mhz", ""))
    except ValueError:
        mhz = None
    features = tuple(word for word in info.get("hw_caps", "").split(":") if word)
    return Processor(vendor=vendor, features=features, mhz=mhz, **policies)


def _users(root: str) -> tuple[str, ...]:
    """Return the users of this host itself; a directory service is not asked."""
    lines = _text(os.path.join(root, "etc/passwd")).splitlines()
    return tuple(line.partition(":")[0] for line in lines if ":" in line)[:USERS_MAX]


def _found(root: str, patterns: t.Iterable[str]) -> tuple[str, ...]:
    paths = {path for pattern in patterns for path in glob.glob(os.path.join(glob.escape(root), pattern))}
    return tuple(sorted(os.path.join("/", os.path.relpath(path, root)) for path in paths))


def _boot(root: str) -> tuple[str, ...] | None:
    """Return what is in BOOT_PLACES, None when one of the folders that are there cannot be listed: glob hides that."""
    try:
        for pattern in {os.path.dirname(place) for place in BOOT_PLACES}:
            for folder in glob.glob(os.path.join(glob.escape(root), pattern)):
                if os.path.isdir(folder):
                    os.listdir(folder)
    except OSError:
        return None
    return _found(root, BOOT_PLACES)[:BOOT_MAX]


def _versions(root: str, paths: t.Iterable[str]) -> t.Iterator[tuple[str, str]]:
    """Yield the version of each QEMU, which is not started for it; not of a script that starts one."""
    known: dict[str, str] = {}
    for path in list(paths)[:EMULATORS_MAX]:
        real = os.path.realpath(os.path.join(root, path.lstrip("/")))
        if real not in known:
            known[real] = _version(real)
        if known[real]:
            yield path, known[real]


def _version(path: str) -> str:
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            at = content.find(_QEMU) + len(_QEMU)
            found = _VERSION.match(content[at : at + 32]) if at >= len(_QEMU) else None
    except (OSError, ValueError):  # an empty file cannot be mapped
        return ""
    return found[0].decode() if found else ""


def _names(root: str, folder: str) -> tuple[str, ...]:
    try:
        return tuple(sorted(os.listdir(os.path.join(root, folder))))
    except OSError:
        return ()


def _line(folder: str, name: str) -> str:
    return _text(os.path.join(folder, name), 4096).strip()


def _text(path: str, most: int = 1024 * 1024) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(most)
    except OSError:
        return ""


def recent_domids(root: str = "/") -> tuple[int, ...]:
    """Return the numbers that libxl gives to no domain, as it has just destroyed one (libxl__mark_domid_recent)."""
    for path in _HISTORIES:
        try:
            with open(os.path.join(root, path), "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _HISTORY_MAX))
                return too_recent(file.read(_HISTORY_MAX), int(time.monotonic()))
        except OSError:
            continue
    return ()


def too_recent(history: bytes, now: int) -> tuple[int, ...]:
    """Return the numbers in libxl's history that are too recent; ``now`` in seconds of the monotonic clock (pure)."""
    found = set()
    for line in history.splitlines():
        words = line.split()
        if len(words) == 2 and all(word.isdigit() for word in words):
            at, domid = map(int, words)
            if 0 < domid < _FIRST_RESERVED_DOMID and 0 <= now - at <= DOMID_KEPT_S:
                found.add(domid)
    return tuple(sorted(found))
