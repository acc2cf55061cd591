# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domains have been destroyed lately, so that their numbers are not used again at once.

As tools/libs/light/libxl_domain.c does it: libxl__mark_domid_recent, libxl__is_domid_recent.
"""

from __future__ import annotations

import fcntl
import os
import time
import typing as t

from ..paths import HostPaths

#: LIBXL_DOMID_REUSE_TIMEOUT of libxl_internal.h, which the variable of this name overrides.
_TIMEOUT_S = 60


def mark(paths: HostPaths, domid: int) -> None:
    """Note that a domain is about to be destroyed; entries that are not recent any more go."""
    paths.history.parent.mkdir(exist_ok=True)
    with open(paths.history.with_name("domid-history.lock"), "ab") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        now = int(time.monotonic())
        kept = [*_entries(paths, now), (now, domid)]
        new = paths.history.with_name("domid-history.new")
        new.write_text("".join(f"{at} {number}\n" for at, number in kept))
        new.replace(paths.history)


def recent(paths: HostPaths, domid: int) -> bool:
    """Tell whether a domain of this number was destroyed lately."""
    return any(number == domid for dummy, number in _entries(paths, int(time.monotonic())))


def _entries(paths: HostPaths, now: int) -> t.Iterator[tuple[int, int]]:
    timeout = int(os.environ.get("LIBXL_DOMID_REUSE_TIMEOUT", _TIMEOUT_S))
    try:
        lines = paths.history.read_text().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        at, number = map(int, line.split())
        if now - at <= timeout:
            yield at, number
