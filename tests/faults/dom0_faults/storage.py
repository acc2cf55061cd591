# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage that a caller's tasks at the gate hand over: which host may write to it, and when."""

from __future__ import annotations

import pathlib
import time

# When it was handed to a host, in nanoseconds of the monotonic clock.
Handed = tuple[int, str]


def hand(file: pathlib.Path, host: str) -> None:
    """Let a host write to it, and no other."""
    with file.open("a") as log:
        log.write(f"{time.monotonic_ns()} {host}\n")


def handed(file: pathlib.Path) -> tuple[Handed, ...]:
    """Return whom it was handed to, in order, and nothing where no tasks hand it over."""
    lines = file.read_text().splitlines() if file.exists() else []
    return tuple((int(moment), host) for moment, host in (line.split() for line in lines))
