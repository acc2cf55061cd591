# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a domain has as disks are here before ``xl`` gets the domain (private to the collection).

The check looks at no file: facts tell on which file system one is. One that is only read, such as the image in a CD
drive, may be a copy of the host's own, and of some file systems it is not known whether two hosts share them. ``xl``
looks for it when all memory was copied and the guest stands still (tools/libs/light/libxl_device.c
libxl__device_disk_set_backend).
"""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._mapping import of_entries

# No domain has more drives; whoever sends more is not looked at without end.
MOST = 256


class DiskFileMissing(Dom0XenError):
    """The destination does not have a file that the domain has as a disk. Details: ``paths``."""

    code = "disk_file_missing"
    remedy = (
        "Mount there what it is on. One that the domain only reads may be a copy under that name, or be taken out of"
        " the drive on the source (xl cd-eject). Then run the migration again."
    )


def require_files(config: bytes, mapped: t.Sequence[t.Mapping[str, str]]) -> None:
    """See that the files are here; ``config`` is that in front of the stream, ``mapped`` the names that differ here.

    Raises DiskFileMissing.
    """
    disks = json.loads(config.decode("utf-8")).get("disks")
    names = of_entries(mapped).disks
    wanted = [path for disk in (disks if isinstance(disks, list) else ())[:MOST] for path in _file(disk)]
    missing = [called for called in dict.fromkeys(names.get(path, path) for path in wanted) if not _is_there(called)]
    if missing:
        text = f"the destination does not have what the domain has as a disk: {', '.join(missing)}"
        raise DiskFileMissing(text, paths=missing)


def _file(disk: t.Any) -> t.Iterator[str]:
    """Yield the path of a file that dom0 itself opens."""
    if not isinstance(disk, dict) or disk.get("format") == "empty":
        return
    path = disk.get("pdev_path")
    served = any(disk.get(key) for key in ("backend_domid", "backend_domname", "script"))
    # What is below /dev the check knows, and what is no path QEMU opens by itself.
    if isinstance(path, str) and path.startswith("/") and not path.startswith("/dev/") and not served:
        yield path


def _is_there(path: str) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:
        return False
