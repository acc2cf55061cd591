# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the source had shut the domain down for the move (cold), and was making it again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._settling.evidence import ABSENT, PAUSED, RUNNING, Side
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._settling.sides import (
    LATER,
    SILENT_DESTINATION,
    STREAMED,
    at_destination,
    at_source,
    require,
)

# It was shut down for the move.
DOWN = replace(STREAMED, restartable=True, seen_down=True)
CASES: dict[str, tuple[Side, Side, str]] = {
    "half made at the source": (at_source(PAUSED, DOWN, domid=9), at_destination(ABSENT), "human: half_made"),
    "half made at the source, the destination does not answer": (
        at_source(PAUSED, DOWN, domid=9),
        SILENT_DESTINATION,
        "human: half_made",
    ),
    "half made at the source, which was restarted": (
        at_source(PAUSED, DOWN, boot_id=LATER),
        at_destination(ABSENT),
        "human: half_made",
    ),
    "being made at the source": (
        at_source(PAUSED, DOWN, domid=9, xl_alive=True),
        at_destination(ABSENT),
        "wait",
    ),
    "made at the source, and then paused by somebody": (
        at_source(PAUSED, DOWN, domid=9, ran=True),
        at_destination(ABSENT),
        "done: source, stayed",
    ),
    "paused before it was to shut down": (at_source(PAUSED, DOWN), at_destination(ABSENT), "done: source, stayed"),
    "half made at the source, started by hand there": (
        at_source(PAUSED, DOWN, domid=9),
        at_destination(RUNNING),
        "human: both_have_it",
    ),
}


@pytest.mark.parametrize(("source", "destination", "decided"), CASES.values(), ids=CASES)
def test_decision(source: Side, destination: Side, decided: str) -> None:
    """Half a domain is left to a person, one that is being made is waited for, and a whole one counts."""
    require(source, destination, decided)
