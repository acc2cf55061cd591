# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make faults``: all faults, those that are named, or an even sample that fits into a time."""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import typing as t

from . import points, recording
from .enumeration import campaign, faults, spread
from .kept import FILE, OF_NAMES, Kept
from .names import SMOOTH, Fault
from .pool import MEMORY, Pool
from .run import Outcome
from .summary import summary

SUMMARY = pathlib.Path("build/faults/summary.json")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("names", nargs="*", help="faults to run, as the summary names them")
    parser.add_argument("--sample", type=float, metavar="SECONDS", help="an even sample that is done by then")
    parser.add_argument("--count", type=int, help="an even sample of so many; of 3000 or more with all playbooks")
    parser.add_argument("--only", metavar="TEXT", help="only those whose name has this; with --record courses")
    parser.add_argument("--list", action="store_true", help="show the names and run nothing")
    parser.add_argument("--record", action="store_true", help="record the points anew")
    parser.add_argument("--continue", action="store_true", dest="go_on", help="leave out what this code has passed")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def _stop(dummy: int, dummy2: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run the campaign; return 0 when every check holds."""
    options = _arguments()
    signal.signal(signal.SIGTERM, _stop)
    begun = time.monotonic()
    outcomes: list[Outcome] = []
    everything: list[Fault] = []
    chosen: list[Fault] = []
    vanished: list[str] = []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="df-", dir=MEMORY))
    try:
        known = points.load()
        if options.record:
            points.save(recording.baseline(folder, known, options.only or ""))
            return 0
        everything = faults(known)
        chosen = [Fault.parse(name) for name in options.names] or everything
        chosen = [fault for fault in chosen if options.only is None or options.only in str(fault)]
        whole = len(chosen) == len(everything) and not options.sample and not options.count
        if options.count:
            chosen = campaign(chosen, options.count)
        if options.list:
            print("\n".join(map(str, chosen)))
            return 0
        courses = [SMOOTH] if not whole else list(known)
        passed = {} if options.names else {course: recording.seen(course, folder / "run") for course in courses}
        vanished = points.vanished(known, passed)
        for name in points.unknown(known, passed):
            print(f"not in the list: {name}", flush=True)
        deadline = begun + options.sample if options.sample else None
        kept = Kept(options.go_on, OF_NAMES if options.names else FILE)
        begun -= kept.seconds
        outcomes += kept.outcomes
        left = [fault for fault in (spread(chosen) if options.sample else chosen) if str(fault) not in kept.names]
        stopped = _run(left, options.jobs, deadline, outcomes, lambda one: kept.add(one, time.monotonic() - begun))
    except KeyboardInterrupt:
        stopped = True
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if stopped and not outcomes:
        return 130
    document = summary(
        outcomes, time.monotonic() - begun, len(everything), vanished, 0 if options.sample else len(chosen)
    )
    SUMMARY.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY.write_text(json.dumps(document, indent=1) + "\n")
    for check in document["checks"]:
        if not check["ok"]:
            print(f"not ok: {check['name']} is {check['value']}, needed {check['needed']}")
    print(f"{document['runs']} faults in {document['seconds']} s; {SUMMARY}")
    return 130 if stopped else int(not document["ok"])


def _run(
    chosen: list[Fault],
    jobs: int,
    deadline: float | None,
    outcomes: list[Outcome],
    keep: t.Callable[[Outcome], None],
) -> bool:
    """Add to ``outcomes``; return whether it was stopped before the end."""
    total = len(chosen) + len(outcomes)
    with Pool(jobs) as pool:
        try:
            for outcome in pool.run(chosen, deadline):
                outcomes.append(outcome)
                keep(outcome)
                if outcome.failed:
                    print(f"{outcome.name}: {'; '.join(outcome.why)}", flush=True)
                if len(outcomes) % 50 == 0:
                    print(f"{len(outcomes)} of {total}", flush=True)
        except KeyboardInterrupt:
            print("stopped")
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
