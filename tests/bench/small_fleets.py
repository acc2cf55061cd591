# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in planner against trying every order of moves, on fleets of at most four hosts and seven domains."""

from __future__ import annotations

import itertools
import time
import typing as t

from ansible_collections.dom0.xen.plugins.plugin_utils._planner.planner import plan
from ansible_collections.dom0.xen.plugins.plugin_utils._planner.records import NoDestination, OrderBroken
from ansible_collections.dom0.xen.tests.bench.plan_questions import cheapest, small


def compare(cases: int) -> dict[str, t.Any]:
    """Return the counts of so many fleets, not counting those with nowhere to go, and the slowest plan in CPU seconds.

    ``found``: of the ``feasible`` ones; ``invented``: an order where there is none; ``as_cheap``: found, and no order
    moves less; ``overcommitted``: an order that needs more memory than there is, which no case must be.
    """
    counts = dict.fromkeys(("cases", "feasible", "found", "invented", "overcommitted", "as_cheap"), 0)
    slowest = 0.0
    for seed in itertools.count():
        if counts["cases"] == cases:
            break
        asked = small(seed)
        began = time.process_time()
        try:
            answer = plan(asked)
        except NoDestination:
            continue
        except OrderBroken:
            counts["cases"] += 1
            counts["overcommitted"] += 1
            continue
        slowest = max(slowest, time.process_time() - began)
        best = cheapest(asked)
        counts["cases"] += 1
        counts["feasible"] += best is not None
        counts["found"] += best is not None and answer.shortage is None
        counts["invented"] += best is None and answer.shortage is None
        counts["as_cheap"] += best is not None and answer.shortage is None and answer.moved_mib == best
    return {**counts, "slowest_cpu_s": round(slowest, 3)}
