# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gate adds to the time in which the guest stands still (``make bench-gate``): on the double, in turns.

Measured between the two ``xl``, from the one's permission written to the other's permission read: through a pipe, as
plain ``xl migrate`` is called, and through this collection, which has put the commit on both hosts' disks by then. The
guest has a disk, with something unwritten each time, and is started when the source boots: the one is flushed, the
other set aside. The hosts' folders and the disk are on the disk that the checkout is on.
"""

from __future__ import annotations

import argparse
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


def _between(site: Site, source: str, destination: str) -> float:
    """Milliseconds from the permission given to the permission read."""
    return (site[destination].passed_at("receive.go") - site[source].passed_at("migrate.go")) * 1000


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
    plain: list[float] = []
    ours: list[float] = []
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
                (ours if mine else plain).append(_between(site, source, destination))
        finally:
            site.down()
        flush = _flushes(folder)
    medians = {"plain_ms": statistics.median(plain), "ours_ms": statistics.median(ours)}
    added = medians["ours_ms"] - medians["plain_ms"]
    raw: dict[str, t.Any] = {"plain": plain, "ours": ours}
    data = {"pairs": pairs, **medians, "added_ms": added, "flush_ms": flush, "raw_ms": raw}
    print(
        f"permission given to permission read: {medians['plain_ms']:.2f} ms plain, {medians['ours_ms']:.2f} ms ours; "
        f"one flush of this disk takes {flush:.2f} ms"
    )
    return figures.write(RESULT, data, [figures.at_most("added_ms", round(added, 2), LIMIT_MS)])


def main() -> int:
    """Return 0 when the check holds."""
    parser = argparse.ArgumentParser(prog="make bench-gate", description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="moves with each (default: %(default)s)")
    return 0 if measure(parser.parse_args().pairs) else 1


if __name__ == "__main__":
    raise SystemExit(main())
