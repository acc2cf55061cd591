# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Are two paths, on two hosts, one disk? (pure; private to the collection)

Nothing is said to be one because it has one name. What tells: the identity of a block device (what LVM, the device or
the transport calls it), and for a file the file system that it is on, with its place in there.
"""

from __future__ import annotations

import dataclasses
import posixpath
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import (
    DISKS_MAX,
    FILESYSTEM,
    IDENTITIES,
    Disk,
    Equipment,
    Mount,
)

# What no second host can have mounted at the same time.
LOCAL = frozenset(
    {
        *("bcachefs", "btrfs", "devtmpfs", "ecryptfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "iso9660"),
        *("jfs", "msdos", "nilfs2", "ntfs", "ntfs3", "overlay", "ramfs", "reiserfs", "rootfs", "squashfs", "tmpfs"),
        *("udf", "vfat", "xfs", "zfs"),
    }
)
# On a block device that several hosts share (and keep their caches coherent by a lock manager).
_CLUSTER = frozenset({"gfs2", "ocfs2"})
# From a server or a cluster that the source of the mount names; of these the second kind keeps caches coherent, too.
_LOOSE = frozenset({"9p", "cifs", "nfs", "nfs4", "smb3"})
_STRICT = frozenset({"ceph", "gpfs", "lustre"})
_NETWORK = _LOOSE | _STRICT | {"fuse.glusterfs"}
_SAME_TYPE = {"nfs4": "nfs", "smb3": "cifs"}
_THIS_HOST = ("localhost", "127.", "[::1]", "//localhost", "//127.")

SAME, DIFFERENT, MISSING, NOT_SHARED, UNKNOWN = "same", "different", "missing", "not shared", "unknown"
RESIZED = "resized"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What is known, and what was compared: on the source, and on the destination."""

    word: str
    kind: str = ""
    here: t.Any = None
    there: t.Any = None


def device(path: str, here: Equipment, there: Equipment, called: str = "") -> Verdict:
    """Compare the block device that has this path on the source with what has it, or is ``called`` so, over there."""
    called = called or path
    mine = next((disk for disk in here.disks if path in disk.names), None)
    if mine is None or not there.disks:
        return Verdict(UNKNOWN)
    theirs = next((disk for disk in there.disks if called in disk.names), None)
    if theirs is None:
        # A host with that many has more than it has told.
        return Verdict(UNKNOWN) if len(there.disks) >= DISKS_MAX else Verdict(MISSING, "path", path, None)
    found = _identity(mine, theirs)
    if found.word != DIFFERENT and mine.size_bytes != theirs.size_bytes:
        return Verdict(RESIZED, "size", mine.size_bytes, theirs.size_bytes)
    return found


def linked(path: str, here: Equipment, there: Equipment) -> Verdict:
    """Say whether the destination has the device that a symbolic link on the source leads to.

    ``path`` is the kernel's name of it, which may be another disk's there; that the link is there is not known.
    """
    mine = next((disk for disk in here.disks if path in disk.names), None)
    same = [disk for disk in there.disks if mine is not None and _identity(mine, disk).word == SAME]
    return _identity(mine, same[0]) if mine is not None and same else Verdict(UNKNOWN)


def _identity(mine: Disk, theirs: Disk) -> Verdict:
    for kind in IDENTITIES:
        first, second = mine.ids.get(kind), theirs.ids.get(kind)
        if first and second:
            return Verdict(SAME if first.lower() == second.lower() else DIFFERENT, kind, first, second)
    return Verdict(UNKNOWN)


def file(path: str, here: Equipment, there: Equipment, called: str = "") -> Verdict:
    """Compare the file that has this path, without symbolic links, on the source with what has it on the destination.

    ``called``: the path that it has there, if that is another one. That the destination has no links on the way is
    taken for granted.
    """
    called = called or path
    mine, theirs = mount_of(path, here.mounts), mount_of(called, there.mounts)
    if mine is None or theirs is None:
        return Verdict(UNKNOWN)
    shown = _shown(mine), _shown(theirs)
    if mine.type in LOCAL or theirs.type in LOCAL:
        return Verdict(NOT_SHARED, FILESYSTEM, *shown)
    if _SAME_TYPE.get(mine.type, mine.type) != _SAME_TYPE.get(theirs.type, theirs.type):
        return Verdict(UNKNOWN, FILESYSTEM, *shown)
    within = _within(path, mine) == _within(called, theirs)
    if mine.type in _CLUSTER:
        found = _beneath(mine, here, theirs, there)
        if found.word == DIFFERENT:
            return Verdict(NOT_SHARED, found.kind, found.here, found.there)
        return Verdict(SAME if found.word == SAME and within else UNKNOWN, FILESYSTEM, *shown)
    one = mine.type in _NETWORK and mine.source == theirs.source and within
    if one and (mine.type not in _LOOSE or not mine.source.startswith(_THIS_HOST)):
        return Verdict(SAME, FILESYSTEM, *shown)
    return Verdict(UNKNOWN, FILESYSTEM, *shown)


def _beneath(mine: Mount, here: Equipment, theirs: Mount, there: Equipment) -> Verdict:
    disks = [
        next((disk for disk in side.disks if disk.number == mount.number), None)
        for side, mount in ((here, mine), (there, theirs))
    ]
    return _identity(disks[0], disks[1]) if disks[0] and disks[1] else Verdict(UNKNOWN)


def mount_of(path: str, mounts: t.Iterable[Mount]) -> Mount | None:
    """Return the mount that a file is on: the last that leads to it, since it hides what was there before."""
    found = None
    for mount in mounts:
        if path == mount.path or path.startswith(mount.path.rstrip("/") + "/"):
            found = mount
    return found


def _within(path: str, mount: Mount) -> str:
    return posixpath.normpath(posixpath.join(mount.root, posixpath.relpath(path, mount.path)))


def _shown(mount: Mount) -> str:
    return f"{mount.type} of {mount.source} at {mount.path}"


def stale(mount: Mount | None) -> bool:
    """Whether hosts that have this file system keep parts of files that another one may have changed since."""
    return mount is not None and mount.type in _LOOSE and mount.cached


def coherent(mount: Mount | None) -> bool:
    """Whether hosts that have this file system see each other's changes at once."""
    return mount is not None and (mount.type in _CLUSTER or mount.type in _STRICT)
