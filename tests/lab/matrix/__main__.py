# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make lab-matrix``: every guest, method and pair of releases on real Xen, in four labs one after the other."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from dataclasses import asdict
from pathlib import Path

from dom0lab import Lab, LabError, lun
from dom0lab.start import Settings
from proof import figures, playbook

from .attempt import Kept, Verdict, attempt
from .listing import RELEASES, Cell, chosen
from .page import known, printed
from .record import KEPT, Record

# Four times what a domain begins with: with more than that guests come too short.
DOM0_WEIGHT = 1024
RESULT = playbook.ROOT / "build" / "lab" / "matrix.json"
PAGE = playbook.ROOT / "docs" / "docsite" / "rst" / "compatibility.rst"


def write(record: Record, ran: list[Verdict], wall: float) -> bool:
    """Write the figures, so that a run that is stopped leaves what it has; returns whether every check holds."""
    checks = [figures.equal(one.name, one.well, True) for one in ran]
    record.save(RESULT, wall_s=round(wall, 1), checks=[asdict(check) for check in checks])
    return bool(checks) and all(check.ok for check in checks)


def publish() -> int:
    """Take over what was tried into the record, and print that into the docs."""
    record = Record.load(RESULT).over(Record.load(KEPT))
    record.save(KEPT)
    PAGE.write_text(printed(PAGE.read_text(encoding="utf-8"), record), encoding="utf-8")
    print(f"{len(record.cells)} cells, {len(record.well())} well; see {playbook.shown(PAGE)}")
    return 0


def emptied(lab: Lab) -> Path:
    """Make the lab as it is when it has just come up, without a guest; returns the file behind the shared disk."""
    lab.guest.stop()
    for host in lab.hosts.values():
        # Beside a guest with two processors that never rests dom0 has a third of the only one that there is, and each
        # of its steps takes three to eight times as long.
        host.run(f"xl sched-credit2 -d Domain-0 -w {DOM0_WEIGHT}")
    return lun.attach(lab.hosts.values(), lab.folder)


def run_lab(cells: list[Cell], record: Record, ran: list[Verdict], begun: float) -> None:
    """Try the cells of one lab."""
    releases = cells[0].lab
    with Lab.up(Settings(releases=releases, memory_mib=2304, hvm=True)) as lab:
        for host, release in zip(lab.hosts.values(), releases, strict=True):
            record.xen[release] = host.run("xl info xen_version").stdout.strip() or RELEASES[release]
        disk = emptied(lab)
        kept: Kept | None = None
        for cell in cells:
            verdict, kept = attempt(lab, disk, cell, kept)
            ran.append(verdict)
            today = time.strftime("%Y-%m-%d", time.gmtime())
            record.cells[verdict.name] = {**verdict.document(), "revision": playbook.revision(), "date": today}
            print(f"{cell}: {'well' if verdict.well else verdict.document()} ({verdict.wall_s:.0f} s)", flush=True)
            write(record, ran, time.monotonic() - begun)
            if verdict.error:
                # Whatever it was, the next one does not begin with it.
                lab.reset()
                disk = emptied(lab)


def main() -> int:
    """Run the matrix; return 0 when every check holds."""
    parser = argparse.ArgumentParser(prog="make lab-matrix", description=__doc__)
    parser.add_argument("names", nargs="*", help="only cells whose name has one of these texts")
    parser.add_argument(
        "--continue", action="store_true", dest="go_on", help="leave out what was well before, or cannot be"
    )
    parser.add_argument("--publish", action="store_true", help="run nothing; take the figures over into the docs")
    parser.add_argument("--list", action="store_true", help="show the names and run nothing")
    options = parser.parse_args()
    if options.publish:
        return publish()
    # Each cell is minutes of work: what is known of those that are not tried now stays in the file.
    record = Record.load(RESULT)
    todo = chosen(options.names)
    if options.go_on:
        record = record.over(Record.load(KEPT))
        tried = record.cells
        broken = {str(cell) for cell in todo if str(cell) in tried and known(tried[str(cell)], cell.breaks)}
        todo = [cell for cell in todo if str(cell) not in record.well() | broken]
    for cell in todo:
        record.cells.pop(str(cell), None)
    if options.list:
        print("\n".join(map(str, todo)))
        return 0
    ran: list[Verdict] = []
    lost: list[str] = []
    begun = time.monotonic()
    for releases, group in itertools.groupby(todo, key=lambda cell: cell.lab):
        try:
            run_lab(list(group), record, ran, begun)
        except LabError as exc:
            # The others have labs of their own.
            lost.append(f"{'-'.join(releases)}: {exc}")
            print(f"the lab {lost[-1]}", file=sys.stderr, flush=True)
    good = write(record, ran, time.monotonic() - begun)
    print(f"{sum(one.well for one in ran)} of {len(ran)} cells well; figures in {playbook.shown(RESULT)}")
    if lost:
        print(f"{len(todo) - len(ran)} cells not tried: {len(lost)} labs broke", file=sys.stderr)
        return 2
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
