# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is what the domain boots from at the destination? (pure; private to the collection)

A domain that is moved does not boot (libxl_create.c initiate_domain_create runs no boot loader for one that is
restored), and so nobody misses its kernel before it reboots. QEMU of an HVM domain is given it all the same
(libxl_dm.c libxl__build_device_model_args_new), and ends when it is not there.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks import another
from ansible_collections.dom0.xen.plugins.module_utils._checks.method import chosen
from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, listed
from ansible_collections.dom0.xen.plugins.module_utils._facts.equipment_records import BOOT_MAX, BOOT_PLACES
from ansible_collections.dom0.xen.plugins.module_utils._methods import COLD

# Looked for among Xen's own programs when it is named without a path (libxl_bootloader.c bootloader_disk_attached_cb).
_PYGRUB = "pygrub"
_LOOKED_AT = re.compile("/(?:" + "|".join(re.escape(place).replace(r"\*", "[^/]*") for place in BOOT_PLACES) + ")")


def files(case: Case) -> t.Iterator[Finding]:
    """Its kernel, ramdisk and boot loader are there, as far as the places were looked at that they are usually in."""
    there, arriving = case.equipment_there, another.arrival(case)
    if there is None or arriving.domain is None:
        return
    seen = there.boot
    # Nobody looked, could look, or has told all of it: an empty list is one of places where nothing is.
    if seen is None or len(seen) >= BOOT_MAX:
        return
    wanted = [str(arriving.build.get(key) or "") for key in ("kernel", "ramdisk", "bootloader")]
    missing = [path for path in wanted if _absent(path, seen)]
    if not missing:
        return
    host, name = case.request.destination, arriving.domain.name
    what = "It goes on after the move, and does not come back from its next reboot."
    if chosen(case)[0] == COLD:
        what = "It cannot be started there without."
    elif arriving.domain.type == "hvm":
        what = "QEMU there does not start without, after all memory was copied; it stays where it is then."
    yield case.warning(
        "boot_file_unseen",
        host,
        f"{name} boots from {listed(missing)}, which was not found on {host}. {what}",
        f"Copy it from {case.source_name}, or let {name} boot what is on its own disk (pygrub, or a GRUB for Xen).",
        paths=missing,
    )


def _absent(path: str, found: t.Collection[str]) -> bool:
    if path == _PYGRUB:
        return not any(each.endswith(f"/{_PYGRUB}") for each in found)
    return path not in found and _LOOKED_AT.fullmatch(path) is not None
