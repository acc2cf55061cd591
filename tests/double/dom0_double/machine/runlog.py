# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When which copy of which guest ran: one line for each start and stop, appended at once."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib


@dataclasses.dataclass(frozen=True)
class Entry:
    """A copy (host, domid, UUID) started or stopped to run at a moment of CLOCK_MONOTONIC.

    ``boot`` is the guest's own boot id, which moves with its memory; a stop need not tell it.
    """

    at_ns: int
    host: str
    domid: int
    uuid: str
    event: str
    why: str
    boot: str = ""


@dataclasses.dataclass(frozen=True)
class Interval:
    """A time in which a copy ran, since its guest had booted as ``boot``; ``end_ns`` is None while it still runs."""

    host: str
    domid: int
    uuid: str
    start_ns: int
    end_ns: int | None
    why: str | None
    boot: str = ""


def append(path: pathlib.Path, entry: Entry) -> None:
    """Add an entry; whole lines only, however many hosts write."""
    line = json.dumps(dataclasses.asdict(entry)) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def entries(path: pathlib.Path) -> list[Entry]:
    """Return all entries in order of time."""
    if not path.exists():
        return []
    found = [Entry(**json.loads(line)) for line in path.read_text().splitlines()]
    return sorted(found, key=lambda entry: entry.at_ns)


def intervals(path: pathlib.Path, uuid: str) -> list[Interval]:
    """Return when copies of a guest ran."""
    result: list[Interval] = []
    for entry in entries(path):
        if entry.uuid != uuid:
            continue
        if entry.event == "start":
            result.append(Interval(entry.host, entry.domid, uuid, entry.at_ns, None, None, entry.boot))
            continue
        for at, interval in enumerate(result):
            if (interval.host, interval.domid, interval.end_ns) == (entry.host, entry.domid, None):
                result[at] = dataclasses.replace(interval, end_ns=entry.at_ns, why=entry.why)
    return result


def overlaps(path: pathlib.Path, uuid: str) -> list[tuple[Interval, Interval]]:
    """Return pairs of copies of a guest that ran at the same time; must be empty."""
    found = intervals(path, uuid)
    return [
        (one, other)
        for at, one in enumerate(found)
        for other in found[at + 1 :]
        if (one.end_ns is None or other.start_ns < one.end_ns) and (other.end_ns is None or one.start_ns < other.end_ns)
    ]


def gaps(path: pathlib.Path, uuid: str) -> list[float]:
    """Return the times in seconds between the end of one run and the start of the next."""
    found = intervals(path, uuid)
    return [(b.start_ns - a.end_ns) / 1e9 for a, b in zip(found, found[1:], strict=False) if a.end_ns is not None]


def running(path: pathlib.Path, uuid: str) -> list[Interval]:
    """Return the copies of a guest that run now."""
    return [interval for interval in intervals(path, uuid) if interval.end_ns is None]
