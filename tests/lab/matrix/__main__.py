# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make lab-matrix``: every guest, method and pair of releases on real Xen, with one lab for each pair."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from dataclasses import asdict

from dom0lab import Lab, LabError, lun
from dom0lab.start import Settings
from proof import figures, playbook

from .attempt import Verdict, attempt
from .listing import RELEASES, Cell, chosen

RESULT = playbook.ROOT / "build" / "lab" / "matrix.json"
WORK = playbook.ROOT / "build" / "lab-matrix"


def write(verdicts: list[Verdict], versions: dict[str, str], wall: float) -> bool:
    """Write the figures, so that a run that is stopped leaves what it has; returns whether every check holds."""
    data = {
        "revision": playbook.revision(),
        "xen": versions,
        "wall_s": round(wall, 1),
        "cells": [one.document() for one in verdicts],
    }
    checks = [figures.equal(one.name, one.well, True) for one in verdicts]
    WORK.mkdir(parents=True, exist_ok=True)
    document = {**data, "checks": [asdict(check) for check in checks]}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(document, indent=1) + "\n")
    return bool(checks) and all(check.ok for check in checks)


def run_pair(cells: list[Cell], versions: dict[str, str], verdicts: list[Verdict], begun: float) -> None:
    """Try the cells of one pair of releases."""
    pair = (cells[0].source, cells[0].destination)
    with Lab.up(Settings(releases=pair, memory_mib=2304, hvm=True)) as lab:
        for name, release in zip(("xen1", "xen2"), pair, strict=True):
            told = lab.hosts[name].run("xl info xen_version").stdout.strip()
            versions[release] = told or RELEASES[release]
        lab.guest.stop()
        disk = lun.attach(lab.hosts.values(), lab.folder)
        for cell in cells:
            verdict = attempt(lab, disk, cell)
            verdicts.append(verdict)
            print(f"{cell}: {'well' if verdict.well else verdict.document()}", flush=True)
            write(verdicts, versions, time.monotonic() - begun)


def main() -> int:
    """Run the matrix; return 0 when every check holds."""
    parser = argparse.ArgumentParser(prog="make lab-matrix", description=__doc__)
    parser.add_argument("names", nargs="*", help="only cells whose name has one of these texts")
    parser.add_argument("--list", action="store_true", help="show the names and run nothing")
    options = parser.parse_args()
    todo = chosen(options.names)
    if options.list:
        print("\n".join(map(str, todo)))
        return 0
    verdicts: list[Verdict] = []
    versions: dict[str, str] = {}
    begun = time.monotonic()
    for dummy, group in itertools.groupby(todo, key=lambda cell: (cell.source, cell.destination)):
        try:
            run_pair(list(group), versions, verdicts, begun)
        except LabError as exc:
            print(f"the lab: {exc}", file=sys.stderr)
            return 2
    good = write(verdicts, versions, time.monotonic() - begun)
    print(f"{sum(one.well for one in verdicts)} of {len(verdicts)} cells; figures in {playbook.shown(RESULT)}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
