# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain's network cards and disks, as their backends show them in XenStore (private to the collection)."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

CONNECTED = 4


def devices(store: XenStore, domid: int) -> dict[str, int | None]:
    """Return the state of each network card and disk of the domain, by its backend (xen/include/public/io/xenbus.h).

    Raises the errors of :class:`XenStore`.
    """
    return {name: store.read_int(f"{path}/state") for name, path in backends(store, domid).items()}


def backends(store: XenStore, domid: int) -> dict[str, str]:
    """Return the backends of the domain's network cards and disks, from where libxl has put them, and no guest writes
    (tools/libs/light/libxl_device.c libxl__device_libxl_path). Raises the errors of :class:`XenStore`.
    """
    found = {}
    for kind in ("vif", "vbd"):
        base = f"/libxl/{domid}/device/{kind}"
        for number in store.list(base):
            path = store.read(f"{base}/{number}/backend")
            if path:
                found[f"{kind}/{number}"] = path
    return found


def interface(store: XenStore, domid: int, number: str, backend: str) -> str:
    """Return what a network card's interface is called here (tools/libs/light/libxl_nic.c libxl__device_nic_devname).

    Raises the errors of :class:`XenStore`.
    """
    return store.read(f"{backend}/vifname") or f"vif{domid}.{number}"
