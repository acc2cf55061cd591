# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pause a domain, whose number is argument 1, when its guest has agreed to suspend and has not suspended yet.

Between the two lie some tens of milliseconds, which a command would miss: so Xen's own libraries are asked from here.
libxl then waits in vain for the suspend that the guest still has before it (tools/libs/light/libxl_dom_suspend.c).
Says "ready" when it watches, and "paused" when it is done.
"""

from __future__ import annotations

import ctypes
import glob
import os
import sys

AGREED = b""


def library(name: str) -> ctypes.CDLL:
    """The newest version of a library of Xen's that is there."""
    return ctypes.CDLL(sorted(glob.glob(f"/usr/lib/x86_64-linux-gnu/lib{name}.so.*"))[-1])


def main(domid: int) -> None:
    """Watch, and pause once."""
    os.nice(-20)
    store, control = library("xenstore"), library("xenctrl")
    store.xs_open.restype = store.xs_read.restype = store.xs_read_watch.restype = ctypes.c_void_p
    control.xc_interface_open.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(store.xs_open(ctypes.c_ulong(0)))
    hypervisor = ctypes.c_void_p(control.xc_interface_open(None, None, ctypes.c_uint(0)))
    if not connection or not hypervisor:
        sys.exit("XenStore or the hypervisor cannot be reached")
    node, length = f"/local/domain/{domid}/control/shutdown".encode(), ctypes.c_uint()
    if not store.xs_watch(connection, node, b"lab"):
        sys.exit("the node cannot be watched")
    print("ready", flush=True)
    # The first event is that of the watch itself. What the second one tells of may be over when it is looked at: the
    # request, to which the guest has agreed meanwhile.
    store.xs_read_watch(connection, ctypes.byref(length))
    while True:
        store.xs_read_watch(connection, ctypes.byref(length))
        there = store.xs_read(connection, ctypes.c_uint(0), node, ctypes.byref(length))
        value = ctypes.string_at(there, length.value) if there else AGREED
        if value == AGREED:
            break
    if control.xc_domain_pause(hypervisor, ctypes.c_uint32(domid)):
        sys.exit("the domain could not be paused")
    print("paused", flush=True)


main(int(sys.argv[1]))
