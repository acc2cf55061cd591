# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has the destination the domain's disks, the very same ones, and whole? (pure; private to the collection)"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import same_disk
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, is_true, listed
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import Equipment, Mount

Disk = t.Mapping[str, t.Any]


def _disks(case: Case) -> list[Disk]:
    if case.domain is None or case.domain.domid == 0:
        return []
    return [disk for disk in case.config.get("disks") or () if disk.get("pdev_path") and disk.get("format") != "empty"]


def handed_over(case: Case) -> t.Iterator[Finding]:
    """No disk is kept in a way in which a domain that runs cannot have it opened by the other host.

    QEMU serves qdisk to PV and PVH guests without ever being told to flush and let go (only HVM guests' QEMU is, by
    tools/libs/light/libxl_dom_save.c), so what it keeps of a disk's structure would be written over the new owner's.
    A raw file is served through a loop device, whatever the guest (libxl_linux.c libxl__try_phy_backend). Without
    direct-io-safe QEMU opens a device as a file, and so through the cache of its host (QEMU, hw/block/xen-block.c).
    What a script makes is a block device (tools/hotplug/Linux/block-common.sh), and two domains of one host share its
    cache.
    """
    if case.domain is None:
        return
    host, name, cached = case.source_name, case.domain.name, []
    for disk in _disks(case):
        path, backend, image = str(disk["pdev_path"]), disk.get("backend"), disk.get("format")
        mount = _mount(case, path)
        device = case.domain.links.get(path, path).startswith("/dev/")
        made_by_script = backend != "qdisk" and bool(disk.get("script"))
        if backend == "qdisk" and case.domain.type == "hvm":
            continue
        if backend == "qdisk" and image not in ("raw", None):
            yield case.error(
                "disk_not_raw",
                host,
                f"disk {disk.get('vdev', path)} of {name} is an image of format {image} served by QEMU, which"
                f" {case.domain.type.upper() if case.domain.type else 'such'} domains cannot hand over safely.",
                f"Shut the domain down and start it on {case.request.destination} (migrate_method: cold), or turn the"
                " image into a raw one.",
                path=path,
                format=image,
            )
        elif is_true(disk.get("direct_io_safe")) if backend == "qdisk" else device:
            continue
        elif disk.get("readwrite") and not case.same_host and device:
            yield case.error(
                "disk_cache_stale",
                host,
                f"disk {path} of {name} is a block device that QEMU serves through the cache of {host}, and"
                f" {case.request.destination} has one of its own: it may go on with what it read before {name} wrote it"
                " last.",
                "Let QEMU go around it (direct-io-safe), or do without QEMU (backendtype=phy), or shut the domain down"
                f" and start it on {case.request.destination} (migrate_method: cold).",
                path=path,
            )
        elif disk.get("readwrite") and same_disk.stale(mount) and mount is not None and not case.same_host:
            yield case.error(
                "disk_cache_stale",
                host,
                f"disk {path} of {name} is a file on {mount.type}, of which each host keeps parts in its own cache:"
                f" {case.request.destination} may go on with what it read before {name} wrote it last.",
                "Mount it without that cache on both hosts (nfs: noac; cifs: cache=none), let QEMU go around it"
                " (backendtype=qdisk,direct-io-safe), or shut the domain down and start it on"
                f" {case.request.destination} (migrate_method: cold).",
                path=path,
                type=mount.type,
                mount=mount.path,
            )
        elif not (case.same_host or made_by_script or same_disk.coherent(mount)):
            cached.append(path)
    if cached:
        yield case.warning(
            "disk_cached",
            host,
            f"disks of {name} go through the cache of the host: {listed(cached)}.",
            "Move the domain only if both hosts see these files through a cluster file system that keeps caches"
            " coherent. Block devices do not have the question.",
            paths=cached,
        )


def _mount(case: Case, path: str) -> Mount | None:
    if case.source is None or case.domain is None or not path.startswith("/") or path.startswith("/dev/"):
        return None
    return same_disk.mount_of(case.domain.links.get(path, path), case.source.equipment.mounts)


def disks(case: Case) -> t.Iterator[Finding]:
    """The destination has the same disks under the same paths, as far as facts can tell."""
    if case.domain is None or case.same_host:
        return
    here = case.source.equipment if case.source else Equipment()
    there = case.destination.equipment if case.destination else Equipment()
    unchecked = []
    for disk in _disks(case):
        path = str(disk["pdev_path"])
        called = case.request.names.disks.get(path, path)
        found = _compared(case, disk, path, here, there)
        if found.word == same_disk.UNKNOWN and called != path and disk.get("readwrite"):
            yield _unproven(case, path, called)
        elif found.word == same_disk.UNKNOWN or (found.word == same_disk.NOT_SHARED and not disk.get("readwrite")):
            unchecked.append(called)
        elif found.word != same_disk.SAME:
            yield _told(case, path, found)
    if unchecked:
        host = case.request.destination
        yield case.warning(
            "disk_unchecked",
            host,
            f"whether {host} has the same disks under the same names cannot be seen: {listed(unchecked)}.",
            "Memory is moved, disks are not: they must be on storage that both hosts share.",
            paths=unchecked,
        )


def writable(case: Case) -> t.Iterator[Finding]:
    """Nothing that the domain writes to can only be read at the destination.

    What backs such a disk there does not open it for writing (Linux, drivers/scsi/sd.c sd_open; drbd_open).
    """
    there = case.equipment_there
    if case.domain is None or there is None:
        return
    host, name = case.request.destination, case.domain.name
    for disk in _disks(case):
        path = str(disk["pdev_path"])
        called = case.request.names.disks.get(path, path)
        what = _read_only(case, disk, path, called, there)
        if what:
            yield case.error(
                "disk_read_only",
                host,
                f"{name} writes to its disk {path}, and {host} has {what}, which can only be read there.",
                f"See why on {host} (`lsblk -o NAME,RO`, `mount`, how the LUN is given to it). DRBD: `drbdadm primary"
                " RESOURCE` there, with two primaries allowed. If migrate_before_tasks do so, waive disk_read_only.",
                path=path,
                called=called,
                found=what,
            )


def _read_only(case: Case, disk: Disk, path: str, called: str, there: Equipment) -> str:
    """Return what cannot be written to there, empty where nothing is known to be so."""
    if not disk.get("readwrite") or _elsewhere(disk) or not called.startswith("/") or case.domain is None:
        return ""
    if called.startswith("/dev/"):
        return called if any(called in has.names and has.number in there.read_only for has in there.disks) else ""
    real = case.domain.links.get(path, path) if called == path else called
    # Where a link on the source leads to a device nobody knows what is there.
    mount = None if real.startswith("/dev/") else same_disk.mount_of(real, there.mounts)
    return f"{real} on a file system ({mount.type} at {mount.path})" if mount is not None and mount.read_only else ""


def _elsewhere(disk: Disk) -> bool:
    """Whether it is not dom0 that opens it. A script makes a disk of whatever its author likes to see as a path."""
    return bool(disk.get("backend_domid") or disk.get("backend_domname") or disk.get("script"))


def _unproven(case: Case, path: str, called: str) -> Finding:
    host, source, name = case.request.destination, case.source_name, case.domain.name if case.domain else ""
    return case.error(
        "disk_unproven",
        host,
        f"{called} is to be the disk {path} of {source} on {host}, and nothing that both hosts see of it says so: no"
        f" identity that both know, nor a file system that both have there. {name} would write over another disk.",
        "Name one that has an identity, such as by /dev/disk/by-id. Or see for yourself that it is the same one (`lsblk"
        " -o NAME,SIZE,WWN,SERIAL` on both hosts), and waive disk_unproven.",
        path=path,
        called=called,
    )


def _compared(case: Case, disk: Disk, path: str, here: Equipment, there: Equipment) -> same_disk.Verdict:
    if case.domain is None or _elsewhere(disk) or not path.startswith("/"):
        return same_disk.Verdict(same_disk.UNKNOWN)
    called = case.request.names.disks.get(path, "")
    real = path if path.startswith("/dev/") else case.domain.links.get(path, path)
    if called and real.startswith("/dev/") != called.startswith("/dev/"):
        return same_disk.Verdict(same_disk.UNKNOWN)
    if not real.startswith("/dev/"):
        return same_disk.file(real, here, there, called)
    return (
        same_disk.device(real, here, there, called) if called or real == path else same_disk.linked(real, here, there)
    )


def _told(case: Case, path: str, found: same_disk.Verdict) -> Finding:
    host, source, name = case.request.destination, case.source_name, case.domain.name if case.domain else ""
    called = case.request.names.disks.get(path, path)
    path = path if called == path else f"{called} (on {source} {path})"
    values = {"path": path, "compared": found.kind, "source": found.here, "destination": found.there}
    if found.word == same_disk.MISSING:
        return case.error(
            "disk_missing",
            host,
            f"{host} has no disk {path}, which {name} has on {source}.",
            f"Bring it to {host} (activate the volume, scan for the LUN, log in to the target), or let"
            " migrate_before_tasks do so and waive disk_missing.",
            **values,
        )
    if found.word == same_disk.DIFFERENT:
        return case.error(
            "disk_differs",
            host,
            f"{path} is another disk on {host} than on {source}: its {found.kind} is {found.there}, not {found.here}."
            f" {name} would write over what is there.",
            f"Give the shared disk one name on both hosts, such as its name in /dev/disk/by-id, and let {name} use it.",
            **values,
        )
    if found.word == same_disk.RESIZED:
        return case.error(
            "disk_size_differs",
            host,
            f"{path} has {found.there} bytes on {host}, and {found.here} on {source}.",
            f"If it was resized, let {host} look again (echo 1 > /sys/block/NAME/device/rescan, multipathd resize map"
            " NAME, drbdadm resize RESOURCE). If not, it is another disk.",
            **values,
        )
    return case.error(
        "disk_not_shared",
        host,
        f"the two hosts do not share what {path} is on: {found.here} on {source}, {found.there} on {host}."
        f" {name} would go on with another file, or with none.",
        "Put the disk on storage that both hosts share. When they reach the same file over ways that facts do not"
        " show, waive disk_not_shared.",
        **values,
    )
