# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What libxl keeps of a domain below /vm/UUID (private to the collection).

Of two copies on one host each takes it from the other: libxl__domain_make removes and writes it for the second one,
libxl__destroy_domid removes it with the first one that goes (tools/libs/light/libxl_create.c and libxl_domain.c).
``xl uptime`` reads from there.
"""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._xenstore.store import XenStore

#: Paths with their values, a folder before what is in it.
Nodes = t.Tuple[t.Tuple[str, str], ...]


def remembered(uuid: str) -> Nodes:
    """Return what is there of the domain; nothing when XenStore does not answer."""
    try:
        with XenStore() as store:
            return _read(store, f"/vm/{uuid.lower()}")
    except Dom0XenError:
        return ()


def brought_back(uuid: str, nodes: Nodes) -> bool:
    """Write it again for the one copy that is left, if it is gone; return whether it was and is there again."""
    if not nodes:
        return False
    try:
        with XenStore() as store:
            return _rewrite(store, uuid.lower(), nodes)
    except Dom0XenError:
        return False


def _read(store: XenStore, top: str) -> Nodes:
    found, todo = [], [top]
    while todo:
        path = todo.pop()
        value = store.read(path)
        if value is not None:
            found.append((path, value))
            todo += [f"{path}/{name}" for name in store.list(path)]
    return tuple(found)


def _rewrite(store: XenStore, uuid: str, nodes: Nodes) -> bool:
    copies, top = store.domids_of(uuid), f"/vm/{uuid}"
    if len(copies) != 1 or store.read(f"{top}/uuid") is not None:
        return False
    name = store.name(copies[0])
    for path, value in nodes:
        store.write(path, name if name and path == f"{top}/name" else value)
        store.permit(path, copies[0])
    return True
