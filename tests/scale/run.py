# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How everything grows with the fleet (``make scale``): figures with their bounds in build/scale/summary.json.

The exit status is 1 where a bound is missed. Parts are named: ``make scale ARGS="plan killed"``; ``--size N`` is the
number of domains, for trials on a smaller scale. The hosts of all parts but ``orders`` and ``plan`` are those of the
double, over local connections, with the playbooks as an operator runs them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import signal
import sys
import typing as t

from ansible_collections.dom0.xen.tests.scale import evacuate, gate, killed, plan
from ansible_collections.dom0.xen.tests.scale.figures import Part, merge
from ansible_collections.dom0.xen.tests.unit.playbooks.user import ROOT

RESULT = ROOT / "build" / "scale" / "summary.json"


def _parts(options: argparse.Namespace) -> dict[str, t.Callable[[], Part]]:
    size = options.size
    return {
        "orders": plan.orders,
        "plan": lambda: plan.measure(size or plan.SIZE, options.seeds),
        "evacuate": lambda: evacuate.measure(size or evacuate.SIZE, options.each),
        "gate": lambda: gate.measure(size or gate.SIZE),
        "killed": lambda: killed.measure(size or killed.SIZE, options.kills),
    }


def _stop(dummy: int, dummy2: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Measure, write the figures, and return 1 where a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help="orders, plan, evacuate, gate, killed; all of them when none is named")
    parser.add_argument("--size", type=int, default=0, help="domains, for a smaller trial")
    parser.add_argument("--seeds", type=int, default=plan.SEEDS, help="fleets of each kind that are planned")
    parser.add_argument("--each", type=float, default=evacuate.EACH_S, help="seconds that a link needs for a domain")
    parser.add_argument("--kills", type=int, default=killed.KILLS, help="how often the controller is killed")
    options = parser.parse_args()
    known = _parts(options)
    unknown = [name for name in options.parts if name not in known]
    if unknown or options.size < 0:
        parser.error(f"no part is called {', '.join(unknown)}" if unknown else "--size is a number of domains")
    signal.signal(signal.SIGTERM, _stop)
    found = []
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    for name in options.parts or known:
        # Others may work on this machine: what the load was belongs to the figures.
        load = os.getloadavg()[0]
        part = known[name]()
        asked = {
            **part.asked,
            **{"load_before": round(load, 1), "processors": os.cpu_count(), "python": platform.python_version()},
            "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        found.append(Part(part.name, part.figures, asked, part.rows))
        RESULT.write_text(json.dumps(merge(RESULT, found), indent=2) + "\n")
        print("\n".join([f"{name}:", *(figure.line() for figure in part.figures)]), flush=True)
    print(RESULT)
    return 0 if all(part.kept for part in found) else 1


if __name__ == "__main__":
    sys.exit(main())
