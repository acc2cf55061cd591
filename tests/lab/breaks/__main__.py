# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make lab-faults``: faults on real Xen, with one start of the lab for as many as leave it usable."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict

from dom0lab import Lab, LabError, whole
from proof import figures, playbook

from .attempt import attempt
from .field import Field
from .listing import chosen, faults
from .verdict import Verdict

RESULT = playbook.ROOT / "build" / "faults" / "lab.json"
LEAST = 60


def least(names: list[str], limit: int | None) -> int:
    """How many runs are asked for: of all faults as many as were promised, of some chosen ones at least one."""
    return 1 if names or limit is not None else LEAST


def write(verdicts: list[Verdict], listed: int, wall: float, wanted: int) -> bool:
    """Write the figures, so that a campaign that is stopped leaves what it has; returns whether every check holds.

    One with fewer than the ``wanted`` runs does not.
    """
    counts = {
        "running_twice": sum(one.running_twice for one in verdicts),
        "lost": sum(one.lost for one in verdicts),
        "left_unsettled": sum(one.left_unsettled for one in verdicts),
        "guest_touched_before_banner": sum(one.touched_before_banner for one in verdicts),
        "guest_changed": sum(one.guest_changed for one in verdicts),
        "errors": sum(bool(one.error) for one in verdicts),
        "missed": sum(not one.reached for one in verdicts),
    }
    checks = [figures.equal(name, value, 0) for name, value in counts.items()]
    checks += [figures.at_least("faults_listed", listed, LEAST), figures.at_least("runs", len(verdicts), wanted)]
    data = {
        "revision": playbook.revision(),
        "tried": playbook.tried(),
        "runs": len(verdicts),
        **counts,
        "faults_listed": listed,
        "wall_s": round(wall, 1),
    }
    document = {**data, "raw": [one.document() for one in verdicts], "checks": [asdict(check) for check in checks]}
    whole.save(RESULT, document)
    return all(check.ok for check in checks)


def earlier() -> tuple[list[Verdict], float]:
    """Good verdicts that a campaign on the same code has left, and the seconds it took.

    Code that has no name is not known to be the same.
    """
    try:
        document = json.loads(RESULT.read_text())
    except FileNotFoundError:
        return [], 0.0
    tried = playbook.tried()
    if not tried or document["tried"] != tried:
        return [], 0.0
    return [one for one in (Verdict(**raw) for raw in document["raw"]) if one.well], document["wall_s"]


def main() -> int:
    """Run the campaign; return 0 when every check holds."""
    parser = argparse.ArgumentParser(prog="make lab-faults", description=__doc__)
    parser.add_argument("names", nargs="*", help="only faults whose name has one of these texts")
    parser.add_argument("--limit", type=int, metavar="N", help="not more than so many")
    parser.add_argument("--continue", action="store_true", dest="go_on", help="leave out what this code has passed")
    parser.add_argument("--list", action="store_true", help="show the names and run nothing")
    options = parser.parse_args()
    everything = faults()
    todo = chosen(everything, options.names, options.limit)
    if unknown := [name for name in options.names if not chosen(everything, [name], None)]:
        parser.error(f"no fault has this in its name: {', '.join(unknown)}")
    if not todo:
        parser.error("that is no fault at all")
    if options.list:
        print("\n".join(map(str, todo)))
        return 0
    wanted = least(options.names, options.limit)
    verdicts, before = earlier() if options.go_on else ([], 0.0)
    done = {one.name for one in verdicts}
    # Those that take longest come last.
    todo = sorted((fault for fault in todo if str(fault) not in done), key=lambda fault: fault.playbook)
    began, last, good = time.monotonic() - before, None, not todo
    try:
        with Lab.up() as lab:
            field = Field(lab)
            for fault in todo:
                if last is not None and not reusable(field, last):
                    field.reset()
                last = attempt(field, fault)
                verdicts.append(last)
                print(f"{fault}: {'well' if last.well else last}", flush=True)
                good = write(verdicts, len(everything), time.monotonic() - began, wanted)
            field.close()
    except LabError as exc:
        print(f"the lab: {exc}", file=sys.stderr)
        return 2
    print(f"{len(verdicts)} of {len(everything)} faults; figures in {playbook.shown(RESULT)}")
    return 0 if good else 1


def reusable(field: Field, last: Verdict) -> bool:
    """Whether nothing was left, so that the next move can begin at once, from where the guest is."""
    if not last.well or last.remains or len(last.where) != 1:
        return False
    field.begin_at(last.where[0])
    return True


if __name__ == "__main__":
    sys.exit(main())
