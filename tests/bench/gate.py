# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gate adds to the time in which the guest stands still (``make bench-gate``): on the double, in turns.

The guest stands still for nothing but the gate from the moment in which the source knows that the destination has all
of it. Measured from there to the permission that the destination's ``xl`` has read: as plain ``xl migrate`` is called,
through a pipe, from its "ready" read; through this collection from the "ready" that has come over the link, by the
sender's journal, and with all that is put on both hosts' disks by then. The permission that ``xl`` writes at the source
lies between the two: whoever begins there leaves out what the sender does with it.

The guest has a disk, with something unwritten each time, and is started when the source boots: the one is flushed, the
other set aside. The hosts' folders and the disk are on the disk that the checkout is on.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import pathlib
import statistics
import tempfile
import time
import typing as t

from dom0_double.driver.host import GuestConfig
from dom0_double.driver.site import Site
from proof import figures

from ansible_collections.dom0.xen.tests.unit.playbooks.user import ROOT, User

RESULT = ROOT / "build" / "bench" / "gate.json"
PAIRS = 15
LIMIT_MS = 20.0
_HOSTS = ("xen1", "xen2")
# What the sender puts on record in the gate, and what passes from one moment to the next: "ready" goes over the link,
# before the gate; xl renames its copy and writes, the disks are seen at rest; the request comes to the disk and goes
# over; the commit does, and goes on.
_STEPS = ("ready", "commit_requested")
_PARTS = ("until_known_ms", "until_asked_ms", "asked_ms", "committed_ms")
# Both hosts are this machine, and reach the very same file.
_WAIVED = ("-e", json.dumps({"migrate_waive": ["disk_not_shared"]}))


def _prepare(site: Site, guest: GuestConfig, disk: pathlib.Path, source: str, destination: str) -> None:
    """Write to the disk, and have the source start the guest at its next boot, and the destination not."""
    disk.write_bytes(os.urandom(1 << 16))
    for host in (source, destination):
        (site[host].paths.auto / f"{guest.name}.cfg").unlink(missing_ok=True)
    site[source].autostart(guest)


def _plain(site: Site, source: str, destination: str) -> None:
    receive = f"exec {site[destination].paths.bin}/xl migrate-receive"
    done = site[source].run("xl", "migrate", "-s", "", GuestConfig.name, receive)
    if done.status:
        raise SystemExit(done.stderr)


def newest(journals: t.Iterable[str], step: str) -> float:
    """Return when a step of the newest session was put on record, in seconds of the monotonic clock."""
    records = (json.loads(line) for text in journals for line in text.splitlines())
    return float(max(record["monotonic_s"] for record in records if record["step"] == step))


def _journals(site: Site, host: str, role: str) -> list[str]:
    return [path.read_text() for path in (site[host].paths.lib / "dom0-xen").glob(f"*.{role}/journal")]


def _moments(site: Site, source: str, destination: str, mine: bool) -> list[float]:
    """Return when the destination said that it is ready, when the source knew, what is on record, and the last word."""
    said, given = (site[destination].passed_at(point) for point in ("receive.ready", "receive.go"))
    moments = [said, site[source].passed_at("migrate.ready"), given]
    if mine:
        sender, receiver = _journals(site, source, "sender"), _journals(site, destination, "receiver")
        moments = [said, *(newest(sender, step) for step in _STEPS), newest(receiver, "commit"), given]
    if moments != sorted(moments):
        raise SystemExit(f"the move's moments contradict each other: {moments}")
    return moments


def gates(moments: t.Iterable[t.Sequence[float]]) -> list[float]:
    """Return how long each gate took, from what the source knew on, in milliseconds."""
    return [(each[-1] - each[1]) * 1000 for each in moments]


def parts(moments: t.Sequence[t.Sequence[float]]) -> dict[str, float]:
    """Return the medians of what passes between the moments of our moves, in milliseconds."""
    steps = [[(later - sooner) * 1000 for sooner, later in itertools.pairwise(each)] for each in moments]
    return dict(zip(_PARTS, map(statistics.median, zip(*steps, strict=True)), strict=True))


def spread(values: t.Sequence[float]) -> dict[str, float]:
    """Return the median, the two quartiles, the least and the most, in milliseconds."""
    low, dummy, high = statistics.quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    figures_ = (statistics.median(values), low, high, min(values), max(values))
    return dict(zip(("median", "lower_quartile", "upper_quartile", "least", "most"), figures_, strict=True))


def _flushes(folder: pathlib.Path, count: int = 50) -> float:
    """The median of an append and its fsync on this disk, in milliseconds."""
    taken = []
    with open(folder / "flushes", "ab", buffering=0) as file:
        for _dummy in range(count):
            began = time.monotonic()
            file.write(b"x" * 200)
            os.fsync(file.fileno())
            taken.append((time.monotonic() - began) * 1000)
    return statistics.median(taken)


def measure(pairs: int) -> bool:
    """Move there with one, back with the other; write the figures, and return whether the check holds."""
    plain: list[list[float]] = []
    ours: list[list[float]] = []
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="g", dir=RESULT.parent.parent) as name:
        folder = pathlib.Path(name)
        site = Site(folder / "site")
        try:
            site.up(list(_HOSTS), None)
            disk = folder / "disk.img"
            disk.touch()
            guest = GuestConfig(memory_mib=8, compact=True, extra=f'disk = [ "{disk},raw,xvda,w" ]')
            site[_HOSTS[0]].start_guest(guest)
            user = User(site, folder)
            for number in range(2 * pairs):
                source, destination = _HOSTS if number % 2 == 0 else _HOSTS[::-1]
                for host in _HOSTS:
                    site[host].record_points()
                _prepare(site, guest, disk, source, destination)
                mine = number // 2 % 2 == number % 2
                if mine:
                    user.move(destination, *_WAIVED)
                else:
                    _plain(site, source, destination)
                (ours if mine else plain).append(_moments(site, source, destination, mine))
        finally:
            site.down()
        flush = _flushes(folder)
    data = {**summary(gates(plain), gates(ours)), "ours_parts": parts(ours)}
    print(
        f"ready known to permission read: {data['plain_ms']:.2f} ms plain, {data['ours_ms']:.2f} ms ours"
        f" ({data['ours_spread_ms']['least']:.2f} to {data['ours_spread_ms']['most']:.2f});"
        f" one flush of this disk takes {flush:.2f} ms"
    )
    checks = [figures.at_most("added_ms", round(data["added_ms"], 2), LIMIT_MS)]
    return figures.write(RESULT, {"pairs": pairs, **data, "flush_ms": flush}, checks)


def summary(plain: t.Sequence[float], ours: t.Sequence[float]) -> dict[str, t.Any]:
    """Return the medians and how far the moves lie apart, what ours add, and the raw figures."""
    spreads = {"plain": spread(plain), "ours": spread(ours)}
    medians = {f"{name}_ms": one["median"] for name, one in spreads.items()}
    added = medians["ours_ms"] - medians["plain_ms"]
    raw = {"plain": list(plain), "ours": list(ours)}
    return {**medians, "added_ms": added, **{f"{name}_spread_ms": one for name, one in spreads.items()}, "raw_ms": raw}


def main() -> int:
    """Return 0 when the check holds."""
    parser = argparse.ArgumentParser(prog="make bench-gate", description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="moves with each (default: %(default)s)")
    return 0 if measure(parser.parse_args().pairs) else 1


if __name__ == "__main__":
    raise SystemExit(main())
