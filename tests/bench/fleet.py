# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processor time for writing, reading, listing and comparing the facts of a large fleet (``make bench-fleet``).

No dom0 is asked: the facts are made up, some 10 KiB a domain, as large as those of real ones.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import tempfile
import time
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._fleet import folder
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.changes import fleet_changes
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.listing import WARN, listed
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.records import Fleet
from ansible_collections.dom0.xen.plugins.plugin_utils._fleet.rules import DomainRule, Rules
from ansible_collections.dom0.xen.tests.unit.plugins.plugin_utils._fleet import examples

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULT = ROOT / "build" / "bench" / "fleet.json"
DOM0S, DOMAINS = 200, 50
READ_LIMIT_S = 30.0
_FILLING = {"device": [{"devid": number, "note": "x" * 500} for number in range(15)]}

Timed = t.TypeVar("Timed")


def fleet(dom0s: int, domains: int) -> Fleet:
    """Return so many hosts with so many domains each."""
    made = [examples.dom0(f"xen{n}", *(f"guest{n}-{m}" for m in range(domains))) for n in range(dom0s)]
    filled = []
    for dom0 in made:
        told = dom0.told
        if told is not None:
            full = tuple(dataclasses.replace(each, config={**(each.config or {}), **_FILLING}) for each in told.domains)
            dom0 = dataclasses.replace(dom0, told=dataclasses.replace(told, domains=full))
        filled.append(dom0)
    rules = Rules(tuple(DomainRule(f"guest{n}-0", ("first",)) for n in range(dom0s)))
    return Fleet(tuple(sorted(filled, key=lambda dom0: dom0.name)), rules)


def main() -> None:
    """Measure once each, write the figures, and fail when reading takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dom0s", type=int, default=DOM0S)
    parser.add_argument("--domains", type=int, default=DOMAINS)
    options = parser.parse_args()
    figures: dict[str, t.Any] = {"dom0s": options.dom0s, "domains": options.domains}

    def timed(what: str, work: t.Callable[[], Timed]) -> Timed:
        begin = time.process_time()
        done = work()
        figures[f"{what}_s"] = round(time.process_time() - begin, 3)
        return done

    made = fleet(options.dom0s, options.domains)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        place = os.path.join(memory, "facts")
        timed("write", lambda: folder.write(place, [*made.dom0s, made.rules]))
        figures["bytes"] = sum(entry.stat().st_size for entry in os.scandir(place))
        read = timed("read", lambda: folder.read(place))
    if read != made:
        raise SystemExit("What was read is not what was written.")
    hosts = timed("list", lambda: listed(read, time.time(), 0, WARN, set())).domains
    if len(hosts) != options.dom0s * options.domains:
        raise SystemExit("Domains are missing from the list.")
    if timed("compare", lambda: fleet_changes(made, read)):
        raise SystemExit("Nothing has changed.")
    figures["passed"] = figures["read_s"] <= READ_LIMIT_S
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures))
    if not figures["passed"]:
        raise SystemExit(f"Reading took longer than {READ_LIMIT_S:g} s.")


if __name__ == "__main__":
    main()
